//! `orderkeep bench engine`: whole orders over HTTP, from the submit to the end.
//!
//! The stand-in provider and the engine are processes of their own on loopback; this one plays the callers. Beside the
//! engine runs a service that does the same exchange and keeps nothing, in turns, so that a busy minute is busy for
//! both. Then the engine alone, at half of its speed: how soon it acknowledges a webhook.

mod load;
mod null;
mod plan;
mod probe;
mod real;
mod report;
mod stage;

use std::time::Duration;

use super::{
    args::{BenchArm, BenchEngineArgs, Webhooks},
    disk,
};
use crate::exit::{Failure, say};
use load::Pace;
use real::Measured;
use report::{Figures, HalfLoad};
use stage::Stage;

/// How often the two take turns.
const ROUNDS: u64 = 2;

/// Orders at half load: enough for a 99th percentile, three webhooks each.
const HALF_LOAD_ORDERS: u64 = 3_000;

/// Where the engine's process tells its times.
const TIMES: &str = "/_bench/times";

pub(super) async fn run(args: BenchEngineArgs) -> Result<(), Failure> {
    if let (Some(arm), Some(config)) = (args.serve, &args.config) {
        return match arm {
            BenchArm::Engine => real::run(config, args.early_twin).await,
            BenchArm::Null => null::run(config).await,
        };
    }
    let arms: &[BenchArm] =
        if args.null { &[BenchArm::Null] } else { &[BenchArm::Null, BenchArm::Engine] };
    let folder = disk::folder(args.data.as_deref())?;
    let mut sums: Vec<Sum> = arms.iter().map(|arm| Sum::new(*arm)).collect();
    for round in 0..ROUNDS {
        let orders = args.orders / ROUNDS + u64::from(round < args.orders % ROUNDS);
        for sum in &mut sums {
            let what = format!("{}, round {} of {ROUNDS}", sum.arm.name(), round + 1);
            let run = one(&args, &folder, sum.arm, &what, orders, Pace::InFlight(args.inflight));
            sum.add(run.await?);
        }
    }
    let mut figures: Vec<_> = sums.iter().map(|sum| sum.figures(&args)).collect();
    report::compare(&mut figures);
    if let Some(engine) = figures.iter_mut().find(|figures| figures.arm == BenchArm::Engine.name())
    {
        let rate = engine.orders_per_s / 2.0;
        let orders = args.orders.min(HALF_LOAD_ORDERS);
        let run = one(&args, &folder, BenchArm::Engine, "half load", orders, Pace::PerSecond(rate))
            .await?;
        engine.duplicate_creates += run.duplicate_creates;
        engine.half_load(HalfLoad { rate, fdatasync_us: run.fdatasync_us, measured: run.measured });
    }
    report::print(&figures, args.output);
    report::judge(&figures)
}

/// One load on one process.
#[derive(Debug)]
struct Run {
    took: Duration,
    orders: u64,
    cpu_us: Option<f64>,
    latencies: load::Latencies,
    duplicate_creates: u64,
    reads: u64,
    fdatasync_us: f64,
    measured: Measured,
}

async fn one(
    args: &BenchEngineArgs,
    folder: &tempfile::TempDir,
    arm: BenchArm,
    what: &str,
    orders: u64,
    pace: Pace,
) -> Result<Run, Failure> {
    let folder = disk::folder(Some(folder.path()))?;
    let before = disk::fdatasync_us(folder.path())?;
    let stage = Stage::start(folder.path(), arm, args.webhooks, args.early_twin).await?;
    say(format_args!("{what}: {orders} orders ..."));
    let cpu_before = stage.engine_cpu_us();
    let (took, latencies) = load::run(&stage.callers()?, what, orders, pace).await?;
    let cpu_us = stage.engine_cpu_us().zip(cpu_before).map(|(after, before)| after - before);
    let summary = stage.ledger_summary().await?;
    let measured = match arm {
        BenchArm::Engine => stage.times().await?,
        BenchArm::Null => Measured::default(),
    };
    stage.stop().await;
    let count = |value: &serde_json::Value| value.as_u64().unwrap_or(0);
    let executed = count(&summary["executed"]);
    if executed != orders {
        let arm = arm.name();
        return Err(Failure::failed(format_args!(
            "{arm}: {orders} orders were submitted, the provider executed {executed}"
        )));
    }
    Ok(Run {
        took,
        orders,
        cpu_us,
        latencies,
        duplicate_creates: count(&summary["locks_with_several_orders"]),
        reads: count(&summary["calls"]["details"]["received"]),
        fdatasync_us: before.min(disk::fdatasync_us(folder.path())?),
        measured,
    })
}

/// All rounds of one of the two.
#[derive(Debug)]
struct Sum {
    arm: BenchArm,
    runs: Vec<Run>,
}

impl Sum {
    const fn new(arm: BenchArm) -> Self {
        Self { arm, runs: Vec::new() }
    }

    fn add(&mut self, run: Run) {
        self.runs.push(run);
    }

    fn figures(&self, args: &BenchEngineArgs) -> Figures {
        let orders: u64 = self.runs.iter().map(|run| run.orders).sum();
        let seconds: f64 = self.runs.iter().map(|run| run.took.as_secs_f64()).sum();
        let cpu_us: Option<f64> = self.runs.iter().map(|run| run.cpu_us).sum();
        let reads: u64 = self.runs.iter().map(|run| run.reads).sum();
        let latencies = load::Latencies::merged(self.runs.iter().map(|run| &run.latencies));
        Figures {
            arm: self.arm.name().to_owned(),
            webhooks: args.webhooks.name().to_owned(),
            inflight: args.inflight,
            orders,
            orders_per_s: orders as f64 / seconds.max(0.001),
            ratio_to_null: None,
            engine_cpu_s_per_1000: cpu_us.map(|cpu| cpu / 1e6 / orders as f64 * 1e3),
            p50_ms: latencies.ms_at(50),
            p99_ms: latencies.ms_at(99),
            reads_per_order: reads as f64 / orders as f64,
            fdatasync_us: self.runs.iter().map(|run| run.fdatasync_us).fold(f64::MAX, f64::min),
            half_load_orders_per_s: None,
            webhook_ack_p50_us: None,
            webhook_ack_p99_us: None,
            commit_p50_us: None,
            commit_p99_us: None,
            webhook_ack_in_bound: None,
            duplicate_creates: self.runs.iter().map(|run| run.duplicate_creates).sum(),
        }
    }
}
