//! The stand-in provider as a process of its own.

use std::{process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::plan::Plan;
use crate::{client::Client, exit::Failure};

/// How long a process may take to say that it is there.
const START: Duration = Duration::from_secs(30);

/// The running provider. Killed when it is dropped.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) url: String,
    pub(super) control: Client,
    process: Child,
}

pub(super) async fn start(plan: &Plan) -> Result<Provider, Failure> {
    plan.write_provider_config()?;
    let log = std::fs::File::create(plan.folder.join("provider.log")).map_err(Failure::failed)?;
    let mut process = Command::new(std::env::current_exe().map_err(Failure::failed)?)
        .arg("sandbox")
        .arg("--config")
        .arg(plan.provider_config())
        .arg("--faults")
        .arg(plan.faults.name())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .map_err(Failure::failed)?;
    let stdout =
        process.stdout.take().ok_or_else(|| Failure::failed("the provider has no output"))?;
    let mut line = String::new();
    tokio::time::timeout(START, BufReader::new(stdout).read_line(&mut line))
        .await
        .map_err(|_| Failure::failed("the provider does not start"))?
        .map_err(Failure::failed)?;
    let said: Value = serde_json::from_str(&line).map_err(|_| {
        Failure::failed(format_args!(
            "the provider did not start; see {}",
            plan.folder.join("provider.log").display()
        ))
    })?;
    let url = said["url"].as_str().unwrap_or_default().to_owned();
    let control = Client::new(said["controlUrl"].as_str().unwrap_or_default(), None)?;
    Ok(Provider { url, control, process })
}

impl Provider {
    pub(super) async fn send_webhooks_to(&self, url: &str) -> Result<(), Failure> {
        self.control
            .post("/_control/config", &json!({ "webhook_url": url }))
            .await?
            .good()
            .map(drop)
    }

    pub(super) async fn stop(mut self) {
        drop(self.process.kill().await);
    }
}
