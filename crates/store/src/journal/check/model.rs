//! The state that the journal says, folded the plain way.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{
    EntityId, Kind, Label, Micros, PartitionId, Version,
    journal::keys,
    record::{ChangeEntry, Entry, HistorySpan, InboxEntry, InboxRow, ViewRow},
};

/// Stands for bytes that need not be kept.
pub(super) type Print = [u8; 32];

pub(super) fn print(bytes: &[u8]) -> Print {
    Sha256::digest(bytes).into()
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) entities: BTreeMap<EntityId, EntityModel>,
    pub(super) claims: BTreeMap<Vec<u8>, EntityId>,
    pub(super) items: BTreeMap<u64, Item>,
    /// The last entry that is gone: what is kept of those before it is where the fold begins.
    pub(super) base: u64,
}

#[derive(Debug)]
pub(super) struct EntityModel {
    kind: Kind,
    partition: PartitionId,
    version: Version,
    view: Seen,
    /// The version of its last view, as its row says.
    last: Version,
    labels: Vec<Label>,
    wake_up: Option<Micros>,
    pub(super) spans: Vec<HistorySpan>,
}

/// A view as the fold has it.
#[derive(Debug)]
enum Seen {
    /// Whole, as long as more are to come: the journal says of the next one only what is new.
    Whole(Bytes),
    /// The last one.
    Last(Print),
}

impl Seen {
    fn of(view: Bytes, is_last: bool) -> Self {
        if is_last { Self::Last(print(&view)) } else { Self::Whole(view) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    account: String,
    received_at: Micros,
    body: Print,
    parked: Option<String>,
}

impl Item {
    pub(super) fn of(row: &InboxRow) -> Self {
        Self {
            account: row.account.clone(),
            received_at: row.received_at,
            body: print(&row.body),
            parked: row.parked.clone(),
        }
    }
}

impl Model {
    /// Begins with an entity that is kept.
    pub(super) fn keep(&mut self, id: EntityId, row: ViewRow, last: Version) -> Result<(), String> {
        for claim in row.claims.iter() {
            if let Some(holder) = self.claims.insert(claim.0.clone(), id) {
                return Err(format!("kept-views: {claim:?} is of {id:?} and of {holder:?}"));
            }
        }
        let entity = EntityModel {
            kind: row.kind,
            partition: row.partition,
            version: row.version,
            view: Seen::of(row.view, row.version >= last),
            last,
            labels: row.labels,
            wake_up: row.wake_up,
            spans: Vec::new(),
        };
        self.entities.insert(id, entity);
        Ok(())
    }

    pub(super) fn version(&self, id: EntityId) -> Option<Version> {
        self.entities.get(&id).map(|entity| entity.version)
    }

    /// Folds one entry; gives the number of its events, or what is impossible about it.
    ///
    /// `last`: at which version an entity ends, as its row says. After that version its view is held no more; a row that
    /// says too little is damage, and is found by what follows.
    pub(super) fn take(
        &mut self,
        position: u64,
        entry: &Entry,
        last: &dyn Fn(EntityId) -> Version,
    ) -> Result<u64, String> {
        match entry {
            Entry::Arrival { account, received_at, body } => {
                let item = Item {
                    account: account.clone(),
                    received_at: *received_at,
                    body: print(body),
                    parked: None,
                };
                self.items.insert(position, item);
                Ok(0)
            }
            Entry::Commit { change, inbox } => {
                for done in inbox {
                    self.take_done(position, done)?;
                }
                match change {
                    Some(change) => self.take_change(position, change, last),
                    None => Ok(0),
                }
            }
        }
    }

    fn take_done(&mut self, position: u64, done: &InboxEntry) -> Result<(), String> {
        match done {
            InboxEntry::Finished { seq, .. } => self.items.remove(&seq.0).map(drop),
            InboxEntry::Parked { seq, reason } => {
                self.items.get_mut(&seq.0).map(|item| item.parked = Some(reason.clone()))
            }
        }
        .ok_or_else(|| format!("journal: entry {position} works off an item that does not wait"))
    }

    fn take_change(
        &mut self,
        position: u64,
        change: &ChangeEntry,
        last: &dyn Fn(EntityId) -> Version,
    ) -> Result<u64, String> {
        let events = change.events.len() as u64;
        let found = self.entities.get(&change.id).map_or(0, |old| old.version);
        if found != change.before {
            return Err(format!(
                "journal: entry {position} continues version {} of {:?}, which is at {found}",
                change.before, change.id
            ));
        }
        for claim in &change.claims {
            let holder = *self.claims.entry(claim.0.clone()).or_insert(change.id);
            if holder != change.id {
                return Err(format!(
                    "journal: entry {position} claims for {:?} what belongs to {holder:?}",
                    change.id
                ));
            }
        }
        let entity = self.entities.entry(change.id).or_insert_with(|| EntityModel {
            kind: change.kind,
            partition: change.partition,
            version: 0,
            view: Seen::Whole(Bytes::new()),
            last: last(change.id),
            labels: Vec::new(),
            wake_up: None,
            spans: Vec::new(),
        });
        if let Some(view) = &change.view {
            let Seen::Whole(before) = &entity.view else {
                return Err(format!(
                    "views: of {:?} says that it ends before journal entry {position}",
                    change.id
                ));
            };
            let view = view
                .whole(before)
                .map_err(|error| format!("journal: entry {position}: {error}"))?;
            entity.view = Seen::of(view, change.before + events >= entity.last);
        }
        if events > 0 {
            entity.spans.push(HistorySpan {
                first: change.before + 1,
                events: u32::try_from(events).unwrap_or(u32::MAX),
                seq: position,
            });
        }
        entity.version = change.before + events;
        entity.labels.clone_from(&change.labels);
        entity.wake_up = change.wake_up;
        Ok(events)
    }

    /// The label rows of those entities that have rows.
    pub(super) fn label_keys(&self, sealed: &BTreeSet<EntityId>) -> BTreeSet<Vec<u8>> {
        self.entities
            .iter()
            .filter(|(id, _)| !sealed.contains(id))
            .flat_map(|(id, entity)| {
                std::iter::once("")
                    .chain(entity.labels.iter().map(|label| label.0.as_str()))
                    .map(|label| keys::label(entity.kind, label, *id))
            })
            .collect()
    }

    pub(super) fn wake_up_keys(&self) -> BTreeSet<Vec<u8>> {
        self.entities
            .iter()
            .filter_map(|(id, entity)| {
                let at = entity.wake_up?;
                Some(keys::wake_up(entity.partition, at, *id))
            })
            .collect()
    }

    pub(super) fn counts(&self) -> BTreeMap<(Kind, Label), u64> {
        let mut counts = BTreeMap::new();
        for entity in self.entities.values() {
            for label in &entity.labels {
                *counts.entry((entity.kind, label.clone())).or_insert(0) += 1;
            }
        }
        counts
    }
}

impl EntityModel {
    fn print(&self) -> Print {
        match &self.view {
            Seen::Whole(view) => print(view),
            Seen::Last(print) => *print,
        }
    }

    /// The first thing in which a row differs.
    pub(super) fn difference(&self, row: &ViewRow, view: Print) -> Option<String> {
        if row.version != self.version {
            return Some(format!(
                "is at version {}, in the journal at {}",
                row.version, self.version
            ));
        }
        let differs = if row.kind != self.kind || row.partition != self.partition {
            "has another kind or partition than in the journal"
        } else if view != self.print() {
            "has another view than in the journal"
        } else if row.labels != self.labels {
            "has other labels than in the journal"
        } else if row.wake_up != self.wake_up {
            "has another wake-up than in the journal"
        } else {
            return None;
        };
        Some(differs.to_owned())
    }
}
