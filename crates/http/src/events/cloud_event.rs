//! One event as a CloudEvent (version 1.0, JSON format).

use orderkeep_core::Timestamp;
use orderkeep_driver::FeedEvent;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{schema, view::EventView};

/// See the module.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CloudEvent {
    /// `1.0`.
    specversion: &'static str,
    /// The order's id and the event's number within it: the same wherever and however often it is told.
    id: String,
    /// `/v1/orders`.
    source: &'static str,
    /// `orderkeep.order.` and the event's name.
    #[serde(rename = "type")]
    kind: String,
    /// The order's id.
    subject: String,
    #[schema(value_type = schema::Time)]
    time: Timestamp,
    datacontenttype: &'static str,
    /// Where a follower stands after it. An extension attribute.
    cursor: String,
    /// As in the order's history.
    data: EventView,
}

impl From<FeedEvent> for CloudEvent {
    fn from(event: FeedEvent) -> Self {
        let FeedEvent { cursor, order_id, version, record } = event;
        Self {
            specversion: "1.0",
            id: format!("{order_id}/{version}"),
            source: "/v1/orders",
            kind: format!("orderkeep.order.{}", record.event.name()),
            subject: order_id.to_string(),
            time: record.at,
            datacontenttype: "application/json",
            cursor: cursor.to_string(),
            data: EventView::new(version, record),
        }
    }
}

impl CloudEvent {
    pub(super) fn cursor(&self) -> &str {
        &self.cursor
    }
}
