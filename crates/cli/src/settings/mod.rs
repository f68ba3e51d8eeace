//! The daemon's configuration: a TOML file, the environment above it, flags above both. Unknown names are errors.

mod engine;
mod environment;
mod layers;
mod limits;
pub(crate) mod listen;
pub(crate) mod page;
mod provider;
mod retention;
pub(crate) mod schema;
pub(crate) mod secrets;
mod span;

pub(crate) use layers::{Layers, Source, read};
pub(crate) use limits::LimitsSettings;
pub(crate) use provider::ProviderSettings;
pub(crate) use span::Span;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use orderkeep::{AccountId, CreateVerdict, store::Backend};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{args::ServeArgs, exit::Failure, otlp::OtlpSettings, webhooks::WebhookSettings};
use engine::{BudgetSettings, PolicySettings};

/// Everything `serve` can be told.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The data folder. `--data`
    pub(crate) data: PathBuf,
    /// Where the store's high-water mark is kept. On another volume it notices that the whole folder was put back to an
    /// older state. Default: inside the data folder.
    #[schemars(example = "/other-volume/orderkeep.mark")]
    pub(crate) mark_path: Option<PathBuf>,
    /// What keeps the data: `sled` (the default) or `redb` (docs/stores.md). A data folder stays with the one that it was
    /// made with. `--store`
    #[schemars(with = "Option<String>", example = &"sled")]
    pub(crate) store: Option<Backend>,
    /// How long opening the store may take before the process ends with exit code 75. After a crash everything that was
    /// written since the last start is read again.
    #[schemars(example = "5m")]
    pub(crate) open_timeout: Option<Span>,
    /// How long orders that have ended, and what is in the feed of events, are kept: at least an hour. Without it, for ever.
    /// Orders that are open, listened to or under review stay with their whole history; so does what a webhook endpoint has
    /// not got (docs/stores.md).
    #[schemars(example = "2160h")]
    pub(crate) retention: Option<Span>,
    /// How long the keys, locks and provider orders of orders that were let go of are still known, so that none of them is
    /// begun again. Without it, for ever.
    #[schemars(example = "8760h")]
    pub(crate) tombstones: Option<Span>,
    /// Where API and webhooks are served. `--listen`
    #[serde(deserialize_with = "listen::one")]
    #[schemars(with = "String")]
    pub(crate) listen: SocketAddr,
    /// A file with a token that may do everything, sent as `Authorization: Bearer`, beside the keys that `orderkeep keys
    /// create` makes. One or the other is needed beyond loopback. `--api-token-file`
    #[schemars(example = "/etc/orderkeep/api-token")]
    pub(crate) api_token_file: Option<PathBuf>,
    /// The variable that holds it instead.
    #[serde(skip)]
    pub(crate) api_token_variable: Option<String>,
    /// Something in front speaks TLS with the callers. Without it, and without `tls_cert_file`, nothing is served beyond
    /// loopback.
    pub(crate) behind_proxy: bool,
    /// Speak TLS: a PEM file with the certificate and what leads to its root, read anew when it changes.
    #[schemars(example = "/etc/orderkeep/tls.crt")]
    pub(crate) tls_cert_file: Option<PathBuf>,
    /// A PEM file with the certificate's private key.
    #[schemars(example = "/etc/orderkeep/tls.key")]
    pub(crate) tls_key_file: Option<PathBuf>,
    /// The account `default`. Further ones: `[accounts.NAME]` with the same keys.
    pub(crate) provider: Option<ProviderSettings>,
    /// Further accounts.
    #[schemars(with = "BTreeMap<String, ProviderSettings>")]
    pub(crate) accounts: BTreeMap<AccountId, ProviderSettings>,
    pub(crate) limits: LimitsSettings,
    pub(crate) budget: BudgetSettings,
    pub(crate) policy: PolicySettings,
    pub(crate) webhooks: WebhookSettings,
    pub(crate) otlp: OtlpSettings,
    /// Which create answers may be sent again, by the provider's code: `send_again`, `hold`, `lock_invalid`, `unknown`.
    /// Built in: `P403 = "hold"`, `P462 = "lock_invalid"`; everything ambiguous (P500, P501, timeouts) is unknown.
    #[schemars(with = "BTreeMap<String, String>", example = BTreeMap::from([("P501", "unknown")]))]
    pub(crate) answers: BTreeMap<String, CreateVerdict>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: PathBuf::from("data"),
            mark_path: None,
            store: None,
            open_timeout: None,
            retention: None,
            tombstones: None,
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7070),
            api_token_file: None,
            api_token_variable: None,
            behind_proxy: false,
            tls_cert_file: None,
            tls_key_file: None,
            provider: None,
            accounts: BTreeMap::new(),
            limits: LimitsSettings::default(),
            budget: BudgetSettings::default(),
            policy: PolicySettings::default(),
            webhooks: WebhookSettings::default(),
            otlp: OtlpSettings::default(),
            answers: BTreeMap::new(),
        }
    }
}

/// What the file, the environment and the flags say together.
pub(crate) fn load(args: &ServeArgs) -> Result<Settings, Failure> {
    Layers::of(args)?.settings()
}

impl Settings {
    /// The token that may do everything, if there is one.
    pub(crate) fn api_token(&self) -> Result<Option<SecretString>, Failure> {
        let variable = self.api_token_variable.as_deref();
        secrets::one_place("api_token_file", self.api_token_file.is_some(), variable)
            .map_err(Failure::config)?;
        match (&self.api_token_file, variable) {
            (Some(file), _) => secrets::in_file(file).map(Some),
            (None, Some(variable)) => secrets::in_variable(variable).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// All accounts by name.
    pub(crate) fn accounts(&self) -> Result<BTreeMap<AccountId, ProviderSettings>, Failure> {
        let mut accounts = self.accounts.clone();
        if let Some(provider) = &self.provider
            && accounts.insert(AccountId::main(), provider.clone()).is_some()
        {
            return Err(Failure::config(
                "account `default` is both [provider] and [accounts.default]; keep one",
            ));
        }
        if accounts.is_empty() {
            return Err(Failure::config(
                "no provider is configured: give --provider-url, --api-key-file and --webhook-token-file, or a [provider] table in the file named by --config",
            ));
        }
        Ok(accounts)
    }

    /// How long opening the store may take.
    pub(crate) fn open_timeout(&self) -> Option<Duration> {
        self.open_timeout.map(|span| span.0)
    }

    /// The two files of own TLS; both or neither.
    pub(crate) fn tls(&self) -> Result<Option<(&Path, &Path)>, Failure> {
        match (&self.tls_cert_file, &self.tls_key_file) {
            (Some(cert), Some(key)) => Ok(Some((cert, key))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(Failure::config("`tls_cert_file` without `tls_key_file`")),
            (None, Some(_)) => Err(Failure::config("`tls_key_file` without `tls_cert_file`")),
        }
    }
}
