//! What an engineer writes first on redb, to measure a store against: every fact a key of its own, all keys of a group in
//! one transaction, one commit a group.
//!
//! Events, the state, its labels, its wake-up and its claims, the inbox: what a store shows is there to be read. It is
//! given more than it could have: it keeps in memory what it would have to read to replace (labels and wake-up of
//! what is open), and checks no version and no claim.

use std::{collections::HashMap, io, path::Path, sync::Arc};

use crate::{
    Commit, CommitError, Committed, EntityId, InboxSeq, NewInboxItem,
    journal::keys,
    kv::{Batch, Kv, KvError, Space, redb},
    record::{
        ChangeEntry, ClaimRow, Entry, InboxEntry, InboxRow, NewView, RecordError, ViewRow, encode,
    },
};

use super::grouped::{Grouped, Sink};

/// See the module.
#[derive(Debug)]
pub struct RedbPlain {
    log: Grouped,
    kv: Arc<dyn Kv>,
}

impl RedbPlain {
    /// Makes the database in `folder` and starts the thread that writes it. A group has at most `group_entries` steps.
    ///
    /// # Errors
    /// The database cannot be made.
    pub fn create(folder: &Path, cache_bytes: u64, group_entries: usize) -> io::Result<Self> {
        let kv = redb::open(folder, cache_bytes).map_err(io::Error::other)?;
        kv.accept().map_err(io::Error::other)?;
        let kv: Arc<dyn Kv> = Arc::new(kv);
        let writer = Writer { kv: Arc::clone(&kv), rows: HashMap::new() };
        Ok(Self { log: Grouped::start("redb-plain", group_entries, writer)?, kv })
    }

    /// Writes a commit as a store would.
    ///
    /// # Errors
    /// It is malformed, or the database has failed.
    pub async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        self.log.commit(commit).await
    }

    /// Writes an inbox item as a store would.
    ///
    /// # Errors
    /// It is too large, or the database has failed.
    pub async fn append_inbox(&self, item: NewInboxItem) -> Result<InboxSeq, CommitError> {
        self.log.append_inbox(item).await
    }

    /// Ends the thread and closes the database.
    pub fn close(&self) {
        self.log.close();
        self.kv.close();
    }
}

struct Writer {
    kv: Arc<dyn Kv>,
    /// Of those that carry more than one label: the others have ended.
    rows: HashMap<EntityId, ViewRow>,
}

impl Writer {
    fn add(&mut self, batch: &mut Batch, seq: u64, entry: Entry) -> Result<(), RecordError> {
        match entry {
            Entry::Arrival { account, received_at, body } => {
                let row = InboxRow { account, received_at, body, parked: None };
                batch.put(Space::Inbox, keys::seq(seq).to_vec(), encode(&row)?);
            }
            Entry::Commit { change, inbox } => {
                for item in inbox {
                    if let InboxEntry::Finished { seq, .. } = item {
                        batch.remove(Space::Inbox, keys::seq(seq.0).to_vec());
                    }
                }
                if let Some(change) = change {
                    self.change(batch, seq, change)?;
                }
            }
        }
        Ok(())
    }

    fn change(
        &mut self,
        batch: &mut Batch,
        seq: u64,
        change: ChangeEntry,
    ) -> Result<(), RecordError> {
        let ChangeEntry { id, kind, partition, before, events, view, labels, wake_up, claims } =
            change;
        let old = self.rows.remove(&id);
        let version = before + events.len() as u64;
        for (version, event) in (before + 1..).zip(events) {
            batch.put(Space::History, keys::history(id, version), event.to_vec());
        }
        for claim in &claims {
            batch.put(Space::Claims, claim.0.clone(), encode(&ClaimRow { holder: id })?);
        }
        if let Some(old) = &old {
            for label in old.labels.iter().filter(|label| !labels.contains(label)) {
                batch.remove(Space::Labels, keys::label(kind, &label.0, id));
            }
            if let Some(at) = old.wake_up.filter(|_| old.wake_up != wake_up) {
                batch.remove(Space::WakeUps, keys::wake_up(partition, at, id));
            }
        }
        let stood = |label| old.as_ref().is_some_and(|old| old.labels.contains(label));
        for label in labels.iter().filter(|label| !stood(label)) {
            batch.put(Space::Labels, keys::label(kind, &label.0, id), Vec::new());
        }
        if let Some(at) = wake_up {
            batch.put(Space::WakeUps, keys::wake_up(partition, at, id), Vec::new());
        }
        let view = match (view, old) {
            (Some(NewView::Whole(view)), _) => view,
            (Some(NewView::Patch { .. }) | None, old) => {
                old.map(|old| old.view).unwrap_or_default()
            }
        };
        let row = ViewRow {
            seq,
            kind,
            partition,
            version,
            wake_up,
            labels,
            view,
            claims: Arc::default(),
        };
        batch.put(Space::Views, keys::entity(id).to_vec(), encode(&row)?);
        if row.labels.len() > 1 {
            self.rows.insert(id, row);
        }
        Ok(())
    }
}

impl Sink for Writer {
    fn write(&mut self, first: u64, entries: Vec<Entry>) -> Result<(), CommitError> {
        let failed = |error: KvError| CommitError::Halted(error.to_string());
        let mut batch = Batch::default();
        for (seq, entry) in (first..).zip(entries) {
            self.add(&mut batch, seq, entry).map_err(|error| failed(error.into()))?;
        }
        self.kv.apply(batch).and_then(|()| self.kv.sync()).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{
        Change, Claim, InboxDone, Kind, Label, PartitionId,
        kv::{Direction, Span},
    };

    #[tokio::test]
    async fn every_fact_has_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let plain = RedbPlain::create(folder.path(), 1024 * 1024, 4).unwrap();
        let body = Bytes::from_static(b"{}");
        let item = NewInboxItem { account: "default".to_owned(), received_at: 1, body };
        let seq = plain.append_inbox(item).await.unwrap();
        let id = EntityId(uuid::Uuid::from_u128(1));
        let change = |expected, labels: &[&str], wake_up| Change {
            id,
            kind: Kind(1),
            expected,
            events: vec![Bytes::from_static(b"event")],
            view: Some(Bytes::from_static(b"view")),
            labels: labels.iter().copied().map(Label::from).collect(),
            wake_up,
            claims: vec![Claim::new("key", &["a"])],
        };
        for change in [change(0, &["Locked", "open"], Some(7)), change(1, &["Failed"], Some(9))] {
            let done = InboxDone::Finished { seq, disposition: "applied".to_owned() };
            let (partition, change) = (PartitionId::ONLY, Some(change));
            plain.commit(Commit { partition, change, inbox: vec![done] }).await.unwrap();
        }
        let rows = |space| plain.kv.scan(space, &Span::ALL, Direction::Up, 10).unwrap().len();
        let found = [
            Space::History,
            Space::Views,
            Space::Labels,
            Space::WakeUps,
            Space::Claims,
            Space::Inbox,
        ]
        .map(rows);
        assert_eq!(found, [2, 1, 1, 1, 1, 0]);
    }
}
