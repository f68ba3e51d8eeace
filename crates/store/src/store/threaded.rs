//! The journal with its writer's thread, its readers and its watchdog.

use std::{
    any::Any,
    collections::BTreeMap,
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::sync::{Semaphore, oneshot, watch};

use crate::{
    Backup, BoxFuture, CheckReport, Claim, Commit, CommitError, Committed, Cursor, Due, Entity,
    EntityId, Event, FeedPage, Health, InboxItem, InboxSeq, Incarnation, Kind, Label, ListQuery,
    Micros, NewInboxItem, PartitionId, Position, ReadError, Retain, Retained, Stats, Store,
    Version, backup,
    journal::{Journal, Shared, Step},
    writer::{self, Busy, GroupBounds, Job, Queue, RetainJob, StepJob, Writer},
};

use super::{memory::stopped, readers::Readers};

/// The queue is bounded in units of this many bytes, one at least for every step.
const UNIT_BYTES: usize = 1_024;

/// How the threads are run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Running {
    pub(crate) group: GroupBounds,
    /// Bytes that may wait for the writer.
    pub(crate) queue_bytes: usize,
    /// How long a group may take.
    pub(crate) commit_timeout: Duration,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Threaded {
    shared: Arc<Shared>,
    queue: Arc<Queue<Job>>,
    permits: Arc<Semaphore>,
    most_units: u32,
    readers: Readers,
    busy: Arc<Busy>,
    commit_timeout: Duration,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Threaded {
    /// Starts the threads. `keep` is let go when the engine is closed.
    pub(crate) fn start(
        journal: Journal,
        running: Running,
        keep: Box<dyn Any + Send>,
    ) -> io::Result<Self> {
        let shared = Arc::clone(journal.shared());
        let queue = Arc::new(Queue::new());
        let busy = Arc::new(Busy::new());
        let units = (running.queue_bytes / UNIT_BYTES).clamp(1, Semaphore::MAX_PERMITS);
        let writer = Writer {
            journal,
            queue: Arc::clone(&queue),
            busy: Arc::clone(&busy),
            bounds: running.group,
            keep,
        };
        let readers = Readers::start(&shared)?;
        let watchdog = {
            let (busy, shared) = (Arc::clone(&busy), Arc::clone(&shared));
            thread::Builder::new()
                .name("store-watchdog".to_owned())
                .spawn(move || writer::watch(&busy, &shared, running.commit_timeout))?
        };
        let writer =
            thread::Builder::new().name("store-writer".to_owned()).spawn(move || writer.run())?;
        Ok(Self {
            shared,
            queue,
            permits: Arc::new(Semaphore::new(units)),
            most_units: u32::try_from(units).unwrap_or(u32::MAX),
            readers,
            busy,
            commit_timeout: running.commit_timeout,
            threads: Mutex::new(vec![watchdog, writer]),
        })
    }

    async fn append(&self, step: Step) -> Result<Committed, CommitError> {
        self.shared.stopped().map_err(stopped)?;
        let bytes = weight(&step);
        // A step larger than the queue is refused by its size later; until then it takes all of it.
        let units = u32::try_from(bytes / UNIT_BYTES + 1)
            .map_or(self.most_units, |units| units.min(self.most_units));
        let permit = Arc::clone(&self.permits)
            .acquire_many_owned(units)
            .await
            .map_err(|_| CommitError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let job = Job::Step(Box::new(StepJob { step, bytes, reply, permit }));
        if self.queue.push(job).is_err() {
            return Err(stopped(ended(&self.shared).await));
        }
        match answer_or_halt(&self.shared, answer).await {
            Some(outcome) => outcome,
            None => Err(stopped(ended(&self.shared).await)),
        }
    }

    /// Compares everything that can be looked up with the journal; commits wait meanwhile.
    pub(crate) async fn check(&self) -> Result<CheckReport, ReadError> {
        let (reply, answer) = oneshot::channel();
        if self.queue.push(Job::Check(reply)).is_err() {
            return Err(ended(&self.shared).await);
        }
        match answer_or_halt(&self.shared, answer).await {
            Some(report) => Ok(report),
            None => Err(ended(&self.shared).await),
        }
    }

    async fn retain_once(&self, retain: Retain) -> Result<Retained, ReadError> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Retain(Box::new(RetainJob { retain, reply }));
        if self.queue.push(job).is_err() {
            return Err(ended(&self.shared).await);
        }
        match answer_or_halt(&self.shared, answer).await {
            Some(done) => Ok(done),
            None => Err(ended(&self.shared).await),
        }
    }

    pub(crate) async fn stats(&self) -> Result<Stats, ReadError> {
        self.readers.read(&self.shared, Shared::stats).await
    }

    async fn shut(&self) -> Result<(), ReadError> {
        let (reply, answer) = oneshot::channel();
        if self.queue.push(Job::Close(reply)).is_ok() {
            // Without an answer the health says what happened.
            let _ = answer_or_halt(&self.shared, answer).await;
        }
        match ended(&self.shared).await {
            ReadError::Closed => Ok(()),
            halted @ (ReadError::Halted(_)
            | ReadError::Damaged(_)
            | ReadError::CursorGone { .. }) => Err(halted),
        }
    }
}

/// Ends the threads; waits for the writer unless it is stuck, so that the folder is free afterwards.
///
/// Rows that are behind stay so: the next open replays them. [`Store::close`] writes them.
impl Drop for Threaded {
    fn drop(&mut self) {
        self.queue.close();
        let stuck = || matches!(&*self.shared.health.borrow(), Health::Halted(_));
        let ended = self.busy.wait_ended(Duration::ZERO)
            || (!stuck() && self.busy.wait_ended(self.commit_timeout))
            || self.busy.wait_ended(Duration::from_millis(100));
        if ended {
            let threads =
                std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
            for thread in threads {
                // A panic in it was caught and is in the health.
                let _ = thread.join();
            }
        }
    }
}

fn weight(step: &Step) -> usize {
    match step {
        Step::Arrival(item) => item.body.len() + item.account.len(),
        Step::Commit(commit) => commit.change.as_ref().map_or(0, |change| {
            let events: usize = change.events.iter().map(bytes::Bytes::len).sum();
            events + change.view.as_ref().map_or(0, bytes::Bytes::len)
        }),
    }
}

/// How the store ended: whoever gets no answer waits for the reason, which is a moment behind.
pub(super) async fn ended(shared: &Shared) -> ReadError {
    let mut health = shared.health.subscribe();
    let last = health
        .wait_for(|health| matches!(health, Health::Closed | Health::Halted(_)))
        .await
        .map(|health| health.clone());
    match last {
        Ok(Health::Halted(reason)) => ReadError::Halted(reason),
        Ok(Health::Closed | Health::Running | Health::Full(_)) | Err(_) => ReadError::Closed,
    }
}

/// The answer, or `None` when nobody will give one any more.
pub(super) async fn answer_or_halt<T>(
    shared: &Shared,
    mut answer: oneshot::Receiver<T>,
) -> Option<T> {
    let mut health = shared.health.subscribe();
    let mut halted = pin!(async move {
        // An error means that the store is gone, which is as final.
        let _ = health.wait_for(|health| matches!(health, Health::Halted(_))).await;
    });
    poll_fn(|context| {
        if let Poll::Ready(answer) = Pin::new(&mut answer).poll(context) {
            return Poll::Ready(answer.ok());
        }
        halted.as_mut().poll(context).map(|()| None)
    })
    .await
}

impl Store for Threaded {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, CommitError>> {
        Box::pin(self.append(Step::Commit(commit)))
    }

    fn append_inbox(&self, item: NewInboxItem) -> BoxFuture<'_, Result<InboxSeq, CommitError>> {
        Box::pin(async move {
            self.append(Step::Arrival(item)).await.map(|committed| InboxSeq(committed.position.0))
        })
    }

    fn load(&self, id: EntityId) -> BoxFuture<'_, Result<Option<Entity>, ReadError>> {
        Box::pin(async move {
            if let Some(entity) = self.shared.load_fast(id)? {
                return Ok(Some(entity));
            }
            self.readers.read(&self.shared, move |shared| shared.load(id)).await
        })
    }

    fn by_claim(&self, claim: &Claim) -> BoxFuture<'_, Result<Option<EntityId>, ReadError>> {
        let claim = claim.clone();
        Box::pin(async move {
            if let Some(holder) = self.shared.holder_fast(&claim)? {
                return Ok(Some(holder));
            }
            self.readers.read(&self.shared, move |shared| shared.by_claim(&claim)).await
        })
    }

    fn due(
        &self,
        partition: PartitionId,
        until: Micros,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, ReadError>> {
        Box::pin(self.readers.read(&self.shared, move |shared| shared.due(partition, until, limit)))
    }

    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Vec<Entity>, ReadError>> {
        Box::pin(self.readers.read(&self.shared, move |shared| shared.list(&query)))
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
        Box::pin(self.readers.read(&self.shared, move |shared| shared.history(id, after, limit)))
    }

    fn feed(
        &self,
        after: Option<Cursor>,
        limit: usize,
    ) -> BoxFuture<'_, Result<FeedPage, ReadError>> {
        Box::pin(self.readers.read(&self.shared, move |shared| shared.feed(after, limit)))
    }

    fn inbox(
        &self,
        after: Option<InboxSeq>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InboxItem>, ReadError>> {
        Box::pin(async move {
            if let Some(items) = self.shared.inbox_fast(after, limit)? {
                return Ok(items);
            }
            self.readers.read(&self.shared, move |shared| shared.inbox(after, limit)).await
        })
    }

    fn inbox_len(&self) -> u64 {
        self.shared.inbox_len()
    }

    fn backup(&self) -> BoxFuture<'_, Result<Backup, ReadError>> {
        Box::pin(async move {
            let end = self.readers.read(&self.shared, Shared::durable_end).await?;
            let (backup, work) = backup::copy(Arc::clone(&self.shared), end)?;
            // A thread of its own: it waits for whoever writes the copy, which the readers must not.
            thread::Builder::new()
                .name("store-backup".to_owned())
                .spawn(work)
                .map_err(|error| ReadError::Damaged(format!("no thread for the copy: {error}")))?;
            Ok(backup)
        })
    }

    fn retain(&self, retain: Retain) -> BoxFuture<'_, Result<Retained, ReadError>> {
        Box::pin(self.retain_once(retain))
    }

    fn has_left(&self, claim: &Claim) -> BoxFuture<'_, Result<bool, ReadError>> {
        let claim = claim.clone();
        Box::pin(self.readers.read(&self.shared, move |shared| shared.has_left(&claim)))
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
        Box::pin(self.shut())
    }
}

#[cfg(test)]
mod tests;
