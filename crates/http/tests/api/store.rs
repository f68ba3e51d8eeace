//! A store in memory that can be full or halted.

use orderkeep_store::{
    BoxFuture, Commit, CommitError, Committed, Cursor, FeedPage, Health, InboxSeq, Layer,
    MemoryStore, NewInboxItem, ReadError, Store,
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

impl Layer for MayFail {
    fn below(&self) -> &dyn Store {
        &self.inner
    }

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

    fn health(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }
}
