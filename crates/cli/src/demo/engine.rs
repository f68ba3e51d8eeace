//! The engine as a process of its own, to be killed.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::process::{Child, Command};

use super::Stage;
use crate::{args::Twin, exit::Failure};

/// How long an engine may take to answer after its start.
const START: Duration = Duration::from_secs(60);

/// A running engine. Killed when it is dropped.
#[derive(Debug)]
pub(super) struct EngineProcess {
    process: Child,
}

impl EngineProcess {
    pub(super) fn start(stage: &Stage) -> Result<Self, Failure> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(stage.plan.folder.join("engine.log"))
            .map_err(Failure::failed)?;
        let mut command = Command::new(std::env::current_exe().map_err(Failure::failed)?);
        command.arg("serve").arg("--config").arg(stage.plan.engine_config());
        match stage.plan.twin {
            None => {}
            Some(Twin::Resend) => {
                command.arg("--twin").arg("resend");
            }
        }
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(Failure::failed)?;
        Ok(Self { process })
    }

    /// Waits until it answers.
    pub(super) async fn ready(&mut self, stage: &Stage) -> Result<(), Failure> {
        const LOOK_EVERY: Duration = Duration::from_millis(5);
        let give_up = Instant::now() + START;
        loop {
            if stage.engine.get("/healthz").await.is_ok_and(|answer| answer.status.is_success()) {
                return Ok(());
            }
            let log = stage.plan.folder.join("engine.log");
            if let Some(status) = self.process.try_wait().map_err(Failure::failed)? {
                return Err(Failure::failed(format_args!(
                    "the engine ended by itself ({status}); see {}",
                    log.display()
                )));
            }
            if Instant::now() >= give_up {
                return Err(Failure::failed(format_args!(
                    "the engine does not answer; see {}",
                    log.display()
                )));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// SIGKILL, and nothing else.
    pub(super) async fn kill(mut self) -> Result<(), Failure> {
        if let Some(status) = self.process.try_wait().map_err(Failure::failed)? {
            return Err(Failure::failed(format_args!(
                "the engine ended by itself ({status}) before it was killed"
            )));
        }
        self.process.kill().await.map_err(Failure::failed)
    }

    pub(super) async fn stop(mut self) {
        drop(self.process.kill().await);
    }
}
