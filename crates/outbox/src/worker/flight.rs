//! Some events of one order on their way, one after the other: it ends with the first that was not taken.

use std::{sync::Arc, time::Duration};

use orderkeep_core::Timestamp;
use orderkeep_store::EntityId;
use tokio::time::Instant;
use tracing::Instrument as _;
use url::Url;
use uuid::Uuid;

use super::Parts;
use crate::{
    Answer, Delivery, Endpoint, OutboxError, Request, Secret, Source, log::Log, message::Message,
    metrics,
};

/// Read of a history at once.
const HISTORY_PAGE: usize = 32;

/// Where to, as it was when the flight began.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) source: Source,
    url: Url,
    types: Endpoint,
    secrets: Vec<Secret>,
}

/// An event that was not taken.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    pub(crate) why: String,
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: Option<Duration>,
}

/// How a flight ended.
#[derive(Debug)]
pub(super) struct Landed {
    pub(super) subject: Uuid,
    /// The first event that is not dealt with.
    pub(super) next: u64,
    /// Events that the receiver took.
    pub(super) taken: usize,
    /// Why it ended early.
    pub(super) failed: Option<Failed>,
}

impl Target {
    pub(crate) fn of(endpoint: &Endpoint, now: Timestamp) -> Result<Self, OutboxError> {
        Ok(Self {
            source: endpoint.source,
            url: crate::address("url", &endpoint.url)?,
            types: Endpoint { held: Vec::new(), ..endpoint.clone() },
            secrets: endpoint.signing(now),
        })
    }
}

/// Sends one message once.
pub(crate) async fn send(
    parts: &Parts,
    target: &Target,
    log: &Log,
    message: &Message,
    attempt: u32,
) -> Result<(), Failed> {
    let order = message.id.split_once('/').map(|(order, _)| tracing::field::display(order));
    let span = tracing::debug_span!(
        "deliver",
        order_id = order,
        otel.kind = "client",
        endpoint = %target.types.id,
        event = %message.id,
        kind = %message.kind,
        attempt,
        outcome = tracing::field::Empty,
    );
    async {
        let result = send_signed(parts, target, log, message, attempt).await;
        let outcome = result.as_ref().err().map_or("ok", |failed| failed.why.as_str());
        tracing::Span::current().record("outcome", outcome);
        result
    }
    .instrument(span)
    .await
}

async fn send_signed(
    parts: &Parts,
    target: &Target,
    log: &Log,
    message: &Message,
    attempt: u32,
) -> Result<(), Failed> {
    let started = Instant::now();
    let timestamp = parts.clock.now().as_micros() / 1_000_000;
    let signatures: Vec<_> = target
        .secrets
        .iter()
        .map(|secret| secret.sign(&message.id, timestamp, &message.body))
        .collect();
    let mut headers = vec![
        ("content-type", message.content_type.clone()),
        ("webhook-id", message.id.clone()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signatures.join(" ")),
        ("orderkeep-attempt", attempt.to_string()),
    ];
    headers.extend(message.extra.iter().cloned());
    let request = Request { url: target.url.clone(), headers, body: message.body.clone() };
    let result = match parts.transport.post(request).await {
        Ok(Answer { status: 200..=299, .. }) => Ok(()),
        Ok(Answer { status, retry_after }) => Err(Failed {
            why: match status {
                300..=399 => format!("answered {status}; redirects are not followed"),
                _ => format!("answered {status}"),
            },
            status: Some(status),
            retry_after,
        }),
        Err(error) => Err(Failed { why: error.to_string(), status: None, retry_after: None }),
    };
    let took = started.elapsed();
    metrics::attempted(target.types.id, result.is_ok(), took);
    log.push(Delivery {
        event: message.id.clone(),
        kind: message.kind.clone(),
        attempt,
        at: parts.clock.now(),
        took,
        status: match &result {
            Ok(()) => Some(200),
            Err(failed) => failed.status,
        },
        why: result.as_ref().err().map(|failed| failed.why.clone()),
    });
    result
}

/// Sends these, in order. `next` is where the order stands if there are none.
pub(super) async fn fly(
    parts: Arc<Parts>,
    target: Arc<Target>,
    log: Arc<Log>,
    subject: Uuid,
    messages: Vec<Message>,
    mut attempt: u32,
) -> Landed {
    let mut landed = Landed { subject, next: 0, taken: 0, failed: None };
    for message in &messages {
        landed.next = message.version;
        if target.types.wants(&message.kind) {
            if let Err(failed) = send(&parts, &target, &log, message, attempt).await {
                landed.failed = Some(failed);
                return landed;
            }
            landed.taken += 1;
        }
        landed.next += 1;
        attempt = 1;
    }
    landed
}

/// Sends what an order that was held back has waiting, from its history.
pub(super) async fn fly_again(
    parts: Arc<Parts>,
    target: Arc<Target>,
    log: Arc<Log>,
    held: crate::Held,
) -> Landed {
    let id = EntityId(held.subject);
    let after = held.next.saturating_sub(1);
    let events = match parts.store.history(id, after, HISTORY_PAGE).await {
        Ok(events) => events,
        Err(error) => {
            let failed = Failed { why: error.to_string(), status: None, retry_after: None };
            return Landed {
                subject: held.subject,
                next: held.next,
                taken: 0,
                failed: Some(failed),
            };
        }
    };
    let mut messages = Vec::new();
    let mut read = held.next;
    for event in events.into_iter().filter(|event| event.version <= held.through) {
        read = event.version + 1;
        match target.source.write(&parts.render, id, event.version, &event.bytes) {
            Ok(message) => messages.push(message),
            Err(error) => {
                tracing::error!(id = %held.subject, version = event.version, %error, "an event cannot be read, and is not delivered");
            }
        }
    }
    // Nothing left to send: no such event is kept.
    let read = if messages.is_empty() && read == held.next { held.through + 1 } else { read };
    let mut landed = fly(parts, target, log, held.subject, messages, held.attempts + 1).await;
    if landed.failed.is_none() {
        landed.next = read;
    }
    landed
}
