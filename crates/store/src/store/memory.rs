//! The journal without threads: every call does its work where it is made.
//!
//! For tests, simulations and trying things out: with an engine in memory nothing waits for a disk or a clock, so the
//! same calls give the same answers under virtual time. What is stored goes with the process.

use std::{
    collections::BTreeMap,
    future::ready,
    io::{self, Read},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    Backup, BackupError, BackupReader, BoxFuture, CheckReport, Claim, Commit, CommitError,
    Committed, Cursor, Due, Entity, EntityId, Event, FeedPage, Health, InboxItem, InboxSeq,
    Incarnation, Kind, Label, ListQuery, Micros, NewInboxItem, PartitionId, Position, ReadError,
    Retain, Retained, Stats, Store, Tuning, Version,
    backup::{self, FillError},
    journal::{Journal, OpenOptions, Shared, Step, begin_life},
    kv::{Kv, MemoryKv},
};

/// A store in memory; see the module.
#[derive(Debug)]
pub struct MemoryStore {
    journal: Mutex<Journal>,
    shared: Arc<Shared>,
    tuning: Tuning,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store.
    ///
    /// # Panics
    /// Never: an empty engine in memory has nothing that could be wrong.
    #[must_use]
    #[expect(clippy::expect_used, reason = "an empty map cannot fail to open")]
    pub fn new() -> Self {
        Self::over(Arc::new(MemoryKv::new()), Uuid::new_v4(), Tuning::embedded())
            .expect("an empty engine in memory opens")
    }

    /// A store over any engine: a new one with `incarnation` if the engine is empty, otherwise the one that is there.
    ///
    /// # Errors
    /// The engine fails, or what it holds is damaged.
    pub fn over(kv: Arc<dyn Kv>, incarnation: Uuid, tuning: Tuning) -> Result<Self, ReadError> {
        let options = OpenOptions {
            tuning: tuning.clone(),
            new_incarnation: incarnation,
            restored_from: None,
            guard: None,
            room: None,
        };
        let journal =
            Journal::open(kv, options).map_err(|error| ReadError::Damaged(error.to_string()))?;
        Ok(Self { shared: Arc::clone(journal.shared()), journal: Mutex::new(journal), tuning })
    }

    /// The same content, opened again as after a crash: only what was durable, replayed. This one is closed.
    ///
    /// # Errors
    /// As [`MemoryStore::over`].
    pub fn reopen(&self) -> Result<Self, ReadError> {
        self.shared.health.send_replace(Health::Closed);
        Self::over(Arc::clone(&self.shared.kv), self.shared.incarnation.id, self.tuning.clone())
    }

    /// What a restore of a backup taken now would give: the same content as another life of the store. This one goes on.
    ///
    /// # Errors
    /// As [`MemoryStore::over`].
    pub fn restored_copy(&self, incarnation: Uuid) -> Result<Self, ReadError> {
        let kv = self.engine_copy()?;
        let life = Incarnation { id: incarnation, restored_from: Some(self.shared.incarnation.id) };
        begin_life(&*kv, life).map_err(|error| ReadError::Damaged(error.to_string()))?;
        Self::over(kv, incarnation, self.tuning.clone())
    }

    /// Makes a store of a backup over an empty engine, as [`crate::restore`] does in a folder: another life of the store
    /// that the backup is of, checked.
    ///
    /// # Errors
    /// The backup cannot be used, or the engine fails.
    pub fn restore(
        backup: impl Read,
        kv: Arc<dyn Kv>,
        incarnation: Uuid,
        tuning: Tuning,
    ) -> Result<Self, BackupError> {
        let mut reader = BackupReader::new(backup)?;
        let options = OpenOptions {
            tuning: tuning.clone(),
            new_incarnation: incarnation,
            restored_from: Some(reader.info().incarnation.id),
            guard: None,
            room: None,
        };
        let not_whole = |why: String| BackupError::Io(io::Error::other(why));
        let mut journal =
            Journal::open(kv, options).map_err(|error| not_whole(error.to_string()))?;
        backup::fill(&mut reader, &mut journal, |_| {}).map_err(|error| match error {
            FillError::Backup(error) => error,
            FillError::NotWhole(why) => not_whole(why),
        })?;
        Ok(Self { shared: Arc::clone(journal.shared()), journal: Mutex::new(journal), tuning })
    }

    /// A copy of what the engine holds, as copying its files would give. A store over it does not know that it is one.
    ///
    /// # Errors
    /// The engine cannot be read.
    pub fn engine_copy(&self) -> Result<Arc<dyn Kv>, ReadError> {
        // Between two commits, so that all maps are of one moment.
        let _writer = self.writer();
        let copy = MemoryKv::copy_of(&*self.shared.kv)
            .map_err(|error| ReadError::Damaged(error.to_string()))?;
        Ok(Arc::new(copy))
    }

    /// Compares everything that can be looked up with the journal.
    ///
    /// # Errors
    /// The store has stopped.
    pub fn check(&self) -> Result<CheckReport, ReadError> {
        self.shared.stopped()?;
        self.writer().check().map_err(|halt| ReadError::Halted(halt.0))
    }

    /// Figures about the store.
    ///
    /// # Errors
    /// The store has stopped.
    pub fn stats(&self) -> Result<Stats, ReadError> {
        self.shared.stats()
    }

    fn writer(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, step: Step) -> Result<Committed, CommitError> {
        let mut journal = self.writer();
        self.shared.stopped().map_err(stopped)?;
        match journal.append(vec![step]) {
            Ok(outcomes) => outcomes.into_iter().next().unwrap_or(Err(CommitError::Closed)),
            Err(halt) => Err(CommitError::Halted(halt.0)),
        }
    }
}

/// Why nothing is committed any more.
pub(super) fn stopped(error: ReadError) -> CommitError {
    match error {
        ReadError::Closed => CommitError::Closed,
        ReadError::Halted(reason) | ReadError::Damaged(reason) => CommitError::Halted(reason),
        ReadError::CursorGone { .. } => CommitError::Halted(error.to_string()),
    }
}

impl Store for MemoryStore {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, CommitError>> {
        Box::pin(async move { self.append(Step::Commit(commit)) })
    }

    fn append_inbox(&self, item: NewInboxItem) -> BoxFuture<'_, Result<InboxSeq, CommitError>> {
        Box::pin(async move {
            self.append(Step::Arrival(item)).map(|committed| InboxSeq(committed.position.0))
        })
    }

    fn load(&self, id: EntityId) -> BoxFuture<'_, Result<Option<Entity>, ReadError>> {
        Box::pin(async move { self.shared.load(id) })
    }

    fn by_claim(&self, claim: &Claim) -> BoxFuture<'_, Result<Option<EntityId>, ReadError>> {
        Box::pin(ready(self.shared.by_claim(claim)))
    }

    fn due(
        &self,
        partition: PartitionId,
        until: Micros,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, ReadError>> {
        Box::pin(async move { self.shared.due(partition, until, limit) })
    }

    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Vec<Entity>, ReadError>> {
        Box::pin(async move { self.shared.list(&query) })
    }

    fn counts(&self, kind: Kind) -> BoxFuture<'_, Result<BTreeMap<Label, u64>, ReadError>> {
        Box::pin(async move { self.shared.counts(kind) })
    }

    fn history(
        &self,
        id: EntityId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Event>, ReadError>> {
        Box::pin(async move { self.shared.history(id, after, limit) })
    }

    fn feed(
        &self,
        after: Option<Cursor>,
        limit: usize,
    ) -> BoxFuture<'_, Result<FeedPage, ReadError>> {
        Box::pin(async move { self.shared.feed(after, limit) })
    }

    fn inbox(
        &self,
        after: Option<InboxSeq>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InboxItem>, ReadError>> {
        Box::pin(async move { self.shared.inbox(after, limit) })
    }

    fn inbox_len(&self) -> u64 {
        self.shared.inbox_len()
    }

    fn backup(&self) -> BoxFuture<'_, Result<Backup, ReadError>> {
        Box::pin(async move { backup::copy_here(&self.shared, self.shared.durable_end()?) })
    }

    fn retain(&self, retain: Retain) -> BoxFuture<'_, Result<Retained, ReadError>> {
        Box::pin(async move {
            let mut journal = self.writer();
            self.shared.stopped()?;
            journal.retain(&retain).map_err(|halt| ReadError::Halted(halt.0))
        })
    }

    fn has_left(&self, claim: &Claim) -> BoxFuture<'_, Result<bool, ReadError>> {
        Box::pin(ready(self.shared.has_left(claim)))
    }

    fn incarnation(&self) -> Incarnation {
        self.shared.incarnation
    }

    fn durable(&self) -> watch::Receiver<Position> {
        self.shared.durable.subscribe()
    }

    fn health(&self) -> watch::Receiver<Health> {
        self.shared.health.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        Box::pin(async move {
            let mut journal = self.writer();
            match self.shared.stopped() {
                Err(ReadError::Closed) => return Ok(()),
                Err(error) => return Err(error),
                Ok(()) => {}
            }
            journal.catch_up().map_err(|halt| ReadError::Halted(halt.0))?;
            self.shared.health.send_replace(Health::Closed);
            self.shared.kv.close();
            Ok(())
        })
    }
}
