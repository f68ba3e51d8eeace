//! Endpoints and deliveries as JSON.

use orderkeep_core::Timestamp;
use orderkeep_outbox::{Delivery, Endpoint, Held};
use serde::Serialize;
use utoipa::ToSchema;

/// An endpoint, without its secrets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEndpoint)]
#[serde(rename_all = "camelCase")]
pub(super) struct EndpointView {
    id: String,
    /// `orders`, or `other_webhooks`: the provider's webhooks that are passed on.
    source: &'static str,
    url: String,
    description: String,
    /// Empty: all.
    types: Vec<String>,
    enabled: bool,
    /// Why it is off: `asked`, `gone` (the receiver answered 410) or `failing` (nothing was taken for three days).
    disabled_reason: Option<&'static str>,
    disabled_at: Option<Timestamp>,
    created_at: Timestamp,
    /// Everything up to here is delivered or held back.
    position: Option<String>,
    /// The last time that anything was taken.
    delivered_at: Option<Timestamp>,
    /// How many orders wait behind a delivery that failed.
    held: usize,
    /// Those that are tried next.
    next_retries: Vec<HeldView>,
    /// Events that were passed over after three days of trying, while others were taken.
    given_up: u64,
    /// Until when the secret before the newest one signs too.
    previous_secret_until: Option<Timestamp>,
    /// Only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// An order that waits behind a delivery that failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HeldOrder)]
#[serde(rename_all = "camelCase")]
struct HeldView {
    /// The order.
    subject: String,
    /// The event that failed, by its number within the order.
    version: u64,
    /// How often it was tried.
    attempts: u32,
    /// Since when it fails.
    since: Timestamp,
    /// When it is tried again.
    due: Timestamp,
    /// How it failed last.
    why: String,
}

impl From<Held> for HeldView {
    fn from(held: Held) -> Self {
        let Held { subject, next, through: _, attempts, since, due, why } = held;
        Self { subject: subject.to_string(), version: next, attempts, since, due, why }
    }
}

impl From<Endpoint> for EndpointView {
    fn from(mut endpoint: Endpoint) -> Self {
        /// Enough to see what is the matter.
        const SHOWN: usize = 20;
        endpoint.held.sort_by_key(|held| held.due);
        let until = endpoint.secrets.get(1).and_then(|(_, until)| *until);
        Self {
            id: endpoint.id.to_string(),
            source: endpoint.source.name(),
            url: endpoint.url,
            description: endpoint.description,
            types: endpoint.types,
            enabled: endpoint.off.is_none(),
            disabled_reason: endpoint.off.map(|(off, _)| off.name()),
            disabled_at: endpoint.off.map(|(_, at)| at),
            created_at: endpoint.created_at,
            position: endpoint.position,
            delivered_at: endpoint.delivered_at,
            held: endpoint.held.len(),
            next_retries: endpoint.held.into_iter().take(SHOWN).map(HeldView::from).collect(),
            given_up: endpoint.given_up,
            previous_secret_until: until,
            secret: None,
        }
    }
}

impl EndpointView {
    /// With its newest secret: shown to who made it, once.
    pub(super) fn with_secret(endpoint: Endpoint) -> Self {
        let secret = endpoint.secrets.first().map(|(secret, _)| secret.expose());
        Self { secret, ..Self::from(endpoint) }
    }
}

/// One attempt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryView {
    /// The event's id, as the receiver sees it in `webhook-id`.
    event: String,
    /// The event's type.
    #[serde(rename = "type")]
    kind: String,
    /// The first is 1.
    attempt: u32,
    /// When it ended.
    at: Timestamp,
    /// How long it took.
    duration_ms: u64,
    /// Whether the receiver took it.
    delivered: bool,
    /// What was answered.
    status: Option<u16>,
    /// Why it failed.
    why: Option<String>,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let Delivery { event, kind, attempt, at, took, status, why } = delivery;
        Self {
            event,
            kind,
            attempt,
            at,
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            delivered: why.is_none(),
            status,
            why,
        }
    }
}
