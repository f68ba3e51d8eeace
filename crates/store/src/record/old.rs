//! Shapes that are read and never written again.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    NewView,
    journal::{self, Chain, InboxEntry},
    rows,
};
use crate::{Claim, EntityId, Kind, Label, Micros, PartitionId, Version};

/// Version 1 of a journal record: nothing packed, every view whole.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct JournalRecord {
    pub(super) chain: Chain,
    pub(super) first: u64,
    pub(super) entries: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Entry {
    Commit { change: Option<ChangeEntry>, inbox: Vec<InboxEntry> },
    Arrival { account: String, received_at: Micros, body: Bytes },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChangeEntry {
    id: EntityId,
    kind: Kind,
    partition: PartitionId,
    before: Version,
    events: Vec<Bytes>,
    view: Option<Bytes>,
    labels: Vec<Label>,
    wake_up: Option<Micros>,
    claims: Vec<Claim>,
}

impl From<Entry> for journal::Entry {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Commit { change, inbox } => {
                Self::Commit { change: change.map(journal::ChangeEntry::from), inbox }
            }
            Entry::Arrival { account, received_at, body } => {
                Self::Arrival { account, received_at, body }
            }
        }
    }
}

impl From<ChangeEntry> for journal::ChangeEntry {
    fn from(old: ChangeEntry) -> Self {
        Self {
            id: old.id,
            kind: old.kind,
            partition: old.partition,
            before: old.before,
            events: old.events,
            view: old.view.map(NewView::Whole),
            labels: old.labels,
            wake_up: old.wake_up,
            claims: old.claims,
        }
    }
}

/// Version 1 of a view row: it does not say its claims.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ViewRow {
    seq: u64,
    kind: Kind,
    partition: PartitionId,
    version: Version,
    wake_up: Option<Micros>,
    labels: Vec<Label>,
    view: Bytes,
}

impl From<ViewRow> for rows::ViewRow {
    fn from(old: ViewRow) -> Self {
        Self {
            seq: old.seq,
            kind: old.kind,
            partition: old.partition,
            version: old.version,
            wake_up: old.wake_up,
            labels: old.labels,
            view: old.view,
            claims: Arc::default(),
        }
    }
}
