//! What is measured. Labels are bounded: endpoints are named by their id, and there are few.

use std::time::Duration;

use metrics::{counter, gauge, histogram};
use orderkeep_driver::metrics::{Kind, Metric, describe_all};

use crate::{Endpoint, EndpointId, Off};

const DELIVERIES: &str = "orderkeep_webhook_deliveries_total";
const DELIVERY_SECONDS: &str = "orderkeep_webhook_delivery_duration_seconds";
const ENDPOINT_OFF: &str = "orderkeep_webhook_endpoint_off";
const HELD_ORDERS: &str = "orderkeep_webhook_held_orders";
const GIVEN_UP: &str = "orderkeep_webhook_given_up_total";

/// Every metric of an outbox, beside [`orderkeep_driver::metrics::METRICS`]. Those with an endpoint are there from the
/// start of its worker, the duration from the first attempt.
pub const METRICS: &[Metric] = &[
    Metric {
        name: DELIVERIES,
        kind: Kind::Counter,
        labels: &["endpoint", "result"],
        help: "Attempts to deliver an event: `delivered` or `failed`.",
    },
    Metric {
        name: DELIVERY_SECONDS,
        kind: Kind::Seconds,
        labels: &["result"],
        help: "How long attempts to deliver an event took.",
    },
    Metric {
        name: ENDPOINT_OFF,
        kind: Kind::Gauge,
        labels: &["endpoint", "reason"],
        help: "1 while nothing is delivered to a webhook endpoint, since it was switched off: `asked` by somebody, or by itself, as its receiver is `gone` (410) or `failing` for three days.",
    },
    Metric {
        name: HELD_ORDERS,
        kind: Kind::Gauge,
        labels: &["endpoint"],
        help: "Orders that wait behind a delivery that failed.",
    },
    Metric {
        name: GIVEN_UP,
        kind: Kind::Counter,
        labels: &["endpoint"],
        help: "Events that were passed over after three days, while others were taken.",
    },
];

/// Tells the recorder what each metric means. Call it once the recorder is there.
pub fn describe() {
    describe_all(METRICS);
}

const fn result(delivered: bool) -> &'static str {
    if delivered { "delivered" } else { "failed" }
}

/// An endpoint has a worker: what counts its attempts begins at 0, so that the first failure is an increase.
pub(crate) fn began(endpoint: &Endpoint) {
    let id = endpoint.id.to_string();
    for result in [result(true), result(false)] {
        counter!(DELIVERIES, "endpoint" => id.clone(), "result" => result).increment(0);
    }
    counter!(GIVEN_UP, "endpoint" => id).increment(0);
    standing(endpoint);
}

pub(crate) fn attempted(endpoint: EndpointId, delivered: bool, took: Duration) {
    let result = result(delivered);
    counter!(DELIVERIES, "endpoint" => endpoint.to_string(), "result" => result).increment(1);
    histogram!(DELIVERY_SECONDS, "result" => result).record(took.as_secs_f64());
}

pub(crate) fn gave_up(endpoint: EndpointId) {
    counter!(GIVEN_UP, "endpoint" => endpoint.to_string()).increment(1);
}

/// How an endpoint stands. One that is deleted stands at 0.
pub(crate) fn standing(endpoint: &Endpoint) {
    let id = endpoint.id.to_string();
    let off = endpoint.off.map(|(off, _)| off).filter(|_| !endpoint.deleted);
    for reason in Off::ALL {
        let on = f64::from(u8::from(off == Some(reason)));
        gauge!(ENDPOINT_OFF, "endpoint" => id.clone(), "reason" => reason.name()).set(on);
    }
    let held = u32::try_from(endpoint.held.len()).unwrap_or(u32::MAX);
    gauge!(HELD_ORDERS, "endpoint" => id).set(f64::from(held));
}
