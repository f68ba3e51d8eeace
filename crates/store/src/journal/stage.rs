//! One group of steps, checked one after the other against what was appended before them.
//!
//! Looks at the steps of the group itself, then the overlay, then the rows. Changes nothing outside itself: a group that
//! does not reach the disk is dropped with it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{
    Change, Claim, Commit, CommitError, Committed, EntityId, Label, NewInboxItem, Position,
    kv::{Kv, KvError, Space, wide},
    record::{
        ChangeEntry, ClaimRow, Entry, HistorySpan, InboxEntry, InboxRow, NewView, SealedEntity,
        ViewRow, decode,
    },
};

use super::{
    accept, keys,
    overlay::{ItemState, Overlay, PendingItem, Place, Stored},
};

/// What a caller asks to be appended.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Commit(Commit),
    Arrival(NewInboxItem),
}

/// An entity as the group leaves it.
#[derive(Debug)]
pub(crate) struct Touched {
    pub(crate) row: Arc<ViewRow>,
    /// As it was before the group.
    pub(crate) before: Option<Arc<ViewRow>>,
    /// What the rows hold of it.
    pub(crate) stored: Option<Stored>,
    /// The first entry of the group that changes it.
    pub(crate) since: u64,
    pub(crate) history: Vec<HistorySpan>,
    pub(crate) claims: Vec<Claim>,
}

/// What a group changes.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) entities: HashMap<EntityId, Touched>,
    pub(crate) claims: HashMap<Claim, EntityId>,
    pub(crate) items: BTreeMap<u64, PendingItem>,
    pub(crate) inbox_delta: i64,
}

/// A group in the making.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    overlay: &'a Overlay,
    kv: &'a dyn Kv,
    /// The sequence of the next entry.
    next: u64,
    changes: Changes,
    entries: Vec<Entry>,
    /// Entries come from the journal, not from callers.
    replaying: bool,
}

/// The appended state of an entity, and what its rows hold.
type Current = Option<(Arc<ViewRow>, Option<Stored>)>;

/// An inbox item that waits, and the parts of its row.
type Waiting = Option<(Arc<InboxRow>, Option<u16>)>;

impl<'a> Stage<'a> {
    pub(crate) fn new(overlay: &'a Overlay, kv: &'a dyn Kv, next: u64) -> Self {
        Self {
            overlay,
            kv,
            next,
            changes: Changes::default(),
            entries: Vec::new(),
            replaying: false,
        }
    }

    /// A stage that takes in entries of the journal again.
    pub(crate) fn replaying(overlay: &'a Overlay, kv: &'a dyn Kv) -> Self {
        Self { replaying: true, ..Self::new(overlay, kv, 0) }
    }

    /// The entries and what they change.
    pub(crate) fn finish(self) -> (Vec<Entry>, Changes) {
        (self.entries, self.changes)
    }

    /// Takes a step in, or refuses it and stays as it was.
    pub(crate) fn accept(&mut self, step: Step) -> Result<Result<Committed, CommitError>, KvError> {
        let entry = match step {
            Step::Arrival(item) => match accept::arrival(item) {
                Ok(entry) => entry,
                Err(refused) => return Ok(Err(refused)),
            },
            Step::Commit(commit) => match accept::commit(commit) {
                Ok(entry) => entry,
                Err(refused) => return Ok(Err(refused)),
            },
        };
        let current = self.current(&entry)?;
        let fresh = match self.check(&entry, &current)? {
            Ok(fresh) => fresh,
            Err(refused) => return Ok(Err(refused)),
        };
        let position = self.next;
        let before = current.as_ref().map(|(row, _)| row.view.clone());
        let version = self.enter(&entry, current, fresh, position)?;
        let mut entry = entry;
        if let (Entry::Commit { change: Some(change), .. }, Some(before)) = (&mut entry, before) {
            change.patch(&before);
        }
        self.entries.push(entry);
        self.next += 1;
        Ok(Ok(Committed { version, position: Position(position) }))
    }

    /// Takes in an entry of the journal again. Rows may be ahead of the watermark: what is in them already is left out.
    pub(crate) fn replay(&mut self, entry: &Entry, position: u64) -> Result<(), KvError> {
        let current = self.current(entry)?;
        if let Entry::Commit { change: Some(change), .. } = entry {
            let found = &current;
            let (seq, version) = found.as_ref().map_or((0, 0), |(row, _)| (row.seq, row.version));
            if seq < position && version != change.before {
                return Err(KvError::Damaged(format!(
                    "views: {:?} is at version {version}, but journal entry {position} continues \
                     version {}",
                    change.id, change.before
                )));
            }
        }
        let fresh = match entry {
            Entry::Commit { change: Some(change), .. } => {
                let mut fresh = Vec::new();
                for claim in &change.claims {
                    if !fresh.contains(claim) && self.holder(claim)?.is_none() {
                        fresh.push(claim.clone());
                    }
                }
                fresh
            }
            Entry::Commit { change: None, .. } | Entry::Arrival { .. } => Vec::new(),
        };
        self.enter(entry, current, fresh, position)?;
        Ok(())
    }

    /// The entity that an entry changes, before it.
    fn current(&self, entry: &Entry) -> Result<Current, KvError> {
        match entry {
            Entry::Commit { change: Some(change), .. } => self.entity(change.id),
            Entry::Commit { change: None, .. } | Entry::Arrival { .. } => Ok(None),
        }
    }

    /// The claims of the entry that nobody holds yet, none twice; or why it is refused.
    fn check(
        &self,
        entry: &Entry,
        current: &Current,
    ) -> Result<Result<Vec<Claim>, CommitError>, KvError> {
        let mut fresh = Vec::new();
        let Entry::Commit { change, inbox } = entry else {
            return Ok(Ok(fresh));
        };
        if let Some(change) = change {
            if current.is_none() && self.has_left(&keys::left_id(change.id))? {
                return Ok(Err(CommitError::Left { claim: None }));
            }
            if let Err(refused) = check_version(change, current) {
                return Ok(Err(refused));
            }
            for claim in &change.claims {
                match self.holder(claim)? {
                    Some(holder) if holder != change.id => {
                        return Ok(Err(CommitError::Claimed { claim: claim.clone(), holder }));
                    }
                    Some(_) => {}
                    None if fresh.contains(claim) => {}
                    None if self.has_left(&keys::left_claim(claim))? => {
                        return Ok(Err(CommitError::Left { claim: Some(claim.clone()) }));
                    }
                    None => fresh.push(claim.clone()),
                }
            }
        }
        let mut finished = Vec::new();
        for item in inbox {
            let (InboxEntry::Finished { seq, .. } | InboxEntry::Parked { seq, .. }) = item;
            if finished.contains(&seq.0) || self.item(seq.0)?.is_none() {
                return Ok(Err(CommitError::InboxGone(*seq)));
            }
            if matches!(item, InboxEntry::Finished { .. }) {
                finished.push(seq.0);
            }
        }
        Ok(Ok(fresh))
    }

    /// Enters a checked entry with its new claims; gives the version of the entity after it.
    fn enter(
        &mut self,
        entry: &Entry,
        current: Current,
        fresh: Vec<Claim>,
        position: u64,
    ) -> Result<u64, KvError> {
        match entry {
            Entry::Arrival { account, received_at, body } => {
                let stored = self.row_of_arrival(position)?;
                let row = InboxRow {
                    account: account.clone(),
                    received_at: *received_at,
                    body: body.clone(),
                    parked: None,
                };
                if stored.is_none() {
                    self.changes.inbox_delta += 1;
                }
                self.put_item(position, ItemState::Waiting(Arc::new(row)), stored, position);
                Ok(0)
            }
            Entry::Commit { change, inbox } => {
                for item in inbox {
                    self.enter_item(item, position)?;
                }
                match change {
                    Some(change) => self.enter_change(change, current, fresh, position),
                    None => Ok(0),
                }
            }
        }
    }

    /// Only in a replay can an item have a row before it arrives: the rows may be ahead of the watermark.
    fn row_of_arrival(&self, position: u64) -> Result<Option<u16>, KvError> {
        if !self.replaying {
            return Ok(None);
        }
        let row = wide::get(self.kv, Space::Inbox, &keys::seq(position))?;
        Ok(row.map(|(_, parts)| parts))
    }

    fn enter_item(&mut self, item: &InboxEntry, position: u64) -> Result<(), KvError> {
        let (InboxEntry::Finished { seq, .. } | InboxEntry::Parked { seq, .. }) = item;
        // Gone only in a replay, when the rows are ahead.
        let Some((row, stored)) = self.item(seq.0)? else {
            return Ok(());
        };
        let state = match item {
            InboxEntry::Finished { .. } => {
                self.changes.inbox_delta -= 1;
                ItemState::Finished
            }
            InboxEntry::Parked { reason, .. } => ItemState::Waiting(Arc::new(InboxRow {
                parked: Some(reason.clone()),
                ..(*row).clone()
            })),
        };
        self.put_item(seq.0, state, stored, position);
        Ok(())
    }

    fn put_item(&mut self, seq: u64, state: ItemState, stored: Option<u16>, position: u64) {
        let since = self.changes.items.get(&seq).map_or(position, |item| item.since);
        self.changes.items.insert(seq, PendingItem { state, since, stored });
    }

    fn enter_change(
        &mut self,
        change: &ChangeEntry,
        found: Current,
        fresh: Vec<Claim>,
        position: u64,
    ) -> Result<u64, KvError> {
        if let Some((row, _)) = &found
            && row.seq >= position
        {
            return Ok(row.version);
        }
        let events = change.events.len() as u64;
        let (before, stored) = found.unzip();
        let old = before.as_deref();
        let old_view = old.map(|row| row.view.clone()).unwrap_or_default();
        let mut claims = old.map(|row| Arc::clone(&row.claims)).unwrap_or_default();
        if !fresh.is_empty() {
            Arc::make_mut(&mut claims).extend(fresh.iter().cloned());
        }
        let row = Arc::new(ViewRow {
            seq: position,
            kind: change.kind,
            partition: change.partition,
            version: change.before + events,
            wake_up: change.wake_up,
            labels: change.labels.clone(),
            view: match &change.view {
                Some(view) => view.whole(&old_view)?,
                None => old_view,
            },
            claims,
        });
        for claim in &fresh {
            self.changes.claims.insert(claim.clone(), change.id);
        }
        let touched = self.changes.entities.entry(change.id).or_insert_with(|| Touched {
            row: Arc::clone(&row),
            before,
            stored: stored.flatten(),
            since: position,
            history: Vec::new(),
            claims: Vec::new(),
        });
        if let Ok(events @ 1..) = u32::try_from(events) {
            touched.history.push(HistorySpan { first: change.before + 1, events, seq: position });
        }
        touched.claims.extend(fresh);
        let version = row.version;
        touched.row = row;
        Ok(version)
    }

    fn entity(&self, id: EntityId) -> Result<Current, KvError> {
        if let Some(touched) = self.changes.entities.get(&id) {
            return Ok(Some((Arc::clone(&touched.row), touched.stored.clone())));
        }
        if let Some(pending) = self.overlay.entities.get(&id) {
            return Ok(Some((Arc::clone(&pending.row), pending.stored.clone())));
        }
        let Some((bytes, parts)) = wide::get(self.kv, Space::Views, &keys::entity(id))? else {
            let found = self.overlay.sealed.entity(self.kv, id)?;
            return Ok(found.map(|SealedEntity { row, .. }| {
                let labels = row.labels.clone();
                let stored = Stored { labels, wake_up: row.wake_up, place: Place::Sealed };
                (Arc::new(row), Some(stored))
            }));
        };
        let row: ViewRow = decode(&bytes)?;
        let stored =
            Stored { labels: row.labels.clone(), wake_up: row.wake_up, place: Place::Rows(parts) };
        Ok(Some((Arc::new(row), Some(stored))))
    }

    fn holder(&self, claim: &Claim) -> Result<Option<EntityId>, KvError> {
        if let Some(holder) =
            self.changes.claims.get(claim).or_else(|| self.overlay.claims.get(claim))
        {
            return Ok(Some(*holder));
        }
        match self.kv.get(Space::Claims, &claim.0)? {
            Some(bytes) => Ok(Some(decode::<ClaimRow>(&bytes)?.holder)),
            None => self.overlay.sealed.holder(self.kv, claim),
        }
    }

    fn has_left(&self, hash: &[u8]) -> Result<bool, KvError> {
        Ok(self.overlay.base.left > 0 && self.kv.get(Space::Left, hash)?.is_some())
    }

    /// A waiting inbox item.
    fn item(&self, seq: u64) -> Result<Waiting, KvError> {
        let known = self.changes.items.get(&seq).or_else(|| self.overlay.items.get(&seq));
        if let Some(item) = known {
            return Ok(match &item.state {
                ItemState::Waiting(row) => Some((Arc::clone(row), item.stored)),
                ItemState::Finished => None,
            });
        }
        match wide::get(self.kv, Space::Inbox, &keys::seq(seq))? {
            Some((bytes, parts)) => Ok(Some((Arc::new(decode(&bytes)?), Some(parts)))),
            None => Ok(None),
        }
    }
}

impl Changes {
    /// Rows that were written together with this group: what the group saw of them is out of date.
    pub(crate) fn rebase_entity(&mut self, id: EntityId, stored: &Stored) {
        if let Some(touched) = self.entities.get_mut(&id) {
            touched.stored = Some(stored.clone());
        }
    }

    /// As [`Changes::rebase_entity`], for an inbox item.
    pub(crate) fn rebase_item(&mut self, seq: u64, stored: Option<u16>) {
        if let Some(item) = self.items.get_mut(&seq) {
            item.stored = stored;
        }
    }
}

fn check_version(change: &ChangeEntry, current: &Current) -> Result<(), CommitError> {
    let version = current.as_ref().map_or(0, |(row, _)| row.version);
    if version != change.before {
        return Err(CommitError::Conflict {
            id: change.id,
            expected: change.before,
            found: version,
        });
    }
    let Some((row, _)) = current else {
        if change.events.is_empty() {
            return Err(CommitError::Invalid(format!(
                "{:?} does not exist and the change has no event",
                change.id
            )));
        }
        return Ok(());
    };
    if row.kind != change.kind || row.partition != change.partition {
        return Err(CommitError::Invalid(format!(
            "{:?} is of {:?} in {:?}, the change says {:?} in {:?}; both are fixed by the first \
             commit",
            change.id, row.kind, row.partition, change.kind, change.partition
        )));
    }
    Ok(())
}

/// The labels as they are kept: in the given order, none twice.
pub(crate) fn unique(labels: Vec<Label>) -> Vec<Label> {
    let mut kept: Vec<Label> = Vec::with_capacity(labels.len());
    for label in labels {
        if !kept.contains(&label) {
            kept.push(label);
        }
    }
    kept
}

impl ChangeEntry {
    pub(crate) fn of(partition: crate::PartitionId, change: Change) -> Self {
        Self {
            id: change.id,
            kind: change.kind,
            partition,
            before: change.expected,
            events: change.events,
            view: change.view.map(NewView::Whole),
            labels: unique(change.labels),
            wake_up: change.wake_up,
            claims: change.claims,
        }
    }

    /// Writes the view down as what is new against the one before.
    pub(crate) fn patch(&mut self, before: &[u8]) {
        if let Some(NewView::Whole(view)) =
            self.view.take_if(|view| matches!(view, NewView::Whole(_)))
        {
            self.view = Some(NewView::after(before, view));
        }
    }
}
