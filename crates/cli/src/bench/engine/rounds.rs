//! What the rounds of one load come to: the middle of them, and how far they lie apart.

use serde::Serialize;

use super::{
    Run,
    load::Latencies,
    report::{Figures, Spread},
};
use crate::bench::args::{BenchArm, BenchEngineArgs};

/// One round of one of the two.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Round {
    orders: u64,
    orders_per_s: f64,
    /// Against the other one in the same round.
    ratio_to_null: Option<f64>,
    engine_cpu_s_per_1000: Option<f64>,
}

/// All rounds of one of the two.
#[derive(Debug)]
pub(super) struct Arm {
    arm: BenchArm,
    runs: Vec<Run>,
}

impl Arm {
    pub(super) const fn new(arm: BenchArm) -> Self {
        Self { arm, runs: Vec::new() }
    }

    pub(super) const fn arm(&self) -> BenchArm {
        self.arm
    }

    pub(super) const fn name(&self) -> &'static str {
        self.arm.name()
    }

    pub(super) fn add(&mut self, run: Run) {
        self.runs.push(run);
    }

    /// Each round beside the same round of `null`.
    fn rounds(&self, null: Option<&Self>) -> Vec<Round> {
        let round = |(number, run): (usize, &Run)| {
            let limit = null.and_then(|null| null.runs.get(number));
            Round {
                orders: run.orders,
                orders_per_s: run.per_s(),
                ratio_to_null: limit.map(|limit| run.per_s() / limit.per_s()),
                engine_cpu_s_per_1000: run.cpu_us.map(|cpu| cpu / 1e3 / run.orders as f64),
            }
        };
        self.runs.iter().enumerate().map(round).collect()
    }

    pub(super) fn figures(&self, args: &BenchEngineArgs, null: Option<&Self>) -> Figures {
        let rounds = self.rounds(null);
        let each = |figure: fn(&Round) -> Option<f64>| rounds.iter().filter_map(figure).collect();
        let ratio = Spread::of(each(|round| round.ratio_to_null));
        let orders: u64 = self.runs.iter().map(|run| run.orders).sum();
        let reads: u64 = self.runs.iter().map(|run| run.reads).sum();
        let latencies = Latencies::merged(self.runs.iter().map(|run| &run.latencies));
        let rate = Spread::of(each(|round| Some(round.orders_per_s)));
        let cpu = Spread::of(each(|round| round.engine_cpu_s_per_1000));
        Figures {
            arm: self.arm.name().to_owned(),
            webhooks: args.webhooks.name().to_owned(),
            inflight: args.inflight,
            orders,
            orders_per_s: rate.map_or(f64::NAN, |rate| rate.median),
            ratio_to_null: ratio.map(|ratio| ratio.median),
            ratio_to_null_spread: ratio,
            engine_cpu_s_per_1000: cpu.map(|cpu| cpu.median),
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
            rounds,
        }
    }
}
