//! A store that can be slow, lie, or be cut off from its engine, over one that is none of this.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use orderkeep_store::{
    BoxFuture, Claim, Commit, CommitError, Committed, Due, Entity, EntityId, Health, InboxDone,
    InboxSeq, Label, Layer, ListQuery, MemoryStore, Micros, NewInboxItem, PartitionId, Position,
    ReadError, Store,
};
use tokio::sync::watch;

/// What happens to the last commit before the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    /// It is not there.
    Gone,
    /// It is there, and nobody hears of it.
    Unheard,
    /// It is not there, and was acknowledged: a store that does not keep its word.
    Lie,
}

/// What there is no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    Nothing,
    NewOrders,
    Everything,
}

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
    /// The power goes with this commit, counted from 1; 0: never.
    pub(crate) dies_at: i64,
    pub(crate) last: Last,
    commits: AtomicI64,
    full: Mutex<Full>,
    /// Commits wait as long as it is set.
    holds: AtomicBool,
    /// Webhooks cannot be stored.
    refuses_webhooks: AtomicBool,
    /// A fault of ours: asking what is due panics.
    panics: AtomicBool,
    /// Entities that lists gave.
    listed: AtomicUsize,
    /// So many steps are still told that their order has moved meanwhile.
    conflicts: AtomicI64,
    /// Look-ups by a claim find damage.
    damaged: AtomicBool,
    /// What commits said of webhooks.
    said: Mutex<Vec<InboxDone>>,
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
            dies_at: 0,
            last: Last::Gone,
            commits: AtomicI64::new(0),
            full: Mutex::new(Full::Nothing),
            holds: AtomicBool::new(false),
            refuses_webhooks: AtomicBool::new(false),
            panics: AtomicBool::new(false),
            listed: AtomicUsize::new(0),
            conflicts: AtomicI64::new(0),
            damaged: AtomicBool::new(false),
            said: Mutex::new(Vec::new()),
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

    /// Whether the power has gone.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// How many commits there were.
    pub(crate) fn commits(&self) -> i64 {
        self.commits.load(Ordering::SeqCst)
    }

    /// How many entities lists have given.
    pub(crate) fn listed(&self) -> usize {
        self.listed.load(Ordering::SeqCst)
    }

    /// What commits have said of webhooks, in order.
    pub(crate) fn said(&self) -> Vec<InboxDone> {
        self.said.lock().unwrap().clone()
    }

    pub(crate) fn set_full(&self, full: Full) {
        *self.full.lock().unwrap() = full;
    }

    pub(crate) fn set_holds(&self, holds: bool) {
        self.holds.store(holds, Ordering::SeqCst);
    }

    pub(crate) fn set_refuses_webhooks(&self, refuses: bool) {
        self.refuses_webhooks.store(refuses, Ordering::SeqCst);
    }

    /// The next steps are told that their order has moved meanwhile.
    pub(crate) fn set_conflicts(&self, steps: i64) {
        self.conflicts.store(steps, Ordering::SeqCst);
    }

    pub(crate) fn set_damaged(&self, damaged: bool) {
        self.damaged.store(damaged, Ordering::SeqCst);
    }

    pub(crate) fn panic_next(&self) {
        self.panics.store(true, Ordering::SeqCst);
    }

    fn full(&self) -> Full {
        *self.full.lock().unwrap()
    }

    fn has_room(&self, new: bool) -> Result<(), CommitError> {
        let full = self.full();
        if full == Full::Everything || (new && full == Full::NewOrders) {
            return Err(CommitError::Full("by the test".to_owned()));
        }
        Ok(())
    }

    /// Counts a commit; the last one before the power goes is answered here.
    async fn count(&self, commit: &Commit) -> Option<Result<Committed, CommitError>> {
        let number = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        if number != self.dies_at {
            return None;
        }
        self.kill();
        match self.last {
            Last::Gone => {}
            Last::Unheard => {
                let _ = self.inner.commit(commit.clone()).await;
            }
            Last::Lie => return Some(Ok(Committed { version: 1, position: Position(0) })),
        }
        Some(Err(CommitError::Closed))
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

impl Layer for Between {
    fn below(&self) -> &dyn Store {
        &*self.inner
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, CommitError>> {
        Box::pin(async move {
            self.refuses()?;
            assert_open_orders_wake_up(&commit);
            while self.holds.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(10)).await;
                self.refuses()?;
            }
            self.has_room(commit.change.as_ref().is_some_and(|change| change.expected == 0))?;
            if let Some(last) = self.count(&commit).await {
                return last;
            }
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
            if let Some(change) = commit.change.as_ref().filter(|change| !change.events.is_empty())
                && self.conflicts.fetch_sub(1, Ordering::SeqCst) > 0
            {
                let (id, expected) = (change.id, change.expected);
                return Err(CommitError::Conflict { id, expected, found: expected + 1 });
            }
            let said = commit.inbox.clone();
            let committed = self.inner.commit(commit).await?;
            self.said.lock().unwrap().extend(said);
            Ok(committed)
        })
    }

    fn append_inbox(&self, item: NewInboxItem) -> BoxFuture<'_, Result<InboxSeq, CommitError>> {
        Box::pin(async move {
            self.refuses()?;
            self.has_room(false)?;
            if self.refuses_webhooks.load(Ordering::SeqCst) {
                return Err(CommitError::Invalid("by the test".to_owned()));
            }
            self.inner.append_inbox(item).await
        })
    }

    fn by_claim(&self, claim: &Claim) -> BoxFuture<'_, Result<Option<EntityId>, ReadError>> {
        if self.damaged.load(Ordering::SeqCst) {
            return Box::pin(async { Err(ReadError::Damaged("by the test".to_owned())) });
        }
        self.inner.by_claim(claim)
    }

    fn due(
        &self,
        partition: PartitionId,
        until: Micros,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, ReadError>> {
        assert!(!self.panics.load(Ordering::SeqCst), "a fault of ours, by the test");
        self.inner.due(partition, until, limit)
    }

    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Vec<Entity>, ReadError>> {
        Box::pin(async move {
            let page = self.inner.list(query).await;
            let given = page.as_ref().map_or(0, Vec::len);
            self.listed.fetch_add(given, Ordering::SeqCst);
            page
        })
    }

    fn health(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    /// Leaves the store below open: the next engine goes on with it.
    fn close(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        Box::pin(async { Ok(()) })
    }
}

/// What every step of every test promises: an order that has not ended is looked at again.
fn assert_open_orders_wake_up(commit: &Commit) {
    let Some(change) = &commit.change else { return };
    if change.labels.contains(&Label::from("open")) {
        assert!(change.wake_up.is_some(), "an open order without a wake-up: {change:?}");
    }
}
