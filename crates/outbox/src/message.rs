//! One event as it is sent: the same bytes at every attempt.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use orderkeep_core::{EventRecord, OrderId, Timestamp};
use orderkeep_driver::{
    EngineError, codec,
    records::{ORDER, OTHER_WEBHOOK, OtherWebhook},
};
use orderkeep_store::{EntityId, Kind};

use crate::Source;

/// What the types of all events begin with.
pub const EVENT_TYPE_PREFIX: &str = "orderkeep.order.";

/// The type of an event.
#[must_use]
pub fn event_type(name: &str) -> String {
    format!("{EVENT_TYPE_PREFIX}{name}")
}

type Writes = dyn Fn(OrderId, u64, EventRecord) -> Result<Vec<u8>, String> + Send + Sync;

/// Writes an event of an order (its number, the event) as the body of a webhook.
#[derive(Clone)]
pub struct Render(Arc<Writes>);

impl Render {
    /// Writes with this function.
    pub fn new(
        render: impl Fn(OrderId, u64, EventRecord) -> Result<Vec<u8>, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(render))
    }
}

impl fmt::Debug for Render {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Render(..)")
    }
}

/// One event, written.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) kind: String,
    pub(crate) at: Timestamp,
    pub(crate) content_type: String,
    /// Headers beside the usual ones.
    pub(crate) extra: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Source {
    /// Which entities' events it is made of.
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Orders => ORDER,
            Self::OtherWebhooks => OTHER_WEBHOOK,
        }
    }

    pub(crate) fn write(
        self,
        render: &Render,
        id: EntityId,
        version: u64,
        bytes: &[u8],
    ) -> Result<Message, EngineError> {
        match self {
            Self::Orders => {
                let record: EventRecord = codec::decode(bytes)?;
                let (kind, at) = (event_type(record.event.name()), record.at);
                let order = OrderId(id.0);
                let body = (render.0)(order, version, record).map_err(EngineError::Store)?;
                Ok(Message {
                    id: format!("{order}/{version}"),
                    version,
                    kind,
                    at,
                    content_type: "application/json".to_owned(),
                    extra: Vec::new(),
                    body: body.into(),
                })
            }
            Self::OtherWebhooks => {
                let heard: OtherWebhook = codec::decode(bytes)?;
                Ok(Message {
                    id: id.0.to_string(),
                    version,
                    extra: vec![
                        ("orderkeep-webhook-kind", heard.kind.clone()),
                        ("orderkeep-account", heard.account),
                        ("orderkeep-received-at", heard.received_at.to_string()),
                    ],
                    kind: heard.kind,
                    at: heard.received_at,
                    content_type: heard.content_type,
                    body: heard.body.into(),
                })
            }
        }
    }
}
