//! The processes that a benchmark starts: their words to us are lines, the rest of what they say is in a log.

use std::{fs::OpenOptions, path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::exit::Failure;

/// Starts `program`, which is killed when it is dropped. Its log `NAME.log` goes on where an earlier life's ended.
pub(super) fn spawn(
    program: &Path,
    folder: &Path,
    name: &str,
    with: impl FnOnce(&mut Command),
) -> Result<Child, Failure> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join(format!("{name}.log")))
        .map_err(Failure::failed)?;
    let mut command = Command::new(program);
    with(&mut command);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .map_err(Failure::failed)
}

/// What the provider says first, once it is there.
pub(super) async fn first_line(process: &mut Child, within: Duration) -> Result<Value, Failure> {
    let stdout = process.stdout.take().ok_or_else(|| Failure::failed("no output"))?;
    let mut line = String::new();
    tokio::time::timeout(within, BufReader::new(stdout).read_line(&mut line))
        .await
        .map_err(|_| Failure::failed("the provider does not start"))?
        .map_err(Failure::failed)?;
    serde_json::from_str(&line).map_err(|_| Failure::failed("the provider did not start"))
}
