//! One event as a CloudEvent (version 1.0, JSON format).

use orderkeep_core::{EventRecord, OrderId, Timestamp};
use orderkeep_driver::FeedEvent;
use serde::Serialize;
use utoipa::ToSchema;

use super::EventType;
use crate::view::EventView;

/// See the module.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CloudEvent {
    /// `1.0`.
    specversion: &'static str,
    /// The order's id and the event's number within it: the same wherever and however often it is told.
    id: String,
    /// `/v1/orders`.
    source: &'static str,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(value_type = EventType)]
    kind: String,
    /// The order's id.
    subject: String,
    /// When it happened.
    time: Timestamp,
    /// `application/json`.
    datacontenttype: &'static str,
    /// Where a follower stands after it. An extension attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// As in the order's history.
    data: EventView,
}

impl CloudEvent {
    fn new(order_id: OrderId, version: u64, record: EventRecord) -> Self {
        Self {
            specversion: "1.0",
            id: format!("{order_id}/{version}"),
            source: "/v1/orders",
            kind: orderkeep_outbox::event_type(record.event.name()),
            subject: order_id.to_string(),
            time: record.at,
            datacontenttype: "application/json",
            cursor: None,
            data: EventView::new(version, record),
        }
    }

    pub(super) fn cursor(&self) -> &str {
        self.cursor.as_deref().unwrap_or_default()
    }
}

impl From<FeedEvent> for CloudEvent {
    fn from(event: FeedEvent) -> Self {
        let FeedEvent { cursor, order_id, version, record } = event;
        Self { cursor: Some(cursor.to_string()), ..Self::new(order_id, version, record) }
    }
}

/// One event as the body of a webhook: as `/v1/events` tells it, without the cursor, which is the follower's.
///
/// # Errors
/// It cannot be written; no event of ours is such.
pub fn event_body(order_id: OrderId, version: u64, record: EventRecord) -> Result<Vec<u8>, String> {
    serde_json::to_vec(&CloudEvent::new(order_id, version, record))
        .map_err(|error| error.to_string())
}
