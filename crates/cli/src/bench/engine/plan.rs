//! What one run is made of: the provider's delays, its credentials, and the two processes' configurations.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use super::Webhooks;
use crate::exit::Failure;

/// The provider's side: an address after 100 ms, paid at once, confirmed and executed after 20 ms each.
///
/// Faster, and webhooks would come before the answer to the create is durable, which no real provider's do.
const MODEL: &str = r#"[model]
lock_ttl_ms = 120000
wallet_delay_ms = 100
required_confirmations = 1
confirmation_interval_ms = 20
execution_delay_ms = 20
webhook_each_confirmation = false
second_create = "second_order"
auto_pay = { after_ms = 0 }
"#;

/// Secrets and files of one run.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) folder: PathBuf,
    pub(super) api_key: String,
    webhook_token: String,
}

impl Plan {
    pub(super) fn new(folder: &Path) -> Self {
        let word = || uuid::Uuid::new_v4().to_string();
        Self { folder: folder.to_owned(), api_key: word(), webhook_token: word() }
    }

    pub(super) fn provider_config(&self) -> PathBuf {
        self.folder.join("provider.toml")
    }

    pub(super) fn engine_config(&self) -> PathBuf {
        self.folder.join("engine.toml")
    }

    pub(super) fn write_provider_config(&self) -> Result<(), Failure> {
        let (api_key, webhook_token) = (&self.api_key, &self.webhook_token);
        let text = format!(
            "api_key = \"{api_key}\"\nwebhook_token = \"{webhook_token}\"\nwebhooks_in_flight = 256\n\n{MODEL}"
        );
        write(&self.provider_config(), &text)
    }

    /// No budget holds the calls back, and no order lives long enough to be polled: what is measured is the engine.
    pub(super) fn write_engine_config(
        &self,
        provider_url: &str,
        listen: SocketAddr,
        webhooks: Webhooks,
    ) -> Result<(), Failure> {
        write(&self.folder.join("api-key"), &self.api_key)?;
        write(&self.folder.join("webhook-token"), &self.webhook_token)?;
        let folder = self.folder.display();
        let trust = webhooks == Webhooks::Trust;
        let text = format!(
            r#"data = "{folder}/engine"
listen = "{listen}"

[provider]
base_url = "{provider_url}"
api_key_file = "{folder}/api-key"
webhook_token_files = ["{folder}/webhook-token"]

[budget]
per_second = 100000.0
burst = 10000
concurrent = 256

[policy]
trust_claimed_address = {trust}
trust_claimed_executed = {trust}
trust_claimed_failed = {trust}
poll_wallet = ["60s", "120s"]
poll_payment = ["60s", "120s"]
poll_confirming = ["60s", "120s"]
poll_watch = ["1h", "2h"]
"#
        );
        write(&self.engine_config(), &text)
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .map_err(|error| Failure::failed(format_args!("cannot write {}: {error}", path.display())))
}
