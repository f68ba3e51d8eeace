//! What was measured: one JSON object a line for machines, one table for people; and what must not be.

use serde::Serialize;

use super::{real::Measured, rounds::Round};
use crate::{args::OutputFormat, exit::Failure, output};

/// Of several rounds: the middle one, and the two ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) min: f64,
    pub(super) median: f64,
    pub(super) max: f64,
}

impl Spread {
    /// `None` of nothing.
    pub(super) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let (low, high) = (values.get((values.len() - 1) / 2)?, values.get(values.len() / 2)?);
        Some(Self { min, median: f64::midpoint(*low, *high), max })
    }
}

/// One of the two. Rates, CPU and the ratio are the median of its rounds; durations are of all orders together.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    /// `engine`, or `null`: the same exchange, nothing kept.
    pub(super) arm: String,
    /// `trust` or `verify`.
    pub(super) webhooks: String,
    /// Orders in flight at once.
    pub(super) inflight: usize,
    pub(super) orders: u64,
    pub(super) orders_per_s: f64,
    /// Orders a second against the other arm of the same round.
    pub(super) ratio_to_null: Option<f64>,
    /// How far the rounds lie apart in it.
    pub(super) ratio_to_null_spread: Option<Spread>,
    /// CPU seconds of the measured process alone.
    pub(super) engine_cpu_s_per_1000: Option<f64>,
    /// From the submit until the caller knew of the end; 140 ms of it are the provider's.
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// Reads of the provider.
    pub(super) reads_per_order: f64,
    /// Of the disk, before and after, the faster.
    pub(super) fdatasync_us: f64,
    /// The rate at which the following were measured.
    pub(super) half_load_orders_per_s: Option<f64>,
    /// From a webhook's head until its answer was ready.
    pub(super) webhook_ack_p50_us: Option<u64>,
    pub(super) webhook_ack_p99_us: Option<u64>,
    /// A step of an order, until it was durable.
    pub(super) commit_p50_us: Option<u64>,
    pub(super) commit_p99_us: Option<u64>,
    /// Whether the acknowledgement took at most two commits and a millisecond.
    pub(super) webhook_ack_in_bound: Option<bool>,
    /// Locks that made more than one order, by the provider's ledger.
    pub(super) duplicate_creates: u64,
    /// Each round for itself.
    pub(super) rounds: Vec<Round>,
}

/// What was measured at half load.
#[derive(Debug)]
pub(super) struct HalfLoad {
    pub(super) rate: f64,
    pub(super) fdatasync_us: f64,
    pub(super) measured: Measured,
}

impl Figures {
    pub(super) fn half_load(&mut self, load: HalfLoad) {
        let Measured { commit, webhook_ack } = load.measured;
        self.fdatasync_us = self.fdatasync_us.min(load.fdatasync_us);
        self.half_load_orders_per_s = Some(load.rate);
        self.webhook_ack_p50_us = Some(webhook_ack.p50_us);
        self.webhook_ack_p99_us = Some(webhook_ack.p99_us);
        self.commit_p50_us = Some(commit.p50_us);
        self.commit_p99_us = Some(commit.p99_us);
        self.webhook_ack_in_bound = Some(webhook_ack.p99_us <= 2 * commit.p99_us + 1_000);
    }

    /// A webhook waits for the same groups as a step: one that is answered in less than half the time was not waited for.
    fn answers_early(&self) -> bool {
        matches!(
            (self.webhook_ack_p50_us, self.commit_p50_us),
            (Some(ack), Some(commit)) if ack * 2 < commit
        )
    }
}

pub(super) fn print(figures: &[Figures], format: OutputFormat) {
    match format {
        OutputFormat::Json => figures.iter().for_each(output::json),
        OutputFormat::Table => output::table(
            [
                "arm",
                "webhooks",
                "orders",
                "orders/s",
                "x null (min-max)",
                "CPU s/1000",
                "p50 ms",
                "p99 ms",
                "reads/order",
                "fdatasync us",
                "ack p50 / p99 us",
                "commit p50 / p99 us",
                "created twice",
            ],
            figures.iter().map(row),
        ),
    }
}

fn row(figures: &Figures) -> [String; 13] {
    let known =
        |figure: Option<f64>| figure.map_or("-".to_owned(), |figure| format!("{figure:.2}"));
    let pair = |p50: Option<u64>, p99: Option<u64>| match (p50, p99) {
        (Some(p50), Some(p99)) => format!("{p50} / {p99}"),
        (_, _) => "-".to_owned(),
    };
    let ratio = figures.ratio_to_null_spread.map_or("-".to_owned(), |spread| {
        format!("{:.2} ({:.2}-{:.2})", spread.median, spread.min, spread.max)
    });
    [
        figures.arm.clone(),
        figures.webhooks.clone(),
        figures.orders.to_string(),
        format!("{:.0}", figures.orders_per_s),
        ratio,
        known(figures.engine_cpu_s_per_1000),
        format!("{:.0}", figures.p50_ms),
        format!("{:.0}", figures.p99_ms),
        format!("{:.2}", figures.reads_per_order),
        format!("{:.0}", figures.fdatasync_us),
        pair(figures.webhook_ack_p50_us, figures.webhook_ack_p99_us),
        pair(figures.commit_p50_us, figures.commit_p99_us),
        figures.duplicate_creates.to_string(),
    ]
}

/// Speed is for the reader to judge; what an engine must never do is an error.
pub(super) fn judge(figures: &[Figures]) -> Result<(), Failure> {
    for figures in figures {
        let arm = &figures.arm;
        if figures.duplicate_creates > 0 {
            return Err(Failure::failed(format_args!(
                "{arm}: {} locks made more than one order",
                figures.duplicate_creates
            )));
        }
        if figures.answers_early() {
            return Err(Failure::failed(format_args!(
                "{arm}: webhooks are answered sooner than they can be durable (in {} us, a commit takes {} us)",
                figures.webhook_ack_p50_us.unwrap_or_default(),
                figures.commit_p50_us.unwrap_or_default()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_rounds_counts() {
        let of = |values: &[f64]| Spread::of(values.to_vec()).map(|s| (s.min, s.median, s.max));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[3.0]), Some((3.0, 3.0, 3.0)));
        assert_eq!(of(&[9.0, 1.0, 2.0]), Some((1.0, 2.0, 9.0)));
        assert_eq!(of(&[4.0, 1.0, 2.0, 9.0]), Some((1.0, 3.0, 9.0)));
    }
}
