//! One credential of the provider, and the client made from it.

use std::{collections::BTreeMap, path::PathBuf};

use orderkeep::{
    AccountId, ProviderStatus,
    p100::{P100Config, Secret},
};
use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{Span, secrets};
use crate::exit::Failure;

/// The account `default`. Further ones: `[accounts.NAME]` with the same keys.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProviderSettings {
    /// The provider's base address. `--provider-url`, `ORDERKEEP_PROVIDER_URL`
    #[schemars(example = "https://partner-api-stage.p100.io")]
    pub(crate) base_url: String,
    /// A file that holds the API key alone. `--api-key-file`, `ORDERKEEP_API_KEY_FILE`
    #[schemars(example = "/etc/orderkeep/api-key")]
    pub(crate) api_key_file: PathBuf,
    /// The variable that holds it instead.
    #[serde(skip)]
    pub(crate) api_key_variable: Option<String>,
    /// Files that hold a webhook token each: two while one replaces the other. `--webhook-token-file`
    #[schemars(example = ["/etc/orderkeep/webhook-token"])]
    pub(crate) webhook_token_files: Vec<PathBuf>,
    /// The variable that holds them instead, with commas between them.
    #[serde(skip)]
    pub(crate) webhook_tokens_variable: Option<String>,
    /// Where its webhooks arrive; of other accounts: `/webhooks/p100/NAME`. (assumed)
    #[schemars(example = "/webhooks/p100")]
    pub(crate) webhook_path: Option<String>,
    /// Where rates are asked for. (assumed)
    #[schemars(example = "/v1/order/get-rate")]
    pub(crate) rates_path: Option<String>,
    /// How long connecting may take.
    #[schemars(example = "5s")]
    pub(crate) connect_timeout: Option<Span>,
    /// How long a read may take.
    #[schemars(example = "15s")]
    pub(crate) read_timeout: Option<Span>,
    /// How long a create may take; giving up on one costs an unknown outcome.
    #[schemars(example = "30s")]
    pub(crate) create_timeout: Option<Span>,
    /// What the provider's words for a status mean, beside the built-in ones: `waiting_for_wallet`, `awaiting_payment`,
    /// `confirming`, `executed`, `expired`, `underpaid`, `failed`, `reversed`.
    #[schemars(with = "BTreeMap<String, String>", example = BTreeMap::from([("SETTLED", "executed")]))]
    pub(crate) statuses: BTreeMap<String, ProviderStatus>,
}

impl ProviderSettings {
    /// The client's configuration, its secrets read from where they are.
    pub(crate) fn p100(&self, account: &AccountId) -> Result<P100Config, Failure> {
        let wrong = |what: &str| Failure::config(format_args!("account `{account}`: {what}"));
        if self.base_url.is_empty() {
            return Err(wrong("`base_url` is missing; give --provider-url"));
        }
        let api_key = self.api_key().map_err(|why| wrong(&why))?;
        let mut config = P100Config::new(&self.base_url, api_key);
        config.webhook_tokens = self.webhook_tokens().map_err(|why| wrong(&why))?;
        if let Some(path) = &self.rates_path {
            config.paths.rates.clone_from(path);
        }
        for (word, status) in &self.statuses {
            config.statuses = config.statuses.with(word, status.clone());
        }
        let timeouts = &mut config.timeouts;
        timeouts.connect = self.connect_timeout.map_or(timeouts.connect, |span| span.0);
        timeouts.read = self.read_timeout.map_or(timeouts.read, |span| span.0);
        timeouts.create = self.create_timeout.map_or(timeouts.create, |span| span.0);
        Ok(config)
    }

    fn api_key(&self) -> Result<Secret, String> {
        let in_file = !self.api_key_file.as_os_str().is_empty();
        let variable = self.api_key_variable.as_deref();
        secrets::one_place("api_key_file", in_file, variable)?;
        match variable {
            Some(variable) => Secret::from_env(variable).map_err(|error| error.to_string()),
            None if in_file => {
                Secret::from_file(&self.api_key_file).map_err(|error| error.to_string())
            }
            None => Err("`api_key_file` is missing; give --api-key-file, or the key itself in \
                         ORDERKEEP_API_KEY"
                .to_owned()),
        }
    }

    fn webhook_tokens(&self) -> Result<Vec<Secret>, String> {
        let in_files = !self.webhook_token_files.is_empty();
        let variable = self.webhook_tokens_variable.as_deref();
        secrets::one_place("webhook_token_files", in_files, variable)?;
        match variable {
            Some(variable) => {
                let text = SecretString::from(std::env::var(variable).unwrap_or_default());
                let words = text.expose_secret().split(',').map(str::trim);
                let secret = |word: &str| {
                    Secret::new(word).map_err(|error| format!("the variable {variable}: {error}"))
                };
                words.map(secret).collect()
            }
            None if in_files => {
                let files = self.webhook_token_files.iter();
                files
                    .map(|file| Secret::from_file(file).map_err(|error| error.to_string()))
                    .collect()
            }
            None => Err("`webhook_token_files` is missing; give --webhook-token-file, or the \
                         token itself in ORDERKEEP_WEBHOOK_TOKEN"
                .to_owned()),
        }
    }

    /// Where its webhooks arrive.
    pub(crate) fn webhook_path(&self, account: &AccountId) -> String {
        self.webhook_path.clone().unwrap_or_else(|| {
            if *account == AccountId::main() {
                "/webhooks/p100".to_owned()
            } else {
                format!("/webhooks/p100/{account}")
            }
        })
    }
}
