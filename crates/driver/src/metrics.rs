//! What is measured, through the `metrics` facade: a service brings its own recorder; without one it costs next to
//! nothing. Labels are bounded: no order, no address, no text of the provider's.

use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use orderkeep_core::{Cause, Order};
use orderkeep_provider::{CallError, FailureClass};
use orderkeep_store::CommitError;

use crate::{GateState, Status};

/// How a metric counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Durations in seconds.
    Seconds,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// As it is exported.
    pub name: &'static str,
    /// How it counts.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

const ORDERS: &str = "orderkeep_orders";
const OPEN: &str = "orderkeep_orders_open";
const REVIEW: &str = "orderkeep_orders_review";
const INBOX: &str = "orderkeep_inbox_waiting";
const HALTED: &str = "orderkeep_halted";
const DISK_FULL: &str = "orderkeep_disk_full";
const PROVIDER_STATE: &str = "orderkeep_provider_circuit_state";
const PROVIDER_WAITING: &str = "orderkeep_provider_calls_waiting";
const CLOCK_AHEAD: &str = "orderkeep_provider_clock_ahead_seconds";
const WEBHOOKS_LATE: &str = "orderkeep_webhooks_late_seconds";
const TRANSITIONS: &str = "orderkeep_order_transitions_total";
const TIME_IN_STATE: &str = "orderkeep_order_time_in_state_seconds";
const REQUESTS: &str = "orderkeep_provider_requests_total";
const REQUEST_SECONDS: &str = "orderkeep_provider_request_duration_seconds";
const COMMIT_SECONDS: &str = "orderkeep_store_commit_duration_seconds";
const COMMITS: &str = "orderkeep_store_commits_total";
const WEBHOOKS: &str = "orderkeep_webhooks_received_total";
const STEPS: &str = "orderkeep_steps_total";
const QUARANTINED: &str = "orderkeep_quarantined_total";

/// Every metric of an engine. Each one is there from the first time that [`observe`] is called, or from its first
/// occurrence.
pub const METRICS: &[Metric] = &[
    Metric { name: ORDERS, kind: Kind::Gauge, labels: &["state"], help: "Orders in each state." },
    Metric { name: OPEN, kind: Kind::Gauge, labels: &[], help: "Orders that have not ended." },
    Metric { name: REVIEW, kind: Kind::Gauge, labels: &[], help: "Orders that need a person." },
    Metric {
        name: INBOX,
        kind: Kind::Gauge,
        labels: &[],
        help: "Webhooks that wait to be worked off, parked ones included.",
    },
    Metric {
        name: HALTED,
        kind: Kind::Gauge,
        labels: &[],
        help: "1 when the engine has stopped itself.",
    },
    Metric {
        name: DISK_FULL,
        kind: Kind::Gauge,
        labels: &[],
        help: "1 while new orders are refused because the disk is full.",
    },
    Metric {
        name: PROVIDER_STATE,
        kind: Kind::Gauge,
        labels: &["account"],
        help: "Calls to the provider: 0 flowing, 1 throttled, 2 down, 3 credential refused.",
    },
    Metric {
        name: PROVIDER_WAITING,
        kind: Kind::Gauge,
        labels: &["account"],
        help: "Calls that wait for the request budget.",
    },
    Metric {
        name: CLOCK_AHEAD,
        kind: Kind::Gauge,
        labels: &["account"],
        help: "How far the provider's clock is ahead of ours, once it is known.",
    },
    Metric {
        name: WEBHOOKS_LATE,
        kind: Kind::Gauge,
        labels: &["account"],
        help: "How late webhooks typically are just now, once it is known.",
    },
    Metric {
        name: TRANSITIONS,
        kind: Kind::Counter,
        labels: &["from", "to", "cause"],
        help: "Changes of state. A new order comes from `none`.",
    },
    Metric {
        name: TIME_IN_STATE,
        kind: Kind::Seconds,
        labels: &["state"],
        help: "How long orders were in a state that they left.",
    },
    Metric {
        name: REQUESTS,
        kind: Kind::Counter,
        labels: &["account", "op", "outcome"],
        help: "Calls to the provider: `ok`, or the class of the failure.",
    },
    Metric {
        name: REQUEST_SECONDS,
        kind: Kind::Seconds,
        labels: &["op"],
        help: "How long calls to the provider took.",
    },
    Metric {
        name: COMMIT_SECONDS,
        kind: Kind::Seconds,
        labels: &[],
        help: "How long orders waited for a step to be durable.",
    },
    Metric {
        name: COMMITS,
        kind: Kind::Counter,
        labels: &["outcome"],
        help: "Steps that were to be made durable: `ok`, `full`, `refused` or `halted`.",
    },
    Metric {
        name: WEBHOOKS,
        kind: Kind::Counter,
        labels: &["result"],
        help: "Webhooks: `taken`, and of those `duplicate` and `other_kind`; or `refused`.",
    },
    Metric {
        name: STEPS,
        kind: Kind::Counter,
        labels: &[],
        help: "Steps of orders that are there already.",
    },
    Metric {
        name: QUARANTINED,
        kind: Kind::Counter,
        labels: &[],
        help: "Inputs that could not be worked with.",
    },
];

/// Tells the recorder what each metric means. Call it once the recorder is there.
pub fn describe() {
    describe_all(METRICS);
}

/// As [`describe`], for the catalogue of what runs beside an engine.
pub fn describe_all(catalogue: &[Metric]) {
    for metric in catalogue {
        match metric.kind {
            Kind::Counter => describe_counter!(metric.name, metric.help),
            Kind::Gauge => describe_gauge!(metric.name, metric.help),
            Kind::Seconds => describe_histogram!(metric.name, Unit::Seconds, metric.help),
        }
    }
}

/// Sets what is looked at rather than counted. Call it before the metrics are read.
pub fn observe(status: &Status) {
    for (state, orders) in &status.orders {
        gauge!(ORDERS, "state" => state.as_str()).set(whole(*orders));
    }
    gauge!(OPEN).set(whole(status.open));
    gauge!(REVIEW).set(whole(status.review));
    gauge!(INBOX).set(whole(status.inbox));
    gauge!(HALTED).set(f64::from(u8::from(status.halted.is_some())));
    gauge!(DISK_FULL).set(f64::from(u8::from(status.full.is_some())));
    for (account, shown) in &status.accounts {
        let state: u8 = match shown.gate {
            GateState::Flowing => 0,
            GateState::Throttled => 1,
            GateState::Down => 2,
            GateState::Denied => 3,
        };
        gauge!(PROVIDER_STATE, "account" => account.clone()).set(f64::from(state));
        gauge!(PROVIDER_WAITING, "account" => account.clone()).set(whole(shown.waiting as u64));
        if let Some(ahead_ms) = shown.clock_ahead_ms {
            let seconds = Duration::from_millis(ahead_ms.unsigned_abs()).as_secs_f64();
            let ahead = if ahead_ms < 0 { -seconds } else { seconds };
            gauge!(CLOCK_AHEAD, "account" => account.clone()).set(ahead);
        }
        if let Some(late) = shown.webhooks_late {
            gauge!(WEBHOOKS_LATE, "account" => account.clone()).set(late.as_secs_f64());
        }
    }
    for (result, count) in [
        ("taken", status.webhooks_taken),
        ("refused", status.webhooks_refused),
        ("other_kind", status.webhooks_other_kind),
        ("duplicate", status.webhooks_duplicate),
    ] {
        counter!(WEBHOOKS, "result" => result).absolute(count);
    }
    counter!(STEPS).absolute(status.steps);
    counter!(QUARANTINED).absolute(status.quarantined);
}

/// Nothing that is counted here comes near what a float cannot hold.
#[allow(clippy::cast_precision_loss, reason = "see above")]
const fn whole(count: u64) -> f64 {
    count as f64
}

/// An order was taken, or moved.
pub(crate) fn moved(before: Option<&Order>, after: &Order, cause: Option<&Cause>) {
    let to = after.state_name();
    let from = before.map(Order::state_name);
    if from == Some(to) {
        return;
    }
    let cause: &str = cause.map_or("clock", Into::into);
    let from_name = from.map_or("none", |from| from.as_str());
    counter!(TRANSITIONS, "from" => from_name, "to" => to.as_str(), "cause" => cause).increment(1);
    if let (Some(before), Some(from)) = (before, from) {
        let lasted = after.since.since(before.since);
        histogram!(TIME_IN_STATE, "state" => from.as_str()).record(lasted.as_secs_f64());
    }
}

/// A call came back.
pub(crate) fn called<T>(
    account: &str,
    op: &'static str,
    took: Duration,
    result: &Result<T, CallError>,
) {
    let outcome = match result {
        Ok(_) => "ok",
        Err(error) => match error.class {
            FailureClass::NotSent => "not_sent",
            FailureClass::Definite => "refused",
            FailureClass::Ambiguous => "ambiguous",
            FailureClass::Throttled => "throttled",
            FailureClass::Denied => "denied",
        },
    };
    let account = account.to_owned();
    counter!(REQUESTS, "account" => account, "op" => op, "outcome" => outcome).increment(1);
    histogram!(REQUEST_SECONDS, "op" => op).record(took.as_secs_f64());
}

/// A commit came back.
pub(crate) fn committed<T>(took: Duration, result: &Result<T, CommitError>) {
    let outcome = match result {
        Ok(_) => "ok",
        Err(CommitError::Full(_)) => "full",
        Err(CommitError::Halted(_)) => "halted",
        Err(_) => "refused",
    };
    counter!(COMMITS, "outcome" => outcome).increment(1);
    histogram!(COMMIT_SECONDS).record(took.as_secs_f64());
}
