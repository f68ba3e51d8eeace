//! The rows behind the journal: what can be looked up without reading it.
//!
//! All of them can be rebuilt from the journal; none of them is ever the only place of anything.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Claim, Entity, EntityId, Incarnation, Kind, Label, Micros, PartitionId, Version};

use super::{Record, RecordError, old, payload_of};

/// An entity's present state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ViewRow {
    /// The last entry that is in it; replay leaves out everything up to it.
    pub(crate) seq: u64,
    pub(crate) kind: Kind,
    pub(crate) partition: PartitionId,
    pub(crate) version: Version,
    pub(crate) wake_up: Option<Micros>,
    pub(crate) labels: Vec<Label>,
    pub(crate) view: Bytes,
    /// The claims that point to it; those that version 1 of this record did not know have rows.
    #[serde(with = "shared")]
    pub(crate) claims: Arc<Vec<Claim>>,
}

/// A list that one state hands on to the next.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        list: &Arc<Vec<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        list.as_slice().serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<Vec<T>>, D::Error> {
        Vec::deserialize(deserializer).map(Arc::new)
    }
}

impl ViewRow {
    pub(crate) fn entity(&self, id: EntityId) -> Entity {
        Entity {
            id,
            kind: self.kind,
            partition: self.partition,
            version: self.version,
            view: self.view.clone(),
            labels: self.labels.clone(),
            wake_up: self.wake_up,
        }
    }
}

impl Record for ViewRow {
    const KIND: &'static str = "view";
    const VERSION: u16 = 2;

    fn read(version: u16, payload: &[u8]) -> Result<Self, RecordError> {
        if version == 1 {
            return payload_of::<old::ViewRow>(Self::KIND, payload).map(Self::from);
        }
        payload_of(Self::KIND, payload)
    }
}

/// Whose a claim is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClaimRow {
    pub(crate) holder: EntityId,
}

impl Record for ClaimRow {
    const KIND: &'static str = "claim";
    const VERSION: u16 = 1;
}

/// Where a stretch of an entity's events is. The row's key names the version of its first event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HistoryRow {
    pub(crate) spans: Vec<HistorySpan>,
}

/// The events `first .. first + events` are in the journal entry `seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HistorySpan {
    pub(crate) first: Version,
    pub(crate) events: u32,
    pub(crate) seq: u64,
}

impl HistorySpan {
    /// The version of its last event.
    pub(crate) fn last(&self) -> Version {
        (self.first + u64::from(self.events)).saturating_sub(1)
    }
}

impl Record for HistoryRow {
    const KIND: &'static str = "history";
    const VERSION: u16 = 1;
}

/// An inbox item that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InboxRow {
    pub(crate) account: String,
    pub(crate) received_at: Micros,
    pub(crate) body: Bytes,
    pub(crate) parked: Option<String>,
}

impl Record for InboxRow {
    const KIND: &'static str = "inbox";
    const VERSION: u16 = 1;
}

/// Which store this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MetaRow {
    /// This life of the store.
    pub(crate) incarnation: Incarnation,
}

impl Record for MetaRow {
    const KIND: &'static str = "meta";
    const VERSION: u16 = 2;

    /// Version 1 knew no life but the first one.
    fn read(version: u16, payload: &[u8]) -> Result<Self, RecordError> {
        if version == 1 {
            let id = payload_of::<Uuid>(Self::KIND, payload)?;
            return Ok(Self { incarnation: Incarnation { id, restored_from: None } });
        }
        payload_of(Self::KIND, payload)
    }
}

/// Up to which entry the rows are complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WatermarkRow {
    pub(crate) seq: u64,
}

impl Record for WatermarkRow {
    const KIND: &'static str = "watermark";
    const VERSION: u16 = 1;
}

/// How many written view rows carry a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CountRow {
    pub(crate) entities: u64,
}

impl Record for CountRow {
    const KIND: &'static str = "count";
    const VERSION: u16 = 1;
}
