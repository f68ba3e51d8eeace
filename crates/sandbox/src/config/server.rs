//! Configuration of the server: addresses, credentials, the speed of time.

use std::{fmt, net::SocketAddr};

use serde::Deserialize;

use super::{ConfigError, ModelConfig, TimestampView};
use crate::faults::FaultScript;

/// Fastest that provider time may run. Above this, one wall millisecond is longer than any useful delay.
const TIME_FACTOR_MAX: u32 = 100_000;

/// Most webhooks in flight that may be configured; each is one socket.
const IN_FLIGHT_MAX: usize = 1_024;

/// A credential. Neither `Debug` nor an error ever shows it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a credential.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Everything one sandbox needs. The defaults listen on an ephemeral loopback port.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxConfig {
    /// Where the provider's API and the control API listen.
    pub bind: SocketAddr,
    /// A second listener for the control API alone. It stays up while an outage has closed the first.
    pub control_bind: Option<SocketAddr>,
    /// The key that `x-api-key` must carry.
    pub api_key: Secret,
    /// Bearer token of the control API; open when `None`.
    pub control_token: Option<Secret>,
    /// Where webhooks go (`http://` only); events are kept as failed tries while it is `None`.
    pub webhook_url: Option<String>,
    /// The token that webhooks carry.
    pub webhook_token: Secret,
    /// Wall milliseconds a receiver has to answer.
    pub webhook_timeout_ms: u64,
    /// Webhooks under way at once.
    pub webhooks_in_flight: usize,
    /// Path of the rates. Not seen; assumed from a sister call.
    pub rates_path: String,
    /// Provider time runs this many times as fast as the wall.
    pub time_factor: u32,
    /// The clock that bodies are stamped with.
    pub timestamps: TimestampView,
    /// Seed of every random decision.
    pub seed: u64,
    /// The model's behaviour.
    pub model: ModelConfig,
    /// Faults from the start.
    pub faults: FaultScript,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            control_bind: None,
            api_key: Secret::new("sandbox-api-key"),
            control_token: None,
            webhook_url: None,
            webhook_token: Secret::new("sandbox-webhook-token"),
            webhook_timeout_ms: 10_000,
            webhooks_in_flight: 64,
            rates_path: "/v1/order/get-rate".to_owned(),
            time_factor: 1,
            timestamps: TimestampView::Wall,
            seed: 1,
            model: ModelConfig::default(),
            faults: FaultScript::default(),
        }
    }
}

impl SandboxConfig {
    /// Checks what the server itself depends on; the model and the script check their own parts.
    ///
    /// # Errors
    /// The first field that is out of its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !(1..=TIME_FACTOR_MAX).contains(&self.time_factor) {
            return Err(ConfigError::new("time_factor", format!("must be 1 to {TIME_FACTOR_MAX}")));
        }
        if !(1..=IN_FLIGHT_MAX).contains(&self.webhooks_in_flight) {
            return Err(ConfigError::new(
                "webhooks_in_flight",
                format!("must be 1 to {IN_FLIGHT_MAX}"),
            ));
        }
        if self.webhook_timeout_ms == 0 {
            return Err(ConfigError::new("webhook_timeout_ms", "must be above 0"));
        }
        if !self.rates_path.starts_with('/') || self.rates_path.contains(['{', '}', '*']) {
            return Err(ConfigError::new(
                "rates_path",
                "must be a plain path that starts with `/`",
            ));
        }
        let fixed = ["/v1/order", "/v1/order/lock-rate"];
        if fixed.contains(&self.rates_path.as_str())
            || self.rates_path.starts_with("/_control")
            || self.rates_path.starts_with("/v1/order/details/")
        {
            return Err(ConfigError::new("rates_path", "is already the path of another call"));
        }
        for (field, secret) in [("api_key", &self.api_key), ("webhook_token", &self.webhook_token)]
        {
            let visible = secret.expose().bytes().all(|b| (0x21..0x7f).contains(&b));
            if secret.expose().is_empty() || !visible {
                return Err(ConfigError::new(field, "must be visible ASCII without spaces"));
            }
        }
        self.model.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_out_of_debug() {
        let config = SandboxConfig {
            api_key: Secret::new("k-4711"),
            webhook_token: Secret::new("t-4712"),
            ..SandboxConfig::default()
        };
        let shown = format!("{config:?}");
        assert!(!shown.contains("k-4711") && !shown.contains("t-4712"), "{shown}");
    }

    #[test]
    fn bad_fields_are_named() {
        let broken = |change: fn(&mut SandboxConfig)| {
            let mut config = SandboxConfig::default();
            change(&mut config);
            config.check().unwrap_err().field
        };
        assert_eq!(broken(|c| c.time_factor = 0), "time_factor");
        assert_eq!(broken(|c| c.webhooks_in_flight = 0), "webhooks_in_flight");
        assert_eq!(broken(|c| c.rates_path = "/v1/order".to_owned()), "rates_path");
        assert_eq!(broken(|c| c.webhook_token = Secret::new("a\r\nb")), "webhook_token");
        assert_eq!(broken(|c| c.api_key = Secret::new("")), "api_key");
    }
}
