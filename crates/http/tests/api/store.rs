//! A store in memory that can be full or halted.

use std::collections::BTreeMap;

use orderkeep_store::{
    Backup, BoxFuture, Claim, Commit, CommitError, Committed, Cursor, Due, Entity, EntityId, Event,
    FeedPage, Health, InboxItem, InboxSeq, Incarnation, Kind, Label, ListQuery, MemoryStore,
    Micros, NewInboxItem, PartitionId, Position, ReadError, Store, Version,
};
use tokio::sync::watch;

/// See the module.
#[derive(Debug)]
pub(crate) struct MayFail {
    inner: MemoryStore,
    health: watch::Sender<Health>,
    reads: watch::Sender<Option<String>>,
}

impl MayFail {
    pub(crate) fn new() -> Self {
        Self {
            inner: MemoryStore::new(),
            health: watch::Sender::new(Health::Running),
            reads: watch::Sender::new(None),
        }
    }

    pub(crate) fn is(&self, health: Health) {
        self.health.send_replace(health);
    }

    /// From now on the feed cannot be read.
    pub(crate) fn halts_reads(&self, why: &str) {
        self.reads.send_replace(Some(why.to_owned()));
    }

    fn refuses(&self) -> Result<(), CommitError> {
        match self.health.borrow().clone() {
            Health::Running => Ok(()),
            Health::Full(why) => Err(CommitError::Full(why)),
            Health::Halted(why) => Err(CommitError::Halted(why)),
            Health::Closed => Err(CommitError::Closed),
        }
    }
}

impl Store for MayFail {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, CommitError>> {
        Box::pin(async move {
            self.refuses()?;
            self.inner.commit(commit).await
        })
    }

    fn append_inbox(&self, item: NewInboxItem) -> BoxFuture<'_, Result<InboxSeq, CommitError>> {
        Box::pin(async move {
            self.refuses()?;
            self.inner.append_inbox(item).await
        })
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
        let halted = self.reads.borrow().clone();
        match halted {
            Some(why) => Box::pin(async { Err(ReadError::Halted(why)) }),
            None => self.inner.feed(after, limit),
        }
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
        self.health.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        self.inner.close()
    }
}
