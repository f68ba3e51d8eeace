//! A shard: one task that owns its orders, so that two inputs of one order never race.
//!
//! For each input: load the order, ask the lifecycle, commit, and only then carry out the effects. Many orders are at
//! work at once, each with one commit at most; what waits, waits in its slot.

mod act;
mod done;
mod job;
mod recent;
mod slot;
mod sweep;
mod wake;
mod work;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use orderkeep_core::{
    AccountId, CreateAnswer, CreateInput, Input, OrderId, Policy, Step, Terms, Timestamp,
};
use orderkeep_provider::CallError;
use orderkeep_store::{CommitError, Committed, Health, Label, ListQuery, Store};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    Clock, EngineConfig, EngineError, Entropy,
    calls::{Account, ReadAnswer},
    clock::sleep_towards,
    gate::Permit,
    inbox::JustHeard,
    records,
    restore::Life,
    stats::Counters,
    waiting::Waiting,
};
pub(crate) use job::{Job, Message, Reply, Told, What};
use recent::Recent;
use slot::{Known, Slot};
use sweep::Sweep;
use wake::WakeUps;

/// Inputs from outside that may wait for the shard.
pub(crate) const MAILBOX: usize = 1_024;
/// Orders at work at once; above it, inputs from outside wait in the mailbox. More than can ever wait for the budget.
const SLOTS_MAX: usize = 8_192;
/// Above it, no more orders are woken: inputs from outside keep some room.
const WOKEN_MAX: usize = 7_168;
/// Inputs from outside that may wait for one order. What the shard itself has asked for always has room.
const QUEUE_MAX: usize = 256;
/// A commit that loses a race is computed again so many times; with one owner it never should.
const CONFLICTS_MAX: u8 = 5;
/// So much of what came back is taken in at once, before everything else is looked at.
const BURST: usize = 64;
/// How long to wait before a commit is tried again on a full disk.
pub(crate) const FULL_RETRY: Duration = Duration::from_secs(1);
/// How long to wait when too many creates wait for the budget.
const NO_PLACE_RETRY: Duration = Duration::from_secs(1);

/// What comes back from the shard's own work.
#[derive(Debug)]
enum Done {
    Loaded(OrderId, Result<Option<Known>, EngineError>),
    Committed {
        id: OrderId,
        job: Job,
        step: Box<Step>,
        wake_up: Option<Timestamp>,
        result: Result<Committed, CommitError>,
    },
    Touched {
        id: OrderId,
        wake_up: Option<Timestamp>,
        result: Result<Committed, CommitError>,
    },
    InboxFinished(Result<Committed, CommitError>),
    Again(OrderId),
    Permit(OrderId, Option<Permit>),
    Created {
        id: OrderId,
        attempt: u32,
        answer: CreateAnswer,
    },
    Read(OrderId, Option<Box<ReadAnswer>>),
    /// A fresh lock, or why there is none; `None` when the engine stops.
    Locked(OrderId, Option<Result<Box<Terms>, CallError>>),
    Probed,
}

/// What a shard needs.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) accounts: Arc<BTreeMap<AccountId, Arc<Account>>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) config: Arc<EngineConfig>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) heard: Arc<JustHeard>,
    /// Which life of the store this is, and what is held back in it.
    pub(crate) life: Arc<Life>,
    /// No new work.
    pub(crate) stop: CancellationToken,
    pub(crate) halted: Arc<watch::Sender<Option<String>>>,
}

impl Parts {
    /// The policy for an account as its provider is just now.
    pub(crate) fn policy(&self, account: &AccountId) -> Arc<Policy> {
        let account = self.accounts.get(account);
        account.map_or_else(|| Arc::new(self.config.policy.clone()), |account| account.policy())
    }

    /// Stops the engine; the first reason stands.
    pub(crate) fn halt(&self, why: &str) {
        tracing::error!(%why, "the engine halts");
        self.halted.send_if_modified(|halted| {
            let first = halted.is_none();
            halted.get_or_insert_with(|| why.to_owned());
            first
        });
    }
}

pub(crate) struct Shard {
    parts: Parts,
    mailbox: mpsc::Receiver<Message>,
    slots: HashMap<OrderId, Slot>,
    recent: Recent,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
    wake_ups: WakeUps,
    sweep: Sweep,
    started_at: tokio::time::Instant,
}

impl Shard {
    pub(crate) fn new(parts: Parts, mailbox: mpsc::Receiver<Message>) -> Self {
        Self {
            parts,
            mailbox,
            slots: HashMap::new(),
            recent: Recent::default(),
            work: FuturesUnordered::new(),
            wake_ups: WakeUps::new(),
            sweep: Sweep::new(),
            started_at: tokio::time::Instant::now(),
        }
    }

    /// Runs until it is told to stop and what was on its way has come back, or the grace is over.
    pub(crate) async fn run(mut self) {
        if let Err(error) = self.adopt_interrupted().await {
            self.halt(&error);
            return;
        }
        let mut health = self.parts.store.health();
        let stop = self.parts.stop.clone();
        let mut last_call: Option<tokio::time::Instant> = None;
        loop {
            if let Some(deadline) = last_call
                && (!self.has_calls_on_their_way() || tokio::time::Instant::now() >= deadline)
            {
                break;
            }
            if last_call.is_none() {
                self.admit_due().await;
            }
            let clock = Arc::clone(&self.parts.clock);
            let room = self.has_room();
            let sweep = self.sweep.next().filter(|_| room);
            let next = self.wake_ups.next(room).into_iter().chain(sweep).min();
            let pause = async {
                match last_call {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => sleep_towards(clock.as_ref(), next).await,
                }
            };
            // In a fixed order, so that the same events lead to the same run. What came back goes first, and lets one
            // message from outside in with it, so that neither holds up the other.
            tokio::select! {
                biased;
                () = stop.cancelled(), if last_call.is_none() => last_call = Some(self.grace()),
                changed = health.changed() => {
                    let health = health.borrow().clone();
                    match (changed, health) {
                        (Ok(()), Health::Halted(why)) => self.halt(&EngineError::Halted(why)),
                        (Ok(()), Health::Running | Health::Full(_)) => {}
                        (Ok(()), Health::Closed) | (Err(_), _) => last_call = Some(self.grace()),
                    }
                }
                Some(done) = self.work.next(), if !self.work.is_empty() => {
                    let (mut next, mut room) = (Some(done), BURST);
                    while let Some(done) = next.take() {
                        self.on_done(done);
                        if self.takes_messages(last_call)
                            && let Ok(message) = self.mailbox.try_recv()
                        {
                            self.on_message(message);
                        }
                        room -= 1;
                        if room > 0 && self.parts.halted.borrow().is_none() {
                            next = self.work.next().now_or_never().flatten();
                        }
                    }
                }
                message = self.mailbox.recv(), if self.takes_messages(last_call) => match message {
                    Some(message) => self.on_message(message),
                    // The last handle is gone.
                    None => last_call = Some(self.grace()),
                },
                () = pause => {}
            }
            if self.parts.halted.borrow().is_some() {
                break;
            }
        }
    }

    fn takes_messages(&self, last_call: Option<tokio::time::Instant>) -> bool {
        self.slots.len() < SLOTS_MAX && last_call.is_none()
    }

    fn grace(&self) -> tokio::time::Instant {
        tokio::time::Instant::now() + self.parts.config.shutdown_grace
    }

    /// Commits and creates are seen through; reads can be asked again.
    fn has_calls_on_their_way(&self) -> bool {
        self.slots.values().any(|slot| slot.busy || slot.creating.is_some())
    }

    fn halt(&self, error: &EngineError) {
        self.parts.halt(&error.to_string());
    }

    /// Creates that an earlier process left on their way: nobody waits for their answers any more.
    async fn adopt_interrupted(&mut self) -> Result<(), EngineError> {
        const PAGE: usize = 1_000;
        let mut before = None;
        loop {
            let query = ListQuery {
                kind: records::ORDER,
                label: Some(Label::from(records::CREATE_IN_FLIGHT)),
                before,
                limit: PAGE,
            };
            let page = self.parts.store.list(query).await?;
            for entity in &page {
                let order = records::read(entity)?.order;
                if let Some(attempt) = order.create_in_flight() {
                    tracing::warn!(order_id = %order.id, attempt, "its create was on its way when the process ended");
                    self.enqueue(
                        order.id,
                        Job::new(What::Input(Arc::new(Input::Create(CreateInput::Interrupted {
                            attempt,
                        })))),
                    );
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => before = Some(last.id),
                Some(_) | None => return Ok(()),
            }
        }
    }

    fn on_message(&mut self, message: Message) {
        match message {
            Message::Job(id, job) => self.enqueue(id, job),
            Message::Submitted(id, wake_up) => self.wake_ups.add(wake_up, id),
        }
    }

    fn enqueue(&mut self, id: OrderId, job: Job) {
        let slot = self
            .slots
            .entry(id)
            .or_insert_with(|| Slot { loaded: self.recent.take(id), ..Slot::default() });
        if slot.queue.len() >= QUEUE_MAX && job.reply.is_some() {
            job.answer(Err(EngineError::Busy("too many inputs for this order").into()));
            return;
        }
        slot.queue.push_back(job);
        self.drive(id);
    }

    fn has_room(&self) -> bool {
        self.slots.len() < WOKEN_MAX
    }

    /// Wakes orders whose time has come, as far as there is room.
    async fn admit_due(&mut self) {
        let now = self.parts.clock.now();
        self.sweep.see(now);
        let filled = self.wake_ups.refill(self.parts.store.as_ref(), now).await;
        let swept = if self.has_room() { self.sweep(now).await } else { Ok(()) };
        if let Err(error) = filled.and(swept) {
            self.halt(&error);
            return;
        }
        while self.has_room() {
            let Some(id) = self.wake_ups.pop(now) else { break };
            self.enqueue(id, Job::new(What::Wake));
        }
    }
}
