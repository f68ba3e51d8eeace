//! `orderkeep bench store`: whole lives of orders through each store, beside the physical limit of the same disk.
//!
//! Every store and every load runs in a process of its own, in turns: disks and machines have better and worse minutes,
//! and a ratio is only worth something when both its sides had the same one.

mod arm;
mod load;
mod report;
mod run;

use tokio::process::Command;

use crate::{
    args::OutputFormat,
    bench::args::{BenchStore, BenchStoreArgs},
    exit::{Failure, say},
};
use report::Figures;

pub(super) async fn run(args: BenchStoreArgs) -> Result<(), Failure> {
    if let ([store], [inflight], true) = (&args.store[..], &args.inflight[..], args.alone) {
        let figures = run::run(&args, *store, *inflight).await?;
        report::print(&[figures], args.output);
        return Ok(());
    }
    let mut all = Vec::new();
    for inflight in &args.inflight {
        let raw = alone(&args, BenchStore::Raw, *inflight).await?;
        for store in wanted(&args) {
            let mut figures = match store {
                BenchStore::Raw => raw.clone(),
                BenchStore::Sled | BenchStore::Redb | BenchStore::RedbPlain => {
                    alone(&args, store, *inflight).await?
                }
            };
            figures.ratio_to_raw = Some(figures.transitions_per_s / raw.transitions_per_s);
            if args.output == OutputFormat::Json {
                report::print(std::slice::from_ref(&figures), args.output);
            }
            all.push(figures);
        }
    }
    if args.output == OutputFormat::Table {
        report::print(&all, args.output);
    }
    Ok(())
}

fn wanted(args: &BenchStoreArgs) -> Vec<BenchStore> {
    if args.store.is_empty() { BenchStore::ALL.to_vec() } else { args.store.clone() }
}

/// Measures one store under one load, in a process of its own.
async fn alone(
    args: &BenchStoreArgs,
    store: BenchStore,
    inflight: usize,
) -> Result<Figures, Failure> {
    say(format_args!("{} with {inflight} in flight ...", store.name()));
    let program = std::env::current_exe().map_err(Failure::failed)?;
    let mut command = Command::new(program);
    command
        .args(["bench", "store", "--alone", "--output", "json", "--store", store.name()])
        .args(["--inflight", &inflight.to_string(), "--orders", &args.orders.to_string()])
        .args(["--seconds-max", &args.seconds_max.to_string()])
        .stderr(std::process::Stdio::inherit())
        .kill_on_drop(true);
    if let Some(data) = &args.data {
        command.arg("--data").arg(data);
    }
    let output = command.output().await.map_err(Failure::failed)?;
    if !output.status.success() {
        return Err(Failure::failed(format_args!(
            "the measurement of {} with {inflight} in flight ended with {}",
            store.name(),
            output.status
        )));
    }
    serde_json::from_slice(&output.stdout).map_err(Failure::failed)
}
