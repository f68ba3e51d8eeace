//! `orderkeep bench parked`: many open orders that wait for their payers, and an engine that is started over them.
//!
//! The orders are stored by this process; the engine runs in another one, so that its memory is its own. One of the
//! orders is due at once: work due must cost by what is due, never by what is stored.

mod instrument;
pub(super) mod load;
mod measure;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::{disk, life::Names};
use crate::{
    args::OutputFormat,
    bench::args::BenchParkedArgs,
    exit::{Failure, say},
    output,
};

/// What was measured.
#[derive(Debug, Serialize, Deserialize)]
struct Figures {
    orders: u64,
    /// Resident, over the same engine on an empty store.
    rss_bytes_per_order: Option<f64>,
    /// Until the store was open, its files out of the page cache.
    open_cold_s: f64,
    /// From the beginning of the open until the provider was asked about the order that was due.
    first_due_s: f64,
    /// By our id, the lock or the provider's id, at the median, while other orders are written.
    lookup_p50_us: u64,
    /// On the disk, the bodies of webhooks among them.
    bytes_per_order: f64,
}

/// What the other process needs to know of the orders.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    orders: u64,
    /// Some of them, to be looked up.
    pub(super) sample: Vec<Names>,
    bytes: u64,
}

pub(super) fn store_folder(folder: &Path) -> PathBuf {
    folder.join("store")
}

fn stored_file(folder: &Path) -> PathBuf {
    folder.join("stored.json")
}

pub(super) async fn run(args: BenchParkedArgs) -> Result<(), Failure> {
    if let Some(folder) = &args.measure {
        output::json(&measure::run(folder).await?);
        return Ok(());
    }
    let folder = disk::folder(args.data.as_deref())?;
    say(format_args!("storing {} orders ...", args.orders));
    let stored = load::run(folder.path(), args.orders).await?;
    let text = serde_json::to_vec(&stored).map_err(Failure::failed)?;
    std::fs::write(stored_file(folder.path()), text).map_err(Failure::failed)?;
    drop_from_cache(&store_folder(folder.path())).await?;
    say("starting an engine over them ...");
    let figures = measure_apart(folder.path()).await?;
    match args.output {
        OutputFormat::Json => output::json(&figures),
        OutputFormat::Table => output::table(
            [
                "orders",
                "RSS bytes/order",
                "open cold s",
                "first due s",
                "look-up p50 us",
                "bytes/order",
            ],
            [[
                figures.orders.to_string(),
                figures.rss_bytes_per_order.map_or("-".to_owned(), |bytes| format!("{bytes:.0}")),
                format!("{:.2}", figures.open_cold_s),
                format!("{:.2}", figures.first_due_s),
                figures.lookup_p50_us.to_string(),
                format!("{:.0}", figures.bytes_per_order),
            ]],
        ),
    }
    Ok(())
}

async fn measure_apart(folder: &Path) -> Result<Figures, Failure> {
    let program = std::env::current_exe().map_err(Failure::failed)?;
    let output = Command::new(program)
        .args(["bench", "parked", "--measure"])
        .arg(folder)
        .stderr(std::process::Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(Failure::failed)?;
    if !output.status.success() {
        return Err(Failure::failed(format_args!("the measurement ended with {}", output.status)));
    }
    serde_json::from_slice(&output.stdout).map_err(Failure::failed)
}

/// Has the kernel forget what it keeps of the files in a folder, with the system's `dd`; other files are left alone.
async fn drop_from_cache(folder: &Path) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder).map_err(Failure::failed)? {
        let entry = entry.map_err(Failure::failed)?;
        if entry.file_type().map_err(Failure::failed)?.is_dir() {
            Box::pin(drop_from_cache(&entry.path())).await?;
            continue;
        }
        let mut input = std::ffi::OsString::from("if=");
        input.push(entry.path());
        let done = Command::new("dd")
            .arg(input)
            .args(["iflag=nocache", "count=0", "status=none"])
            .status()
            .await;
        if !done.is_ok_and(|status| status.success()) {
            say(
                "the page cache could not be emptied (`dd` is missing?): the open is not a cold one",
            );
            return Ok(());
        }
    }
    Ok(())
}
