//! What was measured: one JSON object a line for machines, one table for people.

use serde::{Deserialize, Serialize};

use crate::{args::OutputFormat, output};

/// One store under one load.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Figures {
    pub(super) store: String,
    /// Orders in flight at once.
    pub(super) inflight: usize,
    /// Orders that went from their submit to their end.
    pub(super) orders: u64,
    /// Steps of orders that became durable, a second; the drain of the rows is in the time.
    pub(super) transitions_per_s: f64,
    /// Against the raw log of the same round; above 1 is faster.
    pub(super) ratio_to_raw: Option<f64>,
    /// Of the disk, just before and just after.
    pub(super) fdatasync_us: f64,
    pub(super) commit_p50_us: u64,
    pub(super) commit_p99_us: u64,
    /// Of the whole process: lifecycle and load are in it.
    pub(super) cpu_us_per_transition: Option<f64>,
    /// On the disk, settled, without the bodies of webhooks.
    pub(super) bytes_per_order: f64,
    pub(super) evidence_bytes_per_order: f64,
    /// The most that was resident at once.
    pub(super) rss_mb: Option<f64>,
}

pub(super) fn print(figures: &[Figures], format: OutputFormat) {
    match format {
        OutputFormat::Json => figures.iter().for_each(output::json),
        OutputFormat::Table => output::table(
            [
                "store",
                "in flight",
                "orders",
                "transitions/s",
                "x raw",
                "fdatasync us",
                "commit p50 us",
                "p99 us",
                "CPU us/transition",
                "bytes/order",
                "evidence/order",
                "RSS MB",
            ],
            figures.iter().map(row),
        ),
    }
}

fn row(figures: &Figures) -> [String; 12] {
    let known = |figure: Option<f64>, digits: usize| {
        figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.digits$}"))
    };
    [
        figures.store.clone(),
        figures.inflight.to_string(),
        figures.orders.to_string(),
        format!("{:.0}", figures.transitions_per_s),
        known(figures.ratio_to_raw, 2),
        format!("{:.0}", figures.fdatasync_us),
        figures.commit_p50_us.to_string(),
        figures.commit_p99_us.to_string(),
        known(figures.cpu_us_per_transition, 1),
        format!("{:.0}", figures.bytes_per_order),
        format!("{:.0}", figures.evidence_bytes_per_order),
        known(figures.rss_mb, 0),
    ]
}
