//! Which trace a span belongs to: that of the order that it names in `order_id`.
//!
//! The OpenTelemetry layer takes the thread's current context as the parent of a span that has none in tracing. So the
//! order's trace is made current right before the layer sees the span, and left right after.

use std::{cell::RefCell, fmt};

use opentelemetry::{
    Context as OtelContext, ContextGuard,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
};
use tracing_subscriber::{Layer, layer::Context};
use uuid::Uuid;

/// The field that names an order.
pub(super) const ORDER: &str = "order_id";

thread_local! {
    static ENTERED: RefCell<Option<ContextGuard>> = const { RefCell::new(None) };
}

/// An order's trace has the order's id.
pub(super) const fn trace_of(order: Uuid) -> TraceId {
    TraceId::from_bytes(order.into_bytes())
}

/// The first span of an order's trace, under which all others are; known to every process without a word between them.
pub(super) const fn root_of(order: Uuid) -> SpanId {
    let [.., a, b, c, d, e, f, g, h] = order.into_bytes();
    SpanId::from_bytes([a, b, c, d, e, f, g, h])
}

/// Makes the order's trace current.
#[derive(Debug)]
pub(super) struct Enter;

/// Leaves it.
#[derive(Debug)]
pub(super) struct Leave;

#[derive(Default)]
struct Order(Option<Uuid>);

impl Visit for Order {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == ORDER {
            self.0 = format!("{value:?}").parse().ok();
        }
    }
}

impl<S: Subscriber> Layer<S> for Enter {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut order = Order::default();
        attributes.record(&mut order);
        let Some(order) = order.0 else { return };
        let root = SpanContext::new(
            trace_of(order),
            root_of(order),
            TraceFlags::SAMPLED,
            true,
            TraceState::default(),
        );
        let entered = OtelContext::new().with_remote_span_context(root).attach();
        ENTERED.with(|slot| drop(slot.replace(Some(entered))));
    }
}

impl<S: Subscriber> Layer<S> for Leave {
    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        ENTERED.with(|slot| drop(slot.take()));
    }
}
