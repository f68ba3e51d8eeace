//! What a demo run is made of: its seed, its times, and the two processes' configurations.

use std::{fs, path::PathBuf, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    args::{DemoArgs, Faults, Twin},
    exit::Failure,
};

/// Provider time runs this many times as fast, so that minutes of waiting become seconds.
const TIME_FACTOR: u32 = 20;
/// How long a lock lasts, in provider time: ten seconds on the wall.
const LOCK_TTL: Duration = Duration::from_secs(200);
/// How long a payer has, in provider time: ten seconds on the wall.
const ORDER_TTL: Duration = Duration::from_secs(200);

/// One run.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) orders: u32,
    pub(super) kills: u32,
    pub(super) faults: Faults,
    pub(super) seed: u64,
    pub(super) twin: Option<Twin>,
    pub(super) folder: PathBuf,
    pub(super) api_key: String,
    pub(super) webhook_token: String,
}

impl Plan {
    pub(super) fn new(args: &DemoArgs, folder: PathBuf) -> Self {
        let seed = args.seed.unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
        Self {
            orders: args.orders,
            kills: args.kills,
            faults: args.faults,
            seed,
            twin: args.twin,
            folder,
            api_key: uuid::Uuid::new_v4().to_string(),
            webhook_token: uuid::Uuid::new_v4().to_string(),
        }
    }

    /// Random choices of one kind (kills, payers): the same for the same seed.
    pub(super) fn rng(&self, kind: u64) -> StdRng {
        StdRng::seed_from_u64(self.seed.wrapping_mul(1_000_003).wrapping_add(kind))
    }

    /// The longest an engine lives between two kills.
    pub(super) const fn life_longest(&self) -> Duration {
        // Few kills: long enough to see orders through. A campaign: no longer than it takes to be at work.
        Duration::from_millis(if self.kills <= 20 { 1_500 } else { 400 })
    }

    /// The wait between two submits: orders should come for as long as the engine is killed.
    pub(super) fn submit_every(&self) -> Duration {
        (self.life_longest() / 2 * self.kills / self.orders.max(1)).max(Duration::from_millis(4))
    }

    pub(super) fn provider_config(&self) -> PathBuf {
        self.folder.join("provider.toml")
    }

    pub(super) fn engine_config(&self) -> PathBuf {
        self.folder.join("engine.toml")
    }

    pub(super) fn write_provider_config(&self) -> Result<(), Failure> {
        let text = format!(
            r#"bind = "127.0.0.1:0"
control_bind = "127.0.0.1:0"
api_key = "{api_key}"
webhook_token = "{webhook_token}"
webhook_timeout_ms = 1000
time_factor = {TIME_FACTOR}
seed = {seed}

[model]
lock_ttl_ms = {lock_ttl}
order_ttl_ms = {order_ttl}
wallet_delay_ms = 2000
wallet_delay_spread_ms = 4000
required_confirmations = 3
confirmation_interval_ms = 4000
execution_delay_ms = 2000
second_create = "second_order"
"#,
            api_key = self.api_key,
            webhook_token = self.webhook_token,
            seed = self.seed,
            lock_ttl = LOCK_TTL.as_millis(),
            order_ttl = ORDER_TTL.as_millis(),
        );
        write(&self.provider_config(), &text)
    }

    pub(super) fn write_engine_config(&self, provider_url: &str, port: u16) -> Result<(), Failure> {
        write(&self.folder.join("api-key"), &self.api_key)?;
        write(&self.folder.join("webhook-token"), &self.webhook_token)?;
        // A wallet and a webhook's tries after the lock's last moment, and the payer's time.
        let window = ORDER_TTL / TIME_FACTOR + Duration::from_secs(2);
        let text = format!(
            r#"data = "{folder}/engine"
listen = "127.0.0.1:{port}"

[provider]
base_url = "{provider_url}"
api_key_file = "{folder}/api-key"
webhook_token_files = ["{folder}/webhook-token"]
connect_timeout = "500ms"
read_timeout = "2s"
create_timeout = "2s"

[budget]
per_second = 400.0
burst = 100
concurrent = 64
failures_to_open = 20
open_for_first = "100ms"
open_for_longest = "1s"
denied_for = "1s"

[policy]
lock_margin = "300ms"
create_timeout = "4s"
create_backoff = ["100ms", "800ms"]
provider_order_window = "{window}s"
unknown_create_review_after = "10m"
poll_wallet = ["200ms", "2s"]
poll_payment = ["300ms", "2s"]
poll_confirming = ["200ms", "1s"]
poll_watch = ["5s", "60s"]
"#,
            folder = self.folder.display(),
            window = window.as_secs(),
        );
        write(&self.engine_config(), &text)
    }
}

/// Writes a file that only its owner can read: it may hold a secret.
fn write(path: &std::path::Path, text: &str) -> Result<(), Failure> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Failure::failed(format_args!("cannot write {}: {error}", path.display())))
}
