//! What a demo found, as a table or as one JSON object.

use serde::Serialize;

use super::compare::Reasons;
use crate::{args::OutputFormat, output};

/// Orders counted, each once.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) executed: u64,
    pub(super) failed: u64,
    pub(super) review: u64,
    pub(super) open: u64,
    pub(super) lost: u64,
    pub(super) ledger_executed: u64,
    pub(super) failed_for: Reasons,
    pub(super) review_for: Reasons,
}

/// `executed + failed + review + open == orders`, each order in one of them.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) orders: u64,
    pub(super) executed: u64,
    pub(super) failed: u64,
    pub(super) review: u64,
    pub(super) open: u64,
    /// Acknowledged and gone, or made at the provider and unknown here.
    pub(super) lost: u64,
    /// Second orders from one lock, by the provider's ledger.
    pub(super) duplicate_creates: u64,
    /// Orders whose create had an unknown outcome once.
    pub(super) unknown_creates: u64,
    /// Those of them that evidence resolved.
    pub(super) unknown_resolved: u64,
    /// Those of them that ended because nobody could pay any more.
    pub(super) unknown_ended: u64,
    pub(super) kills: u32,
    pub(super) kills_with_open: u32,
    /// Kills within 50 ms of the start.
    pub(super) kills_early: u32,
    /// Executed by the provider's ledger, orders in review aside.
    pub(super) ledger_executed: u64,
    pub(super) ledger_orders: u64,
    pub(super) webhooks_received: u64,
    pub(super) webhooks_duplicate: u64,
    pub(super) polls: u64,
    pub(super) elapsed_s: f64,
    pub(super) orders_per_s: f64,
    pub(super) seed: u64,
    pub(super) faults: &'static str,
    pub(super) twin: bool,
    pub(super) failed_for: Reasons,
    pub(super) review_for: Reasons,
    /// Where engine and ledger disagree.
    pub(super) problems: Vec<String>,
}

impl Report {
    pub(super) fn is_good(&self) -> bool {
        self.lost == 0
            && self.duplicate_creates == 0
            && self.open == 0
            && self.executed == self.ledger_executed
            && self.executed + self.failed + self.review + self.open == self.orders
            && self.problems.is_empty()
    }

    pub(super) fn verdict(&self) -> String {
        let mut findings = Vec::new();
        for (count, what) in [
            (self.lost, "lost"),
            (self.duplicate_creates, "created twice"),
            (self.open, "not ended"),
        ] {
            if count > 0 {
                findings.push(format!("{count} {what}"));
            }
        }
        if self.executed != self.ledger_executed {
            findings.push(format!(
                "{} executed here, {} at the provider",
                self.executed, self.ledger_executed
            ));
        }
        findings.extend(self.problems.iter().cloned());
        if findings.is_empty() {
            "nothing lost, nothing created twice, nothing left open; the provider's ledger agrees"
                .to_owned()
        } else {
            findings.join("\n           ")
        }
    }

    pub(super) fn print(&self, format: OutputFormat) {
        match format {
            OutputFormat::Json => output::json(self),
            OutputFormat::Table => {
                let reasons = |reasons: &Reasons| {
                    let each: Vec<_> =
                        reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
                    each.join(", ")
                };
                let row = |what: &str, count: u64, says: String| {
                    [what.to_owned(), count.to_string(), says]
                };
                output::table(
                    ["", "orders", ""],
                    [
                        row(
                            "executed",
                            self.executed,
                            format!("the ledger says {}", self.ledger_executed),
                        ),
                        row("failed", self.failed, reasons(&self.failed_for)),
                        row("review", self.review, reasons(&self.review_for)),
                        row("open", self.open, String::new()),
                        row("all", self.orders, format!("in {:.1} s", self.elapsed_s)),
                        row("lost", self.lost, String::new()),
                        row("created twice", self.duplicate_creates, String::new()),
                        row(
                            "create unknown",
                            self.unknown_creates,
                            format!(
                                "{} resolved by evidence, {} ended unpayable",
                                self.unknown_resolved, self.unknown_ended
                            ),
                        ),
                        row(
                            "kills",
                            u64::from(self.kills),
                            format!("{} with orders open", self.kills_with_open),
                        ),
                        row(
                            "webhooks",
                            self.webhooks_received,
                            format!("{} of them doubled by the provider", self.webhooks_duplicate),
                        ),
                        row("polls", self.polls, String::new()),
                    ],
                );
                crate::exit::say(format_args!("seed {}: {}", self.seed, self.verdict()));
            }
        }
    }
}
