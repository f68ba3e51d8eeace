//! A shard: one task that owns its orders, so that two inputs of one order never race.
//!
//! For each input: load the order, ask the lifecycle, commit, and only then carry out the effects. Many orders are at
//! work at once, each with one commit at most; what waits, waits in its slot.

mod slot;
mod wake;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use orderkeep_core::{
    AccountId, AnswerClass, CreateAnswer, CreateInput, Disposition, Due, Effect, Input, Order,
    OrderId, Outcome, ProviderOrderId, State, Step, Timestamp,
};
use orderkeep_store::{
    Commit, CommitError, Committed, Health, InboxDone, InboxSeq, Label, ListQuery, Store,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    Clock, CommandError, EngineConfig, EngineError,
    calls::{self, Account, ReadAnswer},
    clock::sleep_towards,
    engine::Answered,
    gate::{Permit, Purpose},
    records::{self, Loaded},
    stats::{Counters, count},
};
use slot::Slot;
use wake::WakeUps;

/// Inputs from outside that may wait for the shard.
pub(crate) const MAILBOX: usize = 1_024;
/// Orders at work at once; above it, inputs from outside wait in the mailbox.
const SLOTS_MAX: usize = 8_192;
/// Calls that may wait for the budget; above it, a due order keeps its durable wake-up and is looked at later.
const CALLS_WAITING_MAX: usize = 2_048;
/// Inputs that may wait for one order.
const QUEUE_MAX: usize = 256;
/// A commit that loses a race is computed again so many times; with one owner it never should.
const CONFLICTS_MAX: u8 = 5;
/// How long to wait before a commit is tried again on a full disk.
const FULL_RETRY: Duration = Duration::from_secs(1);

/// What an input came to.
pub(crate) type Reply = Result<Answered, CommandError>;

/// One thing to do about one order.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) what: What,
    /// The inbox items that it works off.
    pub(crate) inbox: Vec<InboxSeq>,
    pub(crate) reply: Option<oneshot::Sender<Reply>>,
    /// Leave for the call that the step may ask for.
    permit: Option<Permit>,
    conflicts: u8,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    /// Something happened.
    Input(Box<Input>),
    /// A read came back with something.
    Read(Box<Input>),
    /// A read brought no answer.
    ReadFailed,
    /// A wake-up is due.
    Wake,
    /// Somebody says something that cannot be read: have a look.
    Look,
}

impl Job {
    pub(crate) const fn new(what: What) -> Self {
        Self { what, inbox: Vec::new(), reply: None, permit: None, conflicts: 0 }
    }

    fn answer(self, reply: Reply) {
        if let Some(to) = self.reply {
            // Whoever asked may have left.
            drop(to.send(reply));
        }
    }
}

/// What the shard is told from outside.
#[derive(Debug)]
pub(crate) enum Message {
    Job(OrderId, Job),
    /// A new order is durable.
    Submitted(OrderId, Option<Timestamp>),
}

/// What comes back from the shard's own work.
#[derive(Debug)]
enum Done {
    Loaded(OrderId, Result<Option<Box<Loaded>>, EngineError>),
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
}

/// What a shard needs.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) accounts: Arc<BTreeMap<AccountId, Arc<Account>>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) config: Arc<EngineConfig>,
    pub(crate) counters: Arc<Counters>,
    /// No new work.
    pub(crate) stop: CancellationToken,
    pub(crate) halted: Arc<watch::Sender<Option<String>>>,
}

pub(crate) struct Shard {
    parts: Parts,
    mailbox: mpsc::Receiver<Message>,
    slots: HashMap<OrderId, Slot>,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
    wake_ups: WakeUps,
    calls_waiting: usize,
}

impl Shard {
    pub(crate) fn new(parts: Parts, mailbox: mpsc::Receiver<Message>) -> Self {
        Self {
            parts,
            mailbox,
            slots: HashMap::new(),
            work: FuturesUnordered::new(),
            wake_ups: WakeUps::new(),
            calls_waiting: 0,
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
            let next = self.wake_ups.next(self.calls_waiting < CALLS_WAITING_MAX);
            let clock = Arc::clone(&self.parts.clock);
            tokio::select! {
                Some(done) = self.work.next(), if !self.work.is_empty() => self.on_done(done),
                message = self.mailbox.recv(), if self.slots.len() < SLOTS_MAX && last_call.is_none() => match message {
                    Some(message) => self.on_message(message),
                    None => last_call = Some(self.grace()),
                },
                () = stop.cancelled(), if last_call.is_none() => last_call = Some(self.grace()),
                changed = health.changed() => {
                    let health = health.borrow().clone();
                    match (changed, health) {
                        (Ok(()), Health::Halted(why)) => self.halt(&EngineError::Halted(why)),
                        (Ok(()), Health::Running | Health::Full(_)) => {}
                        (Ok(()), Health::Closed) | (Err(_), _) => last_call = Some(self.grace()),
                    }
                }
                () = sleep_towards(clock.as_ref(), next) => {}
            }
            if self.parts.halted.borrow().is_some() {
                break;
            }
        }
    }

    fn grace(&self) -> tokio::time::Instant {
        tokio::time::Instant::now() + self.parts.config.shutdown_grace
    }

    /// Commits and creates are seen through; reads can be asked again.
    fn has_calls_on_their_way(&self) -> bool {
        self.slots.values().any(|slot| slot.busy || slot.creating.is_some())
    }

    fn halt(&self, error: &EngineError) {
        tracing::error!(%error, "the engine halts");
        self.parts.halted.send_if_modified(|halted| {
            let first = halted.is_none();
            halted.get_or_insert_with(|| error.to_string());
            first
        });
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
                        Job::new(What::Input(Box::new(Input::Create(CreateInput::Interrupted {
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
        let slot = self.slots.entry(id).or_default();
        if slot.queue.len() >= QUEUE_MAX {
            job.answer(Err(EngineError::Busy("too many inputs for this order").into()));
            return;
        }
        slot.queue.push_back(job);
        self.drive(id);
    }

    /// Wakes orders whose time has come, as far as there is room for their calls.
    async fn admit_due(&mut self) {
        let now = self.parts.clock.now();
        if let Err(error) = self.wake_ups.refill(self.parts.store.as_ref(), now).await {
            self.halt(&error);
            return;
        }
        while self.calls_waiting < CALLS_WAITING_MAX {
            let Some(id) = self.wake_ups.pop(now) else { break };
            self.enqueue(id, Job::new(What::Wake));
        }
    }

    /// Works on one order as far as it goes without waiting.
    fn drive(&mut self, id: OrderId) {
        loop {
            let Some(slot) = self.slots.get_mut(&id) else { return };
            if slot.busy {
                return;
            }
            if slot.queue.is_empty() {
                if slot.is_idle() {
                    self.slots.remove(&id);
                }
                return;
            }
            let Some(loaded) = slot.loaded.clone() else {
                slot.busy = true;
                let store = Arc::clone(&self.parts.store);
                self.work.push(
                    async move {
                        let loaded = match store.load(records::entity_id(id)).await {
                            Ok(Some(entity)) => records::read(&entity)
                                .map(|read| Some(Box::new(read)))
                                .map_err(EngineError::from),
                            Ok(None) => Ok(None),
                            Err(error) => Err(error.into()),
                        };
                        Done::Loaded(id, loaded)
                    }
                    .boxed(),
                );
                return;
            };
            let Some(job) = slot.queue.pop_front() else { return };
            self.work_on(&loaded, job);
        }
    }

    fn work_on(&mut self, loaded: &Loaded, job: Job) {
        let now = self.parts.clock.now();
        let order = &loaded.order;
        match job.what.clone() {
            What::Input(input) => self.feed(order, &input, job, now, false),
            What::Read(input) => self.feed(order, &input, job, now, true),
            What::ReadFailed => self.touch(order, now),
            What::Look => {
                if let Some(bound) = order.state.bound() {
                    self.fetch(order, bound.provider_order.clone(), now);
                }
                self.finish_inbox(&job.inbox, &Disposition::AwaitingConfirmation);
                job.answer(Ok(Answered {
                    order: order.clone(),
                    disposition: Disposition::AwaitingConfirmation,
                }));
            }
            What::Wake => {
                if loaded.wake_up.is_some_and(|at| at <= now) {
                    self.wake(order, now);
                }
            }
        }
    }

    fn wake(&mut self, order: &Order, now: Timestamp) {
        let Some(slot) = self.slots.get_mut(&order.id) else { return };
        match order.due(now, &self.parts.config.policy) {
            Due::Nothing => self.touch(order, now),
            Due::Tick => match order.create_in_flight() {
                // Its answer is still awaited here, and is bound to come.
                Some(_) if slot.creating.is_some() => {}
                Some(attempt) => {
                    let input = Input::Create(CreateInput::Interrupted { attempt });
                    self.feed(
                        order,
                        &input,
                        Job::new(What::Input(Box::new(input.clone()))),
                        now,
                        true,
                    );
                }
                None => self.feed(
                    order,
                    &Input::Woken,
                    Job::new(What::Input(Box::new(Input::Woken))),
                    now,
                    true,
                ),
            },
            Due::Create => {
                let account = self.parts.accounts.get(&order.account).cloned();
                if let Some(account) = account
                    && !std::mem::replace(&mut slot.permit_wanted, true)
                {
                    self.calls_waiting += 1;
                    let (id, deadline) = (order.id, order.terms.expires_at);
                    self.work.push(
                        async move {
                            Done::Permit(id, account.gate.permit(Purpose::Create, deadline).await)
                        }
                        .boxed(),
                    );
                }
            }
            Due::Fetch(_) if slot.fetching => {}
            Due::Fetch(provider_order) => self.fetch(order, provider_order, now),
        }
    }

    /// Reads the provider's order, once at a time; asked again meanwhile, once more after.
    fn fetch(&mut self, order: &Order, provider_order: ProviderOrderId, now: Timestamp) {
        let Some(account) = self.parts.accounts.get(&order.account).cloned() else { return };
        let Some(slot) = self.slots.get_mut(&order.id) else { return };
        if slot.fetching {
            slot.fetch_again = Some(provider_order);
            return;
        }
        if self.calls_waiting >= CALLS_WAITING_MAX {
            // The durable wake-up brings it back.
            return;
        }
        slot.fetching = true;
        self.calls_waiting += 1;
        let id = order.id;
        let clock = Arc::clone(&self.parts.clock);
        let counters = Arc::clone(&self.parts.counters);
        let call = calls::read(
            account,
            Purpose::Read,
            read_deadline(order, now),
            provider_order,
            clock,
            counters,
        );
        // A task of its own, so that encryption and parsing do not hold up the shard.
        let call = tokio::spawn(call);
        self.work
            .push(async move { Done::Read(id, call.await.unwrap_or(None).map(Box::new)) }.boxed());
    }

    /// Asks the lifecycle, and makes what it says durable.
    fn feed(
        &mut self,
        order: &Order,
        input: &Input,
        job: Job,
        now: Timestamp,
        moves_wake_up: bool,
    ) {
        let outcome = order.step(input, now, &self.parts.config.policy);
        let disposition = outcome.disposition();
        match outcome {
            Outcome::Moved(step) => self.commit(order, job, step),
            Outcome::AlreadyThere(_) => {
                self.finish_inbox(&job.inbox, &disposition);
                if disposition == Disposition::Duplicate && !job.inbox.is_empty() {
                    count(&self.parts.counters.webhooks_duplicate);
                }
                if moves_wake_up {
                    self.touch(order, now);
                }
                job.answer(Ok(Answered { order: order.clone(), disposition }));
            }
            Outcome::Refused(why) => {
                let parked = matches!(disposition, Disposition::Parked(_));
                if !parked {
                    self.finish_inbox(&job.inbox, &disposition);
                    if !matches!(input, Input::Command(_) | Input::Create(CreateInput::Permit)) {
                        count(&self.parts.counters.quarantined);
                        tracing::warn!(order_id = %order.id, input = input.name(), %why, "not taken in");
                    }
                }
                if moves_wake_up {
                    self.touch(order, now);
                }
                job.answer(Err(if parked {
                    CommandError::NotTaken(disposition)
                } else {
                    why.into()
                }));
            }
        }
    }

    fn commit(&mut self, before: &Order, job: Job, step: Box<Step>) {
        let wake_up = step.wake_up.map(wake::spread);
        let change = match records::change(Some(before), &step, wake_up) {
            Ok(change) => change,
            Err(error) => {
                job.answer(Err(EngineError::from(error).into()));
                return;
            }
        };
        let commit = Commit {
            partition: records::PARTITION,
            change: Some(change),
            inbox: finished(&job.inbox, &step.disposition),
        };
        let id = before.id;
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.busy = true;
        }
        let store = Arc::clone(&self.parts.store);
        self.work.push(
            async move {
                let result = store.commit(commit).await;
                Done::Committed { id, job, step, wake_up, result }
            }
            .boxed(),
        );
    }

    /// Moves the wake-up alone: nothing happened, and the order is to be looked at again.
    fn touch(&mut self, order: &Order, now: Timestamp) {
        let Some(slot) = self.slots.get_mut(&order.id) else { return };
        slot.busy = true;
        let wake_up = order.wake_up(now, &self.parts.config.policy).map(wake::spread);
        let commit = Commit {
            partition: records::PARTITION,
            change: Some(records::touch(order, wake_up)),
            inbox: Vec::new(),
        };
        let (id, store) = (order.id, Arc::clone(&self.parts.store));
        self.work.push(
            async move {
                let result = store.commit(commit).await;
                Done::Touched { id, wake_up, result }
            }
            .boxed(),
        );
    }

    /// Works inbox items off that changed nothing. Should it fail, they are found again after a restart, and say
    /// nothing new then either.
    fn finish_inbox(&self, inbox: &[InboxSeq], disposition: &Disposition) {
        if inbox.is_empty() {
            return;
        }
        let commit = Commit {
            partition: records::PARTITION,
            change: None,
            inbox: finished(inbox, disposition),
        };
        let store = Arc::clone(&self.parts.store);
        self.work.push(async move { Done::InboxFinished(store.commit(commit).await) }.boxed());
    }

    fn on_done(&mut self, done: Done) {
        match done {
            Done::Loaded(id, result) => self.on_loaded(id, result),
            Done::Committed { id, job, step, wake_up, result } => {
                self.on_committed(id, job, *step, wake_up, result)
            }
            Done::Touched { id, wake_up, result } => {
                let Some(slot) = self.slots.get_mut(&id) else { return };
                slot.busy = false;
                match result {
                    Ok(_) => {
                        if let Some(loaded) = &mut slot.loaded {
                            loaded.wake_up = wake_up;
                        }
                        self.wake_ups.add(wake_up, id);
                    }
                    Err(CommitError::Halted(why)) => self.halt(&EngineError::Halted(why)),
                    // The old wake-up stands, and is found again by the next look into the store.
                    Err(error) => {
                        tracing::warn!(order_id = %id, %error, "its wake-up could not be moved");
                        slot.loaded = None;
                    }
                }
                self.drive(id);
            }
            Done::InboxFinished(Err(CommitError::Halted(why))) => {
                self.halt(&EngineError::Halted(why))
            }
            Done::InboxFinished(_) => {}
            Done::Again(id) => {
                if let Some(slot) = self.slots.get_mut(&id) {
                    slot.busy = false;
                }
                self.drive(id);
            }
            Done::Permit(id, permit) => {
                self.calls_waiting -= 1;
                let Some(slot) = self.slots.get_mut(&id) else { return };
                slot.permit_wanted = false;
                let mut job = Job::new(What::Input(Box::new(Input::Create(CreateInput::Permit))));
                job.permit = permit;
                if job.permit.is_some() {
                    self.enqueue(id, job);
                }
            }
            Done::Created { id, attempt, answer } => {
                if let Some(slot) = self.slots.get_mut(&id) {
                    slot.creating = None;
                }
                self.enqueue(
                    id,
                    Job::new(What::Input(Box::new(Input::Create(CreateInput::Answered {
                        attempt,
                        answer,
                    })))),
                );
            }
            Done::Read(id, answer) => self.on_read(id, answer),
        }
    }

    fn on_loaded(&mut self, id: OrderId, result: Result<Option<Box<Loaded>>, EngineError>) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        slot.busy = false;
        let refusal = match result {
            Ok(Some(loaded)) => {
                slot.loaded = Some(*loaded);
                self.drive(id);
                return;
            }
            Ok(None) => CommandError::NoOrder(id),
            Err(error) => {
                tracing::error!(order_id = %id, %error, "cannot be read");
                error.into()
            }
        };
        for job in slot.queue.drain(..) {
            job.answer(Err(refusal.clone()));
        }
        self.slots.remove(&id);
    }

    fn on_committed(
        &mut self,
        id: OrderId,
        mut job: Job,
        step: Step,
        wake_up: Option<Timestamp>,
        result: Result<Committed, CommitError>,
    ) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        slot.busy = false;
        match result {
            Ok(_) => {
                count(&self.parts.counters.steps);
                for record in &step.events {
                    tracing::info!(order_id = %id, event = record.event.name(), state = %step.next.state_name(), "step");
                }
                slot.loaded = Some(Loaded { order: step.next.clone(), wake_up });
                self.wake_ups.add(wake_up, id);
                self.carry_out(&step, job.permit.take());
                job.answer(Ok(Answered { order: step.next, disposition: step.disposition }));
            }
            Err(CommitError::Conflict { .. }) if job.conflicts < CONFLICTS_MAX => {
                job.conflicts += 1;
                slot.loaded = None;
                slot.queue.push_front(job);
            }
            Err(CommitError::InboxGone(_)) => {
                job.inbox.clear();
                slot.queue.push_front(job);
            }
            Err(CommitError::Claimed { claim, holder }) => {
                tracing::error!(order_id = %id, ?claim, ?holder, "the provider gave one order to two of ours");
                claimed(slot, job);
            }
            Err(CommitError::Full(why)) if job.reply.is_some() => {
                job.answer(Err(EngineError::Full(why).into()));
            }
            Err(CommitError::Full(_)) => {
                // What happened outside must not be forgotten: it waits for room.
                slot.busy = true;
                slot.queue.push_front(job);
                self.work.push(
                    async move {
                        tokio::time::sleep(FULL_RETRY).await;
                        Done::Again(id)
                    }
                    .boxed(),
                );
            }
            Err(error @ CommitError::Halted(_)) => {
                job.answer(Err(EngineError::from(error.clone()).into()));
                self.halt(&error.into());
            }
            Err(error) => {
                tracing::error!(order_id = %id, %error, "a step could not be stored");
                slot.loaded = None;
                job.answer(Err(EngineError::from(error).into()));
            }
        }
        self.drive(id);
    }

    /// The step is durable: now act.
    fn carry_out(&mut self, step: &Step, mut permit: Option<Permit>) {
        let order = &step.next;
        for effect in &step.effects {
            match effect {
                Effect::Create { attempt, lock_id } => {
                    let now = self.parts.clock.now();
                    let may_send = order.may_still_send(now, &self.parts.config.policy);
                    let account = self.parts.accounts.get(&order.account).cloned();
                    let Some(slot) = self.slots.get_mut(&order.id) else { continue };
                    let (id, attempt) = (order.id, *attempt);
                    slot.creating = Some(attempt);
                    match (permit.take(), account) {
                        (Some(permit), Some(account)) if may_send => {
                            let counters = Arc::clone(&self.parts.counters);
                            let call = tokio::spawn(calls::create(
                                account,
                                permit,
                                lock_id.clone(),
                                counters,
                            ));
                            self.work.push(
                                async move {
                                    // A panic in the call leaves it open whether anything was sent.
                                    let answer =
                                        call.await.unwrap_or_else(|error| CreateAnswer::Refused {
                                            class: AnswerClass::Ambiguous,
                                            code: None,
                                            why: format!(
                                                "the call failed in our own code: {error}"
                                            ),
                                            retry_after: None,
                                        });
                                    Done::Created { id, attempt, answer }
                                }
                                .boxed(),
                            );
                        }
                        (_, _) => {
                            let why = if may_send {
                                "no leave to call"
                            } else {
                                "its lock's margin passed first"
                            };
                            let answer = CreateAnswer::NotSent { why: why.to_owned() };
                            self.work
                                .push(async move { Done::Created { id, attempt, answer } }.boxed());
                        }
                    }
                }
                Effect::Fetch { provider_order } => {
                    self.fetch(order, provider_order.clone(), self.parts.clock.now());
                }
            }
        }
    }

    fn on_read(&mut self, id: OrderId, answer: Option<Box<ReadAnswer>>) {
        self.calls_waiting -= 1;
        let Some(slot) = self.slots.get_mut(&id) else { return };
        slot.fetching = false;
        let again = slot.fetch_again.take();
        let Some(answer) = answer else {
            self.drive(id);
            return;
        };
        let what = match answer.result {
            Ok(Some(seen)) => What::Read(Box::new(Input::Observed(seen))),
            Ok(None) => What::Read(Box::new(Input::NotFound {
                provider_order: answer.provider_order,
                read_started_at: answer.read_started_at,
            })),
            Err(_) => What::ReadFailed,
        };
        if again.is_some() {
            slot.queue.push_back(Job::new(What::Look));
        }
        self.enqueue(id, Job::new(what));
    }
}

fn finished(inbox: &[InboxSeq], disposition: &Disposition) -> Vec<InboxDone> {
    inbox
        .iter()
        .map(|seq| InboxDone::Finished { seq: *seq, disposition: disposition.describe() })
        .collect()
}

/// The provider's order is another order's already. A create's answer is then no proof of anything; anything else
/// is not taken in.
fn claimed(slot: &mut Slot, job: Job) {
    match &job.what {
        What::Input(input) => {
            if let Input::Create(CreateInput::Answered {
                attempt,
                answer: CreateAnswer::Accepted { provider_order },
            }) = input.as_ref()
            {
                let answer = CreateAnswer::Refused {
                    class: AnswerClass::Ambiguous,
                    code: None,
                    why: format!(
                        "the provider answered with {provider_order}, which is another order's"
                    ),
                    retry_after: None,
                };
                let input = Input::Create(CreateInput::Answered { attempt: *attempt, answer });
                slot.queue.push_front(Job::new(What::Input(Box::new(input))));
            }
        }
        What::Read(_) | What::ReadFailed | What::Wake | What::Look => {}
    }
    job.answer(Err(
        EngineError::Store("the provider's order belongs to another order".to_owned()).into()
    ));
}

/// Until when a read is wanted: at once after a claim, before the payer's deadline, or some time.
fn read_deadline(order: &Order, now: Timestamp) -> Timestamp {
    /// Later than any order that has a deadline of its own.
    const SOME_TIME: Duration = Duration::from_secs(60 * 60);
    if order.hint.is_some() {
        return now;
    }
    match &order.state {
        State::Created(_) | State::WaitingForWallet(_) => order.since,
        State::AwaitingPayment(state) => state.deposit.expires_at.unwrap_or(now),
        State::Locked(_) => now,
        State::Executed(_) | State::Failed(_) => now.plus(SOME_TIME),
    }
}
