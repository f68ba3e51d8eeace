//! Who owns an endpoint: reads the feed after its position, sends what is wanted, and moves the position when it was
//! answered.
//!
//! A stretch of the feed is a *batch*: its orders fly beside each other, the events of one order one after the other.
//! When all have landed, the position moves past it, in one commit with the orders that are held back. Those fly again
//! by the schedule, beside the next batches.

mod ask;
mod flight;

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use orderkeep_core::Timestamp;
use orderkeep_driver::{Clock, EngineError, Entropy};
use orderkeep_store::{Cursor, FeedEntry, Position, ReadError, Store};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Endpoint, Held, Off, OutboxError, Render, Transport, log::Log, message::Message, metrics,
    records, schedule,
};
pub(crate) use ask::{Ask, Asked};
use flight::Landed;
pub(crate) use flight::{Failed, Target, send};

/// Events that are read at once.
const PAGE: usize = 128;
/// So many pages with nothing of its own, and the position moves past them.
const PASSED_MAX: u32 = 64;
/// Orders on their way to one endpoint at once.
const FLYING_MAX: usize = 8;
/// Orders that are held back at once; beyond it the endpoint reads no further, which loses nothing.
const HELD_MAX: usize = 256;
/// After so many failures one after the other, a success says that the receiver is back.
const FAILURES_TO_BE_DOWN: u32 = 5;
/// What waited for a receiver that is back is spread over this time.
const BACK_WITHIN: Duration = Duration::from_secs(10);
/// The disk is full, or the store slow: later.
const SAVE_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// A store that was restored begins a new feed: what was delivered shortly before the copy is delivered again.
const RESTORED_MARGIN: Duration = Duration::from_secs(60 * 60);
/// A failure's words are kept with the order that is held back.
const WHY_BYTES_MAX: usize = 200;

/// A wrong sender, for tests of the tests.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twin {
    /// Moves the position before the receiver answered.
    PositionFirst,
}

/// What all workers share.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) render: Render,
    pub(crate) twin: Option<Twin>,
    /// The outbox is gone.
    pub(crate) stop: CancellationToken,
    /// The outbox ends in good order: what was answered is noted first.
    pub(crate) ends: CancellationToken,
}

/// A stretch of the feed on its way.
#[derive(Debug)]
struct Batch {
    next: Cursor,
    at: Option<Timestamp>,
    /// The last event of each order of it that has not landed.
    open: BTreeMap<Uuid, u64>,
}

pub(crate) struct Worker {
    parts: Arc<Parts>,
    endpoint: Endpoint,
    version: u64,
    mailbox: mpsc::Receiver<Asked>,
    shown: watch::Sender<Endpoint>,
    durable: watch::Receiver<Position>,
    log: Arc<Log>,
    /// Read up to here; the position follows when what was read is dealt with.
    read: Option<Cursor>,
    at_end: bool,
    batch: Option<Batch>,
    flying: FuturesUnordered<BoxFuture<'static, Landed>>,
    places: Arc<Semaphore>,
    /// Held orders that are flying again.
    again: HashSet<Uuid>,
    /// Those of them that are to begin earlier than they did.
    rewound: HashSet<Uuid>,
    /// The receiver asked for silence until then.
    quiet_until: Option<Timestamp>,
    failures: u32,
    /// Something is to be saved, not before then.
    unsaved: Option<Timestamp>,
    /// Pages with nothing of this endpoint's since its position last moved.
    passed: u32,
}

impl Worker {
    pub(crate) fn new(
        parts: Arc<Parts>,
        endpoint: Endpoint,
        version: u64,
        mailbox: mpsc::Receiver<Asked>,
        log: Arc<Log>,
    ) -> (Self, watch::Receiver<Endpoint>) {
        let (shown, reader) = watch::channel(endpoint.clone());
        metrics::began(&endpoint);
        let worker = Self {
            durable: parts.store.durable(),
            read: endpoint.cursor(),
            parts,
            endpoint,
            version,
            mailbox,
            shown,
            log,
            at_end: false,
            batch: None,
            flying: FuturesUnordered::new(),
            places: Arc::new(Semaphore::new(FLYING_MAX)),
            again: HashSet::new(),
            rewound: HashSet::new(),
            quiet_until: None,
            failures: 0,
            unsaved: None,
            passed: 0,
        };
        (worker, reader)
    }

    fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// Works until the engine stops, or the endpoint is deleted.
    pub(crate) async fn run(mut self) {
        let (stop, ends) = (self.parts.stop.clone(), self.parts.ends.clone());
        while !self.endpoint.deleted {
            if self.unsaved.is_some_and(|at| at <= self.now()) && self.save().await.is_err() {
                return;
            }
            let begun = self.begin().await;
            if let Err(error) = begun {
                if matches!(error, EngineError::Halted(_) | EngineError::ShuttingDown) {
                    return;
                }
                tracing::error!(endpoint = %self.endpoint.id, %error, "the feed cannot be read");
                self.quiet_until = Some(self.now().plus(SAVE_AGAIN_AFTER));
            }
            let wait = self.wait();
            let sleep = async move {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = ends.cancelled() => return self.last().await,
                asked = self.mailbox.recv() => match asked {
                    Some(asked) => self.asked(asked).await,
                    None => return,
                },
                Some(landed) = self.flying.next() => self.landed(landed),
                changed = self.durable.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.at_end = false;
                }
                () = sleep => {}
            }
        }
    }

    /// Notes what was answered, so that it is not delivered again. What is on its way is.
    async fn last(&mut self) {
        while let Some(Some(landed)) = self.flying.next().now_or_never() {
            self.landed(landed);
        }
        if self.unsaved.is_some() || self.log.has_unwritten() {
            drop(self.save().await);
        }
    }

    /// How long nothing is to be done, if that is known. The clock can be set meanwhile, so a long wait is looked at again.
    fn wait(&self) -> Option<Duration> {
        let due = self
            .endpoint
            .held
            .iter()
            .filter(|held| self.endpoint.off.is_none() && !self.again.contains(&held.subject))
            .map(|held| held.due)
            .min();
        let due = due.map(|due| self.quiet_until.map_or(due, |quiet| due.max(quiet)));
        let quiet = self.quiet_until.filter(|_| self.endpoint.off.is_none());
        // Held orders that are due wait for a flight to land, not for the clock.
        let due = due.filter(|_| self.again.len() < FLYING_MAX);
        let next = [due, quiet, self.unsaved].into_iter().flatten().min()?;
        Some(next.since(self.now()).min(self.parts.clock.look_again_after()).max(MOMENT))
    }

    /// Starts what can be started now.
    async fn begin(&mut self) -> Result<(), EngineError> {
        let now = self.now();
        if self.quiet_until.is_some_and(|until| until <= now) {
            self.quiet_until = None;
        }
        if self.endpoint.off.is_some() || self.quiet_until.is_some() {
            return Ok(());
        }
        let target = match Target::of(&self.endpoint, now) {
            Ok(target) => Arc::new(target),
            Err(error) => return Err(EngineError::Store(error.to_string())),
        };
        for held in &self.endpoint.held {
            if self.again.len() >= FLYING_MAX {
                break;
            }
            if held.due <= now && self.again.insert(held.subject) {
                let flight = flight::fly_again(
                    Arc::clone(&self.parts),
                    Arc::clone(&target),
                    Arc::clone(&self.log),
                    held.clone(),
                );
                self.flying.push(Box::pin(flight));
            }
        }
        while self.batch.is_none() && !self.at_end && self.endpoint.held.len() < HELD_MAX {
            let page = match self.parts.store.feed(self.read, PAGE).await {
                Ok(page) => page,
                Err(ReadError::CursorGone { .. }) => {
                    tracing::warn!(endpoint = %self.endpoint.id, "its position is of another life of the store: it goes on by time");
                    self.rewind(self.endpoint.position_at.map(|at| at.minus(RESTORED_MARGIN)));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if page.entries.is_empty() {
                self.at_end = true;
                self.read = Some(page.next);
                return Ok(());
            }
            self.read = Some(page.next);
            self.fly(&target, page.entries, page.next).await;
        }
        Ok(())
    }

    /// Reads the feed from its start, and passes over what happened before `since`.
    fn rewind(&mut self, since: Option<Timestamp>) {
        self.read = None;
        self.at_end = false;
        self.endpoint.position = None;
        self.endpoint.skip_before = since;
    }

    /// Sends a stretch of the feed on its way.
    async fn fly(&mut self, target: &Arc<Target>, entries: Vec<FeedEntry>, next: Cursor) {
        let mut flights: BTreeMap<Uuid, Vec<Message>> = BTreeMap::new();
        let mut batch = Batch { next, at: None, open: BTreeMap::new() };
        let kind = self.endpoint.source.kind();
        let mut found = false;
        for entry in entries.into_iter().filter(|entry| entry.kind == kind) {
            let written =
                target.source.write(&self.parts.render, entry.id, entry.version, &entry.bytes);
            let message = match written {
                Ok(message) => message,
                Err(error) => {
                    tracing::error!(id = %entry.id.0, version = entry.version, %error, "an event cannot be read, and is not delivered");
                    continue;
                }
            };
            if self.endpoint.skip_before.is_some_and(|before| message.at < before) {
                continue;
            }
            self.endpoint.skip_before = None;
            found = true;
            batch.at = Some(message.at);
            let subject = entry.id.0;
            if let Some(held) = self.endpoint.held.iter_mut().find(|held| held.subject == subject) {
                // It waits behind the event that failed, and is read from the history then.
                held.through = held.through.max(entry.version);
                if entry.version < held.next {
                    // Read again, by a replay: the order is told from here.
                    (held.next, held.attempts) = (entry.version, 0);
                    (held.since, held.due) = (self.parts.clock.now(), self.parts.clock.now());
                    if self.again.contains(&subject) {
                        self.rewound.insert(subject);
                    }
                }
                continue;
            }
            batch.open.insert(subject, entry.version);
            flights.entry(subject).or_default().push(message);
        }
        if !found {
            // What is of no concern is not read again by the next process, and hardly costs a commit.
            self.passed += 1;
            if self.passed >= PASSED_MAX {
                self.passed = 0;
                self.endpoint.position = Some(next.to_string());
                self.unsaved = Some(self.now());
            }
            return;
        }
        if self.parts.twin == Some(Twin::PositionFirst) {
            self.endpoint.position = Some(next.to_string());
            drop(self.save().await);
        }
        for (subject, messages) in flights {
            let flight = flight::fly(
                Arc::clone(&self.parts),
                Arc::clone(target),
                Arc::clone(&self.log),
                subject,
                messages,
                1,
            );
            let places = Arc::clone(&self.places);
            self.flying.push(Box::pin(async move {
                let _place = places.acquire_owned().await;
                flight.await
            }));
        }
        self.batch = Some(batch);
        self.close_batch();
    }

    /// Moves the position once all of the batch has landed.
    fn close_batch(&mut self) {
        if self.batch.as_ref().is_some_and(|batch| batch.open.is_empty())
            && let Some(batch) = self.batch.take()
        {
            self.endpoint.position = Some(batch.next.to_string());
            self.endpoint.position_at = batch.at.or(self.endpoint.position_at);
            self.unsaved = Some(self.now());
        }
    }

    fn landed(&mut self, landed: Landed) {
        let now = self.now();
        if landed.taken > 0 {
            self.endpoint.delivered_at = Some(now);
            if self.failures >= FAILURES_TO_BE_DOWN {
                for held in &mut self.endpoint.held {
                    held.due = held.due.min(now.plus(self.parts.entropy.jitter(BACK_WITHIN)));
                }
            }
            self.failures = 0;
        }
        if let Some(failed) = &landed.failed {
            self.failures = self.failures.saturating_add(1);
            if failed.status == Some(GONE) {
                return self.switch_off(Off::Gone);
            }
            if let (Some(TOO_MANY | UNAVAILABLE), Some(asked)) = (failed.status, failed.retry_after)
            {
                self.quiet_until = Some(now.plus(asked.min(schedule::RETRY_AFTER_MAX)));
            }
        }
        if self.again.remove(&landed.subject) {
            self.landed_again(landed, now);
        } else if let Some(batch) = &mut self.batch
            && let Some(through) = batch.open.remove(&landed.subject)
            && let Some(failed) = landed.failed
        {
            let mut held = Held {
                subject: landed.subject,
                next: landed.next,
                through,
                attempts: 0,
                since: now,
                due: now,
                why: String::new(),
            };
            self.hold(&mut held, failed, now);
            self.endpoint.held.push(held);
        }
        self.close_batch();
        metrics::standing(&self.endpoint);
    }

    /// An order that was held back has flown again.
    fn landed_again(&mut self, landed: Landed, now: Timestamp) {
        let found = self.endpoint.held.iter().position(|held| held.subject == landed.subject);
        let Some(index) = found else { return };
        self.unsaved = Some(now);
        if self.rewound.remove(&landed.subject) {
            return;
        }
        let mut held = self.endpoint.held.swap_remove(index);
        if landed.next > held.next {
            (held.next, held.attempts, held.since, held.due) = (landed.next, 0, now, now);
        }
        if let Some(failed) = landed.failed
            && !self.hold(&mut held, failed, now)
        {
            if self.endpoint.delivered_at.is_none_or(|delivered| delivered < held.since) {
                self.endpoint.held.push(held);
                return self.switch_off(Off::Failing);
            }
            tracing::error!(endpoint = %self.endpoint.id, id = %held.subject, version = held.next, why = held.why, "an event was tried for days while others were taken: it is passed over, and can be replayed");
            metrics::gave_up(self.endpoint.id);
            self.endpoint.given_up += 1;
            (held.next, held.attempts, held.since, held.due) = (held.next + 1, 0, now, now);
        }
        if held.next <= held.through {
            self.endpoint.held.push(held);
        }
    }

    /// Plans the next attempt; `false`: there is none.
    fn hold(&self, held: &mut Held, failed: Failed, now: Timestamp) -> bool {
        held.attempts += 1;
        held.why = failed.why;
        held.why.truncate(held.why.floor_char_boundary(WHY_BYTES_MAX));
        match schedule::wait(held.attempts, failed.retry_after, self.parts.entropy.as_ref()) {
            Some(wait) => {
                held.due = now.plus(wait);
                true
            }
            None => false,
        }
    }

    fn switch_off(&mut self, off: Off) {
        let now = self.now();
        tracing::error!(endpoint = %self.endpoint.id, why = off.name(), "a webhook endpoint is switched off; nothing is lost: it goes on from its position when it is enabled");
        self.endpoint.off = Some((off, now));
        self.abandon();
        self.unsaved = Some(now);
        metrics::standing(&self.endpoint);
    }

    /// Lets go of what is on its way: it is delivered again from the position.
    fn abandon(&mut self) {
        self.flying = FuturesUnordered::new();
        self.batch = None;
        self.again.clear();
        self.rewound.clear();
        self.read = self.endpoint.cursor();
        self.at_end = false;
    }

    /// Makes the endpoint durable as it is now; what cannot be saved now is saved later.
    ///
    /// # Errors
    /// The store has stopped.
    async fn save(&mut self) -> Result<(), OutboxError> {
        self.unsaved = None;
        let store = self.parts.store.as_ref();
        match records::save(store, &self.endpoint, self.version, &self.log).await {
            Ok(version) => self.version = version,
            Err(
                error @ OutboxError::Engine(EngineError::Halted(_) | EngineError::ShuttingDown),
            ) => {
                return Err(error);
            }
            Err(error) => {
                tracing::warn!(endpoint = %self.endpoint.id, %error, "its position is not saved yet; what is delivered meanwhile may be delivered again");
                self.unsaved = Some(self.now().plus(SAVE_AGAIN_AFTER));
            }
        }
        self.shown.send_replace(self.endpoint.clone());
        Ok(())
    }
}

const GONE: u16 = 410;
const TOO_MANY: u16 = 429;
const UNAVAILABLE: u16 = 503;
/// No wait is shorter: a loop that spins starves the others.
const MOMENT: Duration = Duration::from_millis(1);
