//! The processes: the stand-in provider, and the daemon's lives one after the other.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::process::{Child, Command};

use super::callers::Acknowledged;
use crate::{
    bench::{child, parked},
    client::Client,
    demo::free_port,
    exit::Failure,
};

/// How long a process may take to be there, or to end.
const PATIENCE: Duration = Duration::from_secs(120);

/// An address soon, paid at once, executed soon: the callers' orders live through all their states.
const MODEL: &str = "[model]\nlock_ttl_ms = 120000\nwallet_delay_ms = 300\nrequired_confirmations = 1\n\
                     confirmation_interval_ms = 100\nexecution_delay_ms = 100\nsecond_create = \"second_order\"\n\
                     auto_pay = { after_ms = 200 }\n";

/// How a life ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    Terminate,
    Kill,
}

impl End {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::Kill => "SIGKILL",
        }
    }
}

/// Everything but the daemon's process.
#[derive(Debug)]
pub(super) struct Stage {
    program: PathBuf,
    folder: PathBuf,
    pub(super) provider_url: String,
    pub(super) api_key: String,
    pub(super) engine_url: String,
    control: Client,
    engine: Client,
    _provider: Child,
}

/// One life.
#[derive(Debug)]
pub(super) struct Daemon(Child);

impl Stage {
    pub(super) async fn new(folder: &Path, program: Option<PathBuf>) -> Result<Self, Failure> {
        let this = std::env::current_exe().map_err(Failure::failed)?;
        let program = program.unwrap_or_else(|| this.clone());
        let word = || uuid::Uuid::new_v4().to_string();
        let (api_key, token) = (word(), word());
        let port = free_port(rand::random()).map_err(Failure::failed)?;
        let listen = SocketAddr::from(([127, 0, 0, 1], port));
        let engine_url = format!("http://{listen}");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text).map_err(Failure::failed)
        };
        write("api-key", &api_key)?;
        write("webhook-token", &token)?;
        write(
            "provider.toml",
            &format!(
                "api_key = \"{api_key}\"\nwebhook_token = \"{token}\"\n\
                 webhook_url = \"{engine_url}/webhooks/p100\"\n\n{MODEL}"
            ),
        )?;
        let mut provider = child::spawn(&this, folder, "provider", |command| {
            command.args(["sandbox", "--config"]).arg(folder.join("provider.toml"));
        })?;
        let said = child::first_line(&mut provider, PATIENCE).await?;
        let url = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
        let (provider_url, control) = (url("url"), Client::new(&url("controlUrl"), None)?);
        let shown = folder.display();
        let data = parked::store_folder(folder);
        // The orders that wait are not the stand-in's: reads of them would only say so.
        write(
            "engine.toml",
            &format!(
                "data = \"{}\"\nlisten = \"{listen}\"\n\n[provider]\nbase_url = \"{provider_url}\"\n\
                 api_key_file = \"{shown}/api-key\"\nwebhook_token_files = [\"{shown}/webhook-token\"]\n\n\
                 [budget]\nper_second = 1000.0\nburst = 1000\nconcurrent = 64\n\n\
                 [policy]\npoll_payment = [\"720h\", \"720h\"]\n\n\
                 [limits]\nkey_per_second = 100000.0\n",
                data.display()
            ),
        )?;
        let engine = Client::new(&engine_url, None)?;
        Ok(Self {
            program,
            folder: folder.to_owned(),
            provider_url,
            api_key,
            engine_url,
            control,
            engine,
            _provider: provider,
        })
    }

    /// Returns when it is ready.
    pub(super) async fn start(&self) -> Result<Daemon, Failure> {
        const LOOK_EVERY: Duration = Duration::from_millis(5);
        let config = self.folder.join("engine.toml");
        let mut daemon = child::spawn(&self.program, &self.folder, "engine", |command| {
            command.args(["serve", "--config"]).arg(config).env("ORDERKEEP_LOG", "warn");
        })?;
        let give_up = Instant::now() + PATIENCE;
        loop {
            if self.engine.get("/readyz").await.is_ok_and(|answer| answer.status.is_success()) {
                return Ok(Daemon(daemon));
            }
            let ended = daemon.try_wait().map_err(Failure::failed)?;
            if ended.is_some() || Instant::now() >= give_up {
                let log = std::fs::read_to_string(self.folder.join("engine.log"));
                let log = log.unwrap_or_default();
                let why = log.lines().last().unwrap_or("it says nothing");
                return Err(Failure::failed(format_args!("the daemon does not start: {why}")));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// How many of these are not there, or are not what they were.
    pub(super) async fn missing(&self, known: &[Acknowledged]) -> Result<usize, Failure> {
        let mut missing = 0;
        for order in known {
            let answer = self.engine.get(&format!("/v1/orders/{}", order.id)).await?;
            let there = answer.status.is_success()
                && answer.body["terms"]["lockId"] == json!(order.lock_id);
            missing += usize::from(!there);
        }
        Ok(missing)
    }

    /// By the provider's own books.
    pub(super) async fn duplicate_creates(&self) -> Result<u64, Failure> {
        let summary = self.control.get("/_control/ledger/summary").await?.good()?;
        let count = |name: &str| summary[name].as_u64();
        let counts = [count("locks_with_several_orders"), count("locks_resent_after_ambiguous")];
        let sum = counts.into_iter().sum::<Option<u64>>();
        sum.ok_or_else(|| Failure::failed(format_args!("these are no books: {summary}")))
    }
}

impl Daemon {
    /// Ends it; how long that took.
    pub(super) async fn end(mut self, how: End) -> Result<Duration, Failure> {
        if let Some(status) = self.0.try_wait().map_err(Failure::failed)? {
            return Err(Failure::failed(format_args!("the daemon ended by itself: {status}")));
        }
        let started = Instant::now();
        match how {
            End::Kill => self.0.start_kill().map_err(Failure::failed)?,
            End::Terminate => {
                let id = self.0.id().unwrap_or_default().to_string();
                let sent = Command::new("kill").args(["-TERM", &id]).status().await;
                if !sent.is_ok_and(|status| status.success()) {
                    return Err(Failure::failed("SIGTERM could not be sent: is there no `kill`?"));
                }
            }
        }
        tokio::time::timeout(PATIENCE, self.0.wait())
            .await
            .map_err(|_| Failure::failed("the daemon does not end"))?
            .map_err(Failure::failed)?;
        Ok(started.elapsed())
    }
}
