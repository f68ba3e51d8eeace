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
mod rounds;
mod stage;

use std::time::Duration;

use super::{
    args::{BenchArm, BenchEngineArgs, Webhooks},
    disk,
};
use crate::exit::{Failure, say};
use load::Pace;
use real::Measured;
use report::HalfLoad;
use rounds::Arm;
use stage::Stage;

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
    let mut all: Vec<Arm> = arms.iter().map(|arm| Arm::new(*arm)).collect();
    for round in 0..args.rounds {
        let orders = args.orders / args.rounds + u64::from(round < args.orders % args.rounds);
        for arm in &mut all {
            let what = format!("{}, round {} of {}", arm.name(), round + 1, args.rounds);
            let run = one(&args, &folder, arm.arm(), &what, orders, Pace::InFlight(args.inflight));
            arm.add(run.await?);
        }
        // Whoever was first is last in the next: the machine that grows busier is so for both.
        all.reverse();
    }
    all.sort_by_key(|arm| arm.arm() != BenchArm::Null);
    let null = all.first().filter(|arm| arm.arm() == BenchArm::Null);
    let mut figures: Vec<_> = all.iter().map(|arm| arm.figures(&args, null)).collect();
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

impl Run {
    fn per_s(&self) -> f64 {
        self.orders as f64 / self.took.as_secs_f64().max(0.001)
    }
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
