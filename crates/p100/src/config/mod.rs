//! What a client must be told, and everything assumed about the provider, so that it can be corrected.

mod base_url;
mod tables;

use std::time::Duration;

use crate::{
    authorization::AuthorizationForm,
    retry,
    secret::{Secret, SecretError},
};

pub(crate) use base_url::BaseUrl;
pub use tables::{CodeClass, CodeTable, OrderNotFound, StatusTable};

/// Everything about one credential of the provider. [`P100Config::new`] fills in the defaults; change fields after it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct P100Config {
    /// Where the API is, such as [`STAGING_URL`]. `http` only to this machine.
    pub base_url: String,
    /// Sent as `x-api-key` with every call. (seen)
    pub api_key: Secret,
    /// The webhook security tokens that are good now: one, or two while one replaces the other. With none, no webhook
    /// is authentic.
    pub webhook_tokens: Vec<Secret>,
    /// How a webhook's `Authorization` header carries its token. (assumed: either form)
    pub authorization_form: AuthorizationForm,
    /// The paths of the calls.
    pub paths: Paths,
    /// What the provider's words for an order's status mean.
    pub statuses: StatusTable,
    /// What the provider's error codes mean for the call that got them.
    pub codes: CodeTable,
    /// Which answers of the details call mean that there is no such order.
    pub order_not_found: OrderNotFound,
    /// How long a call may take.
    pub timeouts: Timeouts,
    /// How often a read that broke is repeated inside its call: 0 to 2. Each one is a request more than the caller
    /// counted. A create or a lock is never repeated.
    pub read_retries: u32,
    /// Certificates in PEM that are trusted beside the platform's, for a network with a CA of its own.
    pub extra_roots_pem: Option<String>,
}

/// The paths under the base address.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Paths {
    /// `GET`. (assumed: only the call's name was seen; this is the path of a sister call, moved)
    pub rates: String,
    /// `POST`. (seen)
    pub lock: String,
    /// `POST`. (seen)
    pub create: String,
    /// `GET`, followed by `/` and the provider's order id. (seen)
    pub details: String,
}

/// How long a call may take. The provider documents nothing, so all of these are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// To a connection, with names and TLS. Must be shorter than both others: only a call that ends while it connects
    /// is known not to have been sent.
    pub connect: Duration,
    /// A whole call of rates, lock or details.
    pub read: Duration,
    /// A whole create. Longer: giving up on it costs an unknown outcome.
    pub create: Duration,
}

/// A configuration that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The base address.
    #[error("base_url: {0}")]
    BaseUrl(&'static str),
    /// A path.
    #[error("paths.{name}: {why}")]
    Path {
        /// Which one.
        name: &'static str,
        /// Why.
        why: &'static str,
    },
    /// A timeout.
    #[error("timeouts.{name}: {why}")]
    Timeout {
        /// Which one.
        name: &'static str,
        /// Why.
        why: &'static str,
    },
    /// Too many retries.
    #[error("read_retries: at most {}", retry::RETRIES_MAX)]
    ReadRetries,
    /// Too many webhook tokens.
    #[error("webhook_tokens: at most {WEBHOOK_TOKENS_MAX}; remove the ones that were replaced")]
    WebhookTokens,
    /// A credential.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// TLS could not be set up.
    #[error("TLS: {0}")]
    Tls(String),
    /// The HTTP client could not be set up.
    #[error("HTTP client: {0}")]
    Http(String),
}

/// The provider's test environment: no real money. (seen)
pub const STAGING_URL: &str = "https://partner-api-stage.p100.io";

/// The provider's production environment; it only answers addresses on its allow-list. (seen)
pub const PRODUCTION_URL: &str = "https://partner-api.p100.io";

/// Two while one replaces the other, and the same again for a second environment behind one address.
pub const WEBHOOK_TOKENS_MAX: usize = 4;

/// Longer and a stuck call holds its order up for more than any lock lives.
const TIMEOUT_MAX: Duration = Duration::from_secs(5 * 60);

impl P100Config {
    /// With the defaults that this crate documents, and no webhook token.
    #[must_use]
    pub fn new(base_url: impl Into<String>, api_key: Secret) -> Self {
        Self {
            base_url: base_url.into(),
            api_key,
            webhook_tokens: Vec::new(),
            authorization_form: AuthorizationForm::Either,
            paths: Paths {
                rates: "/v1/order/get-rate".to_owned(),
                lock: "/v1/order/lock-rate".to_owned(),
                create: "/v1/order".to_owned(),
                details: "/v1/order/details".to_owned(),
            },
            statuses: StatusTable::documented(),
            codes: CodeTable::documented(),
            order_not_found: OrderNotFound::AnyCode,
            timeouts: Timeouts {
                connect: Duration::from_secs(5),
                read: Duration::from_secs(15),
                create: Duration::from_secs(30),
            },
            read_retries: retry::RETRIES_MAX,
            extra_roots_pem: None,
        }
    }

    /// Everything that can be said without a connection.
    pub(crate) fn check(&self) -> Result<BaseUrl, ConfigError> {
        let base = BaseUrl::read(&self.base_url)?;
        for (name, path) in [
            ("rates", &self.paths.rates),
            ("lock", &self.paths.lock),
            ("create", &self.paths.create),
            ("details", &self.paths.details),
        ] {
            base_url::check_path(path).map_err(|why| ConfigError::Path { name, why })?;
        }
        let Timeouts { connect, read, create } = self.timeouts;
        for (name, timeout) in [("connect", connect), ("read", read), ("create", create)] {
            let why = if timeout.is_zero() {
                "it must be longer than nothing"
            } else if timeout > TIMEOUT_MAX {
                "at most five minutes"
            } else if name != "connect" && timeout <= connect {
                "it must be longer than timeouts.connect"
            } else {
                continue;
            };
            return Err(ConfigError::Timeout { name, why });
        }
        if self.read_retries > retry::RETRIES_MAX {
            return Err(ConfigError::ReadRetries);
        }
        if self.webhook_tokens.len() > WEBHOOK_TOKENS_MAX {
            return Err(ConfigError::WebhookTokens);
        }
        Ok(base)
    }
}
