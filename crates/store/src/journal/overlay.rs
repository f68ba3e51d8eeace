//! What is durable in the journal and not yet in the rows.
//!
//! A read looks here first and in the rows after it. An entry leaves only once its row is written; a slice that is
//! being written touches the rows of entries that are here, and of no others. So whoever holds the lock sees one state:
//! what is here is not read from the rows, and what is not here does not change in them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use crate::{
    Claim, EntityId, Kind, Label, Micros, PartitionId,
    record::{BaseRow, HistorySpan, InboxRow, ViewRow},
};

use super::{
    sealed::{Sealed, at_rest},
    stage::Changes,
};

/// What the rows hold of an entity at present, as far as it must be known to replace it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) labels: Vec<Label>,
    pub(crate) wake_up: Option<Micros>,
    /// Where its state is.
    pub(crate) place: Place,
}

/// Where the state of an entity is, besides the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In rows; the view's has so many parts.
    Rows(u16),
    /// It is sealed, and has no row.
    Sealed,
}

/// An entity whose row is behind.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) row: Arc<ViewRow>,
    /// The first entry that is not in its row.
    pub(crate) since: u64,
    /// `None`: it has no row yet.
    pub(crate) stored: Option<Stored>,
    pub(crate) history: Vec<HistorySpan>,
    pub(crate) claims: Vec<Claim>,
}

/// How an inbox item stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ItemState {
    /// It waits, perhaps parked.
    Waiting(Arc<InboxRow>),
    /// It is worked off.
    Finished,
}

/// An inbox item whose row is behind.
#[derive(Debug)]
pub(crate) struct PendingItem {
    pub(crate) state: ItemState,
    pub(crate) since: u64,
    /// Parts of its row; `None`: it has none.
    pub(crate) stored: Option<u16>,
}

/// Whose row is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DirtyKey {
    Entity(EntityId),
    Item(u64),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Overlay {
    /// The durable head.
    pub(crate) durable: u64,
    /// Up to where the rows are complete, as last written.
    pub(crate) watermark: u64,
    pub(crate) entities: BTreeMap<EntityId, Box<Pending>>,
    pub(crate) wake_ups: BTreeSet<(PartitionId, Micros, EntityId)>,
    pub(crate) claims: HashMap<Claim, EntityId>,
    pub(crate) items: BTreeMap<u64, PendingItem>,
    /// No later item than this one has a row: what came after it is here, or is worked off.
    pub(crate) item_rows_end: u64,
    /// By the first entry that is missing in the row: the order in which rows are written.
    pub(crate) dirty: BTreeSet<(u64, DirtyKey)>,
    /// How many of the entities are at rest.
    pub(crate) at_rest: usize,
    /// About how much memory the rows here take.
    pub(crate) bytes: usize,
    /// At the durable head.
    pub(crate) counts: BTreeMap<(Kind, Label), u64>,
    /// At the durable head.
    pub(crate) inbox_len: u64,
    /// What is sealed, as last written.
    pub(crate) sealed: Sealed,
    /// Where the journal begins.
    pub(crate) base: BaseRow,
    /// Who is leaving just now: nobody looks at their rows.
    pub(crate) leaving: HashSet<EntityId>,
}

impl Overlay {
    /// Nothing is behind.
    pub(crate) fn new(
        watermark: u64,
        counts: BTreeMap<(Kind, Label), u64>,
        inbox_len: u64,
        sealed: Sealed,
        base: BaseRow,
    ) -> Self {
        Self {
            durable: watermark,
            watermark,
            entities: BTreeMap::new(),
            wake_ups: BTreeSet::new(),
            claims: HashMap::new(),
            items: BTreeMap::new(),
            item_rows_end: watermark,
            dirty: BTreeSet::new(),
            at_rest: 0,
            bytes: 0,
            counts,
            inbox_len,
            sealed,
            base,
            leaving: HashSet::new(),
        }
    }

    /// Takes in a group that has become durable.
    pub(crate) fn publish(&mut self, changes: Changes, durable: u64) {
        for (id, touched) in changes.entities {
            let before = touched.before.as_deref().map_or(&[][..], |row| &row.labels);
            self.count(before, &touched.row);
            if let Some(at) = touched.row.wake_up {
                self.wake_ups.insert((touched.row.partition, at, id));
            }
            self.bytes += weight(&touched.row);
            self.at_rest += usize::from(at_rest(&touched.row));
            if let Some(pending) = self.entities.get_mut(&id) {
                self.bytes -= weight(&pending.row);
                self.at_rest -= usize::from(at_rest(&pending.row));
                if let Some(at) = pending.row.wake_up
                    && touched.row.wake_up != Some(at)
                {
                    self.wake_ups.remove(&(pending.row.partition, at, id));
                }
                pending.row = touched.row;
                pending.history.extend(touched.history);
                pending.claims.extend(touched.claims);
            } else {
                self.dirty.insert((touched.since, DirtyKey::Entity(id)));
                let pending = Pending {
                    row: touched.row,
                    since: touched.since,
                    stored: touched.stored,
                    history: touched.history,
                    claims: touched.claims,
                };
                self.entities.insert(id, Box::new(pending));
            }
        }
        self.claims.extend(changes.claims);
        for (seq, heard) in changes.items {
            self.publish_item(seq, heard);
        }
        self.inbox_len = self.inbox_len.saturating_add_signed(changes.inbox_delta);
        self.durable = durable;
    }

    fn publish_item(&mut self, seq: u64, heard: PendingItem) {
        let (stored, since) = match self.items.remove(&seq) {
            Some(old) => {
                self.dirty.remove(&(old.since, DirtyKey::Item(seq)));
                self.bytes -= item_weight(&old.state);
                (old.stored, old.since)
            }
            None => (heard.stored, heard.since),
        };
        if heard.state == ItemState::Finished && stored.is_none() {
            // It came and went before anybody wrote a row.
            return;
        }
        self.bytes += item_weight(&heard.state);
        self.dirty.insert((since, DirtyKey::Item(seq)));
        self.items.insert(seq, PendingItem { state: heard.state, since, stored });
    }

    fn count(&mut self, before: &[Label], row: &ViewRow) {
        for label in before.iter().filter(|label| !row.labels.contains(label)) {
            let count = self.counts.entry((row.kind, label.clone())).or_insert(0);
            *count = count.saturating_sub(1);
        }
        for label in row.labels.iter().filter(|label| !before.contains(label)) {
            *self.counts.entry((row.kind, label.clone())).or_insert(0) += 1;
        }
    }

    /// Lets an entity go whose row has been written.
    pub(crate) fn settle_entity(&mut self, id: EntityId) {
        let Some(pending) = self.entities.remove(&id) else {
            return;
        };
        self.bytes -= weight(&pending.row);
        self.at_rest -= usize::from(at_rest(&pending.row));
        self.dirty.remove(&(pending.since, DirtyKey::Entity(id)));
        if let Some(at) = pending.row.wake_up {
            self.wake_ups.remove(&(pending.row.partition, at, id));
        }
        for claim in &pending.claims {
            self.claims.remove(claim);
        }
    }

    /// Lets an inbox item go whose row has been written or removed.
    pub(crate) fn settle_item(&mut self, seq: u64) {
        self.item_rows_end = self.item_rows_end.max(seq);
        if let Some(item) = self.items.remove(&seq) {
            self.dirty.remove(&(item.since, DirtyKey::Item(seq)));
            self.bytes -= item_weight(&item.state);
        }
    }
}

/// An entry's keys, maps and allocations, roughly.
const FRAME_BYTES: usize = 256;

fn weight(row: &ViewRow) -> usize {
    FRAME_BYTES + row.view.len()
}

fn item_weight(state: &ItemState) -> usize {
    match state {
        ItemState::Waiting(row) => FRAME_BYTES + row.body.len(),
        ItemState::Finished => FRAME_BYTES,
    }
}
