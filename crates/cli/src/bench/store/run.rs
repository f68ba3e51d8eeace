//! One store under one load, in this process and no other, so that memory and CPU are its own.

use std::time::{Duration, Instant};

use super::{
    arm::Arm,
    load::{self, Plan},
    report::Figures,
};
use crate::{
    bench::{
        args::{BenchStore, BenchStoreArgs},
        disk,
        life::Life,
        process,
    },
    exit::Failure,
};

pub(super) async fn run(
    args: &BenchStoreArgs,
    store: BenchStore,
    inflight: usize,
) -> Result<Figures, Failure> {
    let folder = disk::folder(args.data.as_deref())?;
    let sync_before = disk::fdatasync_us(folder.path())?;
    let arm = Arm::open(store, folder.path())?;
    let cpu_before = process::cpu_us();
    let started = Instant::now();
    let plan = Plan { inflight, orders: args.orders, time: Duration::from_secs(args.seconds_max) };
    let done = load::run(&arm, plan).await?;
    // The rows behind the journal are part of the work.
    let size = arm.settle(folder.path()).await?;
    let took = started.elapsed().as_secs_f64();
    let cpu = process::cpu_us().zip(cpu_before).map(|(after, before)| after - before);
    let rss = process::peak_rss();
    let sync_after = disk::fdatasync_us(folder.path())?;
    let transitions = done.orders * Life::STEPS;
    let per_order = |bytes: u64| bytes as f64 / done.orders as f64;
    Ok(Figures {
        store: store.name().to_owned(),
        inflight,
        orders: done.orders,
        transitions_per_s: transitions as f64 / took,
        ratio_to_raw: None,
        fdatasync_us: f64::midpoint(sync_before, sync_after),
        commit_p50_us: done.commits.value_at_quantile(0.5),
        commit_p99_us: done.commits.value_at_quantile(0.99),
        cpu_us_per_transition: cpu.map(|cpu| cpu / transitions as f64),
        bytes_per_order: per_order(size.bytes.saturating_sub(size.evidence_bytes)),
        evidence_bytes_per_order: per_order(size.evidence_bytes),
        rss_mb: rss.map(|bytes| bytes as f64 / 1e6),
    })
}
