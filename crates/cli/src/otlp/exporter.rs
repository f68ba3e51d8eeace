//! What is changed in spans before they are sent, and what is said when they cannot be.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry::trace::{SpanContext, SpanId, Status};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use uuid::Uuid;

use super::trace::{ORDER, root_of};

/// The span of an order's first step.
const FIRST: &str = "submit";
/// The field that says how a call ended.
const OUTCOME: &str = "outcome";

/// Gives every order's trace its root, and every call that failed its status.
#[derive(Debug)]
pub(super) struct Rooted<E> {
    exporter: E,
    /// So that a collector that is down is said once, not with every batch.
    failing: AtomicBool,
}

impl<E: SpanExporter> Rooted<E> {
    pub(super) const fn new(exporter: E) -> Self {
        Self { exporter, failing: AtomicBool::new(false) }
    }

    fn noted(&self, result: &OTelSdkResult, spans: usize) {
        match result {
            Ok(()) if self.failing.swap(false, Ordering::Relaxed) => {
                tracing::info!("spans are sent again");
            }
            Err(error) if !self.failing.swap(true, Ordering::Relaxed) => {
                tracing::warn!(%error, spans, "spans cannot be sent, and are lost; orders are not concerned");
            }
            Ok(()) | Err(_) => {}
        }
    }
}

impl<E: SpanExporter> SpanExporter for Rooted<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        batch.iter_mut().for_each(finish);
        let spans = batch.len();
        let result = self.exporter.export(batch).await;
        self.noted(&result, spans);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

fn attribute(span: &SpanData, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == name)?;
    Some(found.value.as_str().into_owned())
}

fn finish(span: &mut SpanData) {
    if let Some(outcome) = attribute(span, OUTCOME).filter(|outcome| outcome != "ok") {
        span.status = Status::error(outcome);
    }
    let order: Option<Uuid> = attribute(span, ORDER).and_then(|order| order.parse().ok());
    if let Some(order) = order.filter(|_| span.name == FIRST) {
        let old = &span.span_context;
        span.span_context = SpanContext::new(
            old.trace_id(),
            root_of(order),
            old.trace_flags(),
            old.is_remote(),
            old.trace_state().clone(),
        );
        span.parent_span_id = SpanId::INVALID;
        span.parent_span_is_remote = false;
    }
}
