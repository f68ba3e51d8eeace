//! Tracing spans: what was done for an order, and how long it took. Each names its order, so that whoever collects
//! them can put an order's whole life together, whichever task or process did it.
//!
//! They are at level `debug`: without somebody who wants them they cost nothing. They hold names, ids and codes, never
//! an address, an amount or a text of the provider's.

use orderkeep_core::{Order, OrderId, Step};
use tracing::Span;

/// A new order is made durable.
pub(crate) fn submit(step: &Step) -> Span {
    let order = &step.next;
    tracing::debug_span!("submit", order_id = %order.id, account = %order.account)
}

/// A step is made durable.
pub(crate) fn step(before: &Order, step: &Step) -> Span {
    let events = || -> String {
        let names: Vec<_> = step.events.iter().map(|record| record.event.name()).collect();
        names.join(",")
    };
    tracing::debug_span!(
        "step",
        order_id = %before.id,
        from = before.state_name().as_str(),
        to = step.next.state_name().as_str(),
        events = events(),
        version = step.next.version,
    )
}

/// A create is posted.
pub(crate) fn create(order: OrderId, attempt: u32) -> Span {
    tracing::debug_span!("create", order_id = %order, otel.kind = "client", attempt)
}

/// The provider's order is read; the wait for the budget is part of it.
pub(crate) fn read(order: OrderId) -> Span {
    tracing::debug_span!("read", order_id = %order, otel.kind = "client")
}

/// A fresh lock is taken; the wait for the budget is part of it.
pub(crate) fn lock(order: OrderId) -> Span {
    tracing::debug_span!("lock", order_id = %order, otel.kind = "client")
}
