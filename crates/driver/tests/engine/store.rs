//! A store that can be slow, lie, or be cut off from its engine, over one that is none of this.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use orderkeep_store::{
    BoxFuture, Claim, Commit, CommitError, Committed, Cursor, Due, Entity, EntityId, Event,
    FeedPage, Health, InboxItem, InboxSeq, Kind, Label, ListQuery, MemoryStore, Micros,
    NewInboxItem, PartitionId, Position, ReadError, Store, Version,
};
use tokio::sync::watch;

/// See the module.
#[derive(Debug)]
pub(crate) struct Between {
    pub(crate) inner: Arc<MemoryStore>,
    /// How long the commit of an intended create takes.
    pub(crate) slow_intents: Duration,
    /// Says yes to commits and forgets them.
    pub(crate) drops_commits: bool,
    /// The engine over it is dead: nothing it does reaches the store any more.
    dead: AtomicBool,
    /// It halts with the next commit.
    halts: AtomicBool,
    health: watch::Sender<Health>,
}

impl Between {
    pub(crate) fn new(inner: Arc<MemoryStore>) -> Self {
        Self {
            inner,
            slow_intents: Duration::ZERO,
            drops_commits: false,
            dead: AtomicBool::new(false),
            halts: AtomicBool::new(false),
            health: watch::Sender::new(Health::Running),
        }
    }

    /// Cuts its engine off, as a power cut does.
    pub(crate) fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }

    /// Stops itself, as after a write that failed.
    pub(crate) fn halt(&self) {
        self.halts.store(true, Ordering::SeqCst);
        self.health.send_replace(Health::Halted("by the test".to_owned()));
    }

    /// Refuses the next commit as a halted store does, before anybody is told of its health.
    pub(crate) fn halt_untold(&self) {
        self.halts.store(true, Ordering::SeqCst);
    }

    fn refuses(&self) -> Result<(), CommitError> {
        if self.dead.load(Ordering::SeqCst) {
            return Err(CommitError::Closed);
        }
        if self.halts.load(Ordering::SeqCst) {
            return Err(CommitError::Halted("by the test".to_owned()));
        }
        Ok(())
    }
}

impl Store for Between {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, CommitError>> {
        Box::pin(async move {
            self.refuses()?;
            let intent = commit
                .change
                .as_ref()
                .is_some_and(|change| change.labels.contains(&Label::from("create-in-flight")));
            if intent && !self.slow_intents.is_zero() {
                tokio::time::sleep(self.slow_intents).await;
            }
            if self.drops_commits {
                let version = commit.change.map_or(0, |change| change.expected + 1);
                return Ok(Committed { version, position: Position(0) });
            }
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

    fn durable(&self) -> watch::Receiver<Position> {
        self.inner.durable()
    }

    fn health(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    /// Leaves the store below open: the next engine goes on with it.
    fn close(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        Box::pin(async { Ok(()) })
    }
}
