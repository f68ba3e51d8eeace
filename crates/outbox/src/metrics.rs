//! What is measured. Labels are bounded: endpoints are named by their id, and there are few.

use metrics::{counter, gauge};

use crate::Endpoint;

pub(crate) fn attempted(delivered: bool) {
    let result = if delivered { "delivered" } else { "failed" };
    counter!("orderkeep_webhook_deliveries_total", "result" => result).increment(1);
}

pub(crate) fn gave_up() {
    counter!("orderkeep_webhook_given_up_total").increment(1);
}

/// How an endpoint stands: an alert on `orderkeep_webhook_endpoint_off` finds one that was switched off by itself.
pub(crate) fn standing(endpoint: &Endpoint) {
    let id = endpoint.id.to_string();
    let off = endpoint.off.is_some() && !endpoint.deleted;
    gauge!("orderkeep_webhook_endpoint_off", "endpoint" => id.clone())
        .set(f64::from(u8::from(off)));
    let held = u32::try_from(endpoint.held.len()).unwrap_or(u32::MAX);
    gauge!("orderkeep_webhook_held_orders", "endpoint" => id).set(f64::from(held));
}
