//! A durable store in a folder of its own: the journal on a backend.

mod compact;
mod config;
mod error;
mod open;
mod swap;
mod transfer;

pub use compact::{Compacted, compact};
pub use config::{Backend, EmbeddedConfig, UnknownBackend};
pub use error::OpenError;
pub use open::backend_of;
pub use transfer::{export, import};

use std::{any::Any, collections::BTreeMap, io};

use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    Backup, BoxFuture, CheckReport, Claim, Commit, CommitError, Committed, Cursor, Due, Entity,
    EntityId, Event, FeedPage, Health, InboxItem, InboxSeq, Incarnation, Kind, Label, ListQuery,
    Micros, NewInboxItem, PartitionId, Position, ReadError, Stats, Store, Version,
    folder::FolderLock, journal::Journal, writer::GroupBounds,
};

use super::threaded::{Running, Threaded};
use open::Life;

/// A durable store in a folder; see [`crate::Store`].
#[derive(Debug)]
pub struct EmbeddedStore {
    inner: Threaded,
}

impl EmbeddedStore {
    /// Opens or creates the store. Blocks for as long as that takes, up to [`EmbeddedConfig::open_timeout`]: call it
    /// before the service serves.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(config: EmbeddedConfig) -> Result<Self, OpenError> {
        open::within(config.open_timeout, config, Self::open_here)
    }

    fn open_here(config: EmbeddedConfig) -> Result<Self, OpenError> {
        let open::Opened { journal, lock, ballast } = open::whole(&config, Life::Found)?;
        let running = Running {
            group: GroupBounds { entries: config.group_entries.max(1), bytes: config.group_bytes },
            queue_bytes: config.queue_bytes,
            commit_timeout: config.commit_timeout,
        };
        match ballast.hold(config.reserve_new_bytes) {
            // On a disk that is nearly full the reserve waits for better days; the store says so by its health.
            Err(error) if error.kind() != io::ErrorKind::StorageFull => {
                return Err(open::at(&config.path)(error));
            }
            Ok(()) | Err(_) => {}
        }
        let keep: Box<dyn Any + Send> = Box::new(lock);
        let inner = Threaded::start(journal, running, keep).map_err(open::at(&config.path))?;
        Ok(Self { inner })
    }

    /// Compares everything that can be looked up with the whole journal. Commits wait while it runs.
    ///
    /// # Errors
    /// The store has stopped.
    pub async fn check(&self) -> Result<CheckReport, ReadError> {
        self.inner.check().await
    }

    /// Figures about the store.
    ///
    /// # Errors
    /// The store has stopped.
    pub async fn stats(&self) -> Result<Stats, ReadError> {
        self.inner.stats().await
    }
}

/// Makes a store in an empty folder, without the threads that run it: an older copy of the life `restored_from`.
pub(crate) fn open_journal(
    config: &EmbeddedConfig,
    restored_from: Option<Uuid>,
) -> Result<(Journal, FolderLock), OpenError> {
    let life = Life::Begin(Incarnation { id: Uuid::new_v4(), restored_from });
    open::whole(config, life).map(|opened| (opened.journal, opened.lock))
}

impl Store for EmbeddedStore {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, CommitError>> {
        self.inner.commit(commit)
    }

    fn append_inbox(&self, item: NewInboxItem) -> BoxFuture<'_, Result<InboxSeq, CommitError>> {
        self.inner.append_inbox(item)
    }

    fn load(&self, id: EntityId) -> BoxFuture<'_, Result<Option<Entity>, ReadError>> {
        self.inner.load(id)
    }

    fn by_claim(&self, claim: &Claim) -> BoxFuture<'_, Result<Option<EntityId>, ReadError>> {
        self.inner.by_claim(claim)
    }

    fn due(
        &self,
        partition: PartitionId,
        until: Micros,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, ReadError>> {
        self.inner.due(partition, until, limit)
    }

    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Vec<Entity>, ReadError>> {
        self.inner.list(query)
    }

    fn counts(&self, kind: Kind) -> BoxFuture<'_, Result<BTreeMap<Label, u64>, ReadError>> {
        self.inner.counts(kind)
    }

    fn history(
        &self,
        id: EntityId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Event>, ReadError>> {
        self.inner.history(id, after, limit)
    }

    fn feed(
        &self,
        after: Option<Cursor>,
        limit: usize,
    ) -> BoxFuture<'_, Result<FeedPage, ReadError>> {
        self.inner.feed(after, limit)
    }

    fn inbox(
        &self,
        after: Option<InboxSeq>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InboxItem>, ReadError>> {
        self.inner.inbox(after, limit)
    }

    fn inbox_len(&self) -> u64 {
        self.inner.inbox_len()
    }

    fn backup(&self) -> BoxFuture<'_, Result<Backup, ReadError>> {
        self.inner.backup()
    }

    fn incarnation(&self) -> Incarnation {
        self.inner.incarnation()
    }

    fn durable(&self) -> watch::Receiver<Position> {
        self.inner.durable()
    }

    fn health(&self) -> watch::Receiver<Health> {
        self.inner.health()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        self.inner.close()
    }
}
