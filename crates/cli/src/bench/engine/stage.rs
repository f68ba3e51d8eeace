//! The two processes of a run: the stand-in provider and what is measured. Both are killed when it is over.

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::process::Child;

use super::{BenchArm, Measured, TIMES, Webhooks, load::Callers, plan::Plan};
use crate::{
    bench::{child, process},
    client::Client,
    demo::free_port,
    exit::Failure,
};

/// How long a process may take to be there.
const START: Duration = Duration::from_secs(30);

/// Both processes, ready.
#[derive(Debug)]
pub(super) struct Stage {
    plan: Plan,
    provider_url: String,
    engine_url: String,
    control: Client,
    engine_client: Client,
    provider: Child,
    engine: Child,
}

impl Stage {
    pub(super) async fn start(
        folder: &Path,
        arm: BenchArm,
        webhooks: Webhooks,
        early_twin: bool,
    ) -> Result<Self, Failure> {
        let plan = Plan::new(folder);
        plan.write_provider_config()?;
        let this = std::env::current_exe().map_err(Failure::failed)?;
        let mut provider = child::spawn(&this, folder, "provider", |command| {
            command.arg("sandbox").arg("--config").arg(plan.provider_config());
        })?;
        let said = child::first_line(&mut provider, START).await?;
        let url = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
        let (provider_url, control) = (url("url"), Client::new(&url("controlUrl"), None)?);

        let port = free_port(rand::random()).map_err(Failure::failed)?;
        let listen = SocketAddr::from(([127, 0, 0, 1], port));
        let engine_url = format!("http://{listen}");
        plan.write_engine_config(&provider_url, listen, webhooks)?;
        let webhook_url = format!("{engine_url}/webhooks/p100");
        control.post("/_control/config", &json!({ "webhook_url": webhook_url })).await?.good()?;
        let engine = child::spawn(&this, folder, arm.name(), |command| {
            command.args(["bench", "engine", "--serve", arm.name()]);
            command.arg("--config").arg(plan.engine_config());
            if early_twin {
                command.arg("--early-twin");
            }
        })?;
        let engine_client = Client::new(&engine_url, None)?;
        let mut stage =
            Self { plan, provider_url, engine_url, control, engine_client, provider, engine };
        stage.ready(arm).await?;
        Ok(stage)
    }

    async fn ready(&mut self, arm: BenchArm) -> Result<(), Failure> {
        const LOOK_EVERY: Duration = Duration::from_millis(5);
        let give_up = Instant::now() + START;
        loop {
            if self.engine_client.get("/healthz").await.is_ok_and(|found| found.status.is_success())
            {
                return Ok(());
            }
            let ended = self.engine.try_wait().map_err(Failure::failed)?;
            if ended.is_some() || Instant::now() >= give_up {
                let log = self.plan.folder.join(format!("{}.log", arm.name()));
                let log = std::fs::read_to_string(log).unwrap_or_default();
                let why = log.lines().last().unwrap_or("it says nothing");
                return Err(Failure::failed(format_args!("{} does not start: {why}", arm.name())));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub(super) fn callers(&self) -> Result<Callers, Failure> {
        Callers::new(&self.provider_url, &self.plan.api_key, &self.engine_url)
    }

    /// CPU time of what is measured, so far.
    pub(super) fn engine_cpu_us(&self) -> Option<f64> {
        process::cpu_us_of(self.engine.id()?)
    }

    /// What the provider counted.
    pub(super) async fn ledger_summary(&self) -> Result<Value, Failure> {
        self.control.get("/_control/ledger/summary").await?.good()
    }

    /// What the engine's process measured.
    pub(super) async fn times(&self) -> Result<Measured, Failure> {
        let times = self.engine_client.get(TIMES).await?.good()?;
        serde_json::from_value(times).map_err(Failure::failed)
    }

    pub(super) async fn stop(mut self) {
        drop(self.engine.kill().await);
        drop(self.provider.kill().await);
    }
}
