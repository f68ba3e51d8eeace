//! One order, as far as it goes without waiting: load it, ask the lifecycle, start the commit.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use orderkeep_core::{
    Already, CreateInput, Disposition, Due, Input, Order, OrderId, Outcome, Source, Step,
    Timestamp,
    table::{self, Situation},
};
use orderkeep_store::{Commit, CommitError, InboxDone, InboxSeq};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::{Done, FULL_RETRY, Job, Known, NO_PLACE_RETRY, Shard, Told, What, wake};
use crate::{
    CommandError, EngineError, calls, gate::Purpose, metrics, records, span, stats::count,
};

/// After a start, what was heard meanwhile is read before time decides about an unknown create.
const LOOK_FIRST: Duration = Duration::from_secs(10);
/// How soon an unknown create is looked at again while the provider cannot be seen.
const UNSEEN_RETRY: Duration = Duration::from_secs(15);

impl Shard {
    /// Works on one order as far as it goes without waiting.
    pub(super) fn drive(&mut self, id: OrderId) {
        loop {
            let Some(slot) = self.slots.get_mut(&id) else { return };
            if slot.busy {
                return;
            }
            if slot.queue.is_empty() {
                if slot.is_idle() {
                    let known = self.slots.remove(&id).and_then(|slot| slot.loaded);
                    known.into_iter().for_each(|known| self.recent.put(known));
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
                                .map(|read| Some(Known::from(read)))
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

    pub(super) fn work_on(&mut self, loaded: &Known, job: Job) {
        let now = self.parts.clock.now();
        let order = &loaded.order;
        if job.only_at.is_some_and(|version| version != order.version) {
            let moved = CommandError::Moved { order: order.id, version: order.version };
            return job.answer(Err(moved));
        }
        match job.what.clone() {
            What::Input(input) => self.feed(order, &input, job, now, false),
            What::Read(input) => self.feed(order, &input, job, now, true),
            What::ReadFailed => self.unread(order, job, now),
            What::Move => self.touch(order, now),
            What::Tick => self.tick(order, now),
            What::Look => {
                if let Some(bound) = order.state.bound() {
                    self.fetch(order, bound.provider_order.clone(), now);
                }
                self.finish_inbox(&job.inbox, &Disposition::AwaitingConfirmation);
                job.answer(Ok(Told {
                    order: Arc::clone(order),
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

    /// Does what is due.
    pub(super) fn wake(&mut self, order: &Arc<Order>, now: Timestamp) {
        match order.due(now, &self.parts.policy(&order.account)) {
            Due::Nothing => self.touch(order, now),
            Due::Tick => self.tick(order, now),
            Due::Create => self.ask_leave(order, now),
            Due::Lock => self.relock(order, now),
            Due::Fetch(provider_order) => {
                let fetching = self.slots.get(&order.id).is_some_and(|slot| slot.fetching);
                if !fetching && !self.fetch(order, provider_order, now) {
                    // No room for its call: others go first, and the list of what is due must not be full of it.
                    self.touch(order, now);
                }
            }
        }
    }

    /// Time decides something.
    fn tick(&mut self, order: &Arc<Order>, now: Timestamp) {
        let answer_comes = self.slots.get(&order.id).is_some_and(|slot| slot.creating.is_some());
        let input = match order.create_in_flight() {
            Some(attempt) if !answer_comes => Input::Create(CreateInput::Interrupted { attempt }),
            Some(_) | None => Input::Woken,
        };
        let window = self.parts.config.policy.provider_order_window;
        let ends = window.is_some_and(|window| now >= order.terms.expires_at.plus(window));
        if order.create_unknown() && ends && !self.sees_provider(order) {
            // Nobody may be asking it anything just now.
            if let Some(account) = self.parts.accounts.get(&order.account).cloned() {
                let probe = AbortOnDropHandle::new(tokio::spawn(calls::probe(account, now)));
                self.work.push(
                    async move {
                        drop(probe.await);
                        Done::Probed
                    }
                    .boxed(),
                );
            }
            self.wake_ups.add(Some(now.plus(UNSEEN_RETRY)), order.id);
            return;
        }
        self.feed(order, &input, Job::new(What::Tick), now, true);
    }

    /// Whether the provider can be seen, and had time to be: what was heard while the engine was down is read before
    /// time decides about an unknown create.
    fn sees_provider(&self, order: &Order) -> bool {
        let account = self.parts.accounts.get(&order.account);
        let seen = account.is_some_and(|account| account.gate.answers());
        seen && self.started_at.elapsed() >= LOOK_FIRST
    }

    /// A read brought nothing: it is asked for again. Where others are answered, what has lasted too long is asked about.
    fn unread(&mut self, order: &Arc<Order>, job: Job, now: Timestamp) {
        let account = self.parts.accounts.get(&order.account);
        if account.is_some_and(|account| account.gate.answers()) {
            self.feed(order, &Input::Woken, job, now, true);
        } else {
            self.touch(order, now);
        }
    }

    /// Waits for leave to post the order's create.
    fn ask_leave(&mut self, order: &Order, now: Timestamp) {
        let Some(account) = self.parts.accounts.get(&order.account).cloned() else { return };
        let Some(slot) = self.slots.get_mut(&order.id) else { return };
        if slot.permit_wanted {
            return;
        }
        let (id, deadline) = (order.id, order.terms.expires_at);
        let Ok(place) = Arc::clone(&account.creates).try_acquire_owned() else {
            self.wake_ups.add(Some(now.plus(NO_PLACE_RETRY)), id);
            return;
        };
        slot.permit_wanted = true;
        // Leave may come late; that the margin has passed is said when it has.
        let margin = order.last_send(&account.policy()).plus(Duration::from_micros(1));
        self.wake_ups.remind(margin, id);
        self.work.push(
            async move {
                let permit = account.gate.permit(Purpose::Create, deadline).await;
                drop(place);
                Done::Permit(id, permit)
            }
            .boxed(),
        );
    }

    /// Asks the lifecycle, and makes what it says durable.
    pub(super) fn feed(
        &mut self,
        order: &Arc<Order>,
        input: &Input,
        job: Job,
        now: Timestamp,
        moves_wake_up: bool,
    ) {
        let outcome = order.step(input, now, &self.parts.policy(&order.account));
        self.note_lateness(order, input, &outcome, now);
        let disposition = outcome.disposition();
        // For whoever counts which cells of the state table were visited.
        tracing::trace!(
            target: "orderkeep::cell",
            situation = Situation::of(order).words(),
            input = table::input_word(input),
            moved = matches!(outcome, Outcome::Moved(_)),
            refused = matches!(outcome, Outcome::Refused(_)),
        );
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
                job.answer(Ok(Told { order: Arc::clone(order), disposition }));
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

    /// Who was first to know, the webhook or a read: by that, polls follow how late webhooks are.
    fn note_lateness(&self, order: &Order, input: &Input, outcome: &Outcome, now: Timestamp) {
        let Input::Observed(seen) = input else { return };
        let Some(account) = self.parts.accounts.get(&order.account) else { return };
        let conditions = &account.conditions;
        let said = order.state.bound().and_then(|bound| bound.last_read.as_ref());
        match (seen.source, outcome) {
            (Source::Claimed { .. }, Outcome::Moved(_)) => conditions.heard_first(order.id, now),
            (Source::Claimed { .. }, Outcome::AlreadyThere(Already::Duplicate)) => {
                conditions.heard_again(order.id, now);
            }
            // The first read of an order is about its making, which no webhook tells.
            (Source::Confirmed { .. }, Outcome::Moved(_))
                if order.hint.is_none() && said.is_some_and(|said| said.status != seen.status) =>
            {
                conditions.found_by_read(order.id, now);
            }
            (
                Source::Claimed { .. } | Source::Confirmed { .. },
                Outcome::Moved(_) | Outcome::AlreadyThere(_) | Outcome::Refused(_),
            ) => {}
        }
    }

    pub(super) fn commit(&mut self, before: &Order, job: Job, step: Box<Step>) {
        let wake_up =
            step.wake_up.map(|wake_up| wake::spread(wake_up, self.parts.entropy.as_ref()));
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
        let (id, span) = (before.id, span::step(before, &step));
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.busy = true;
        }
        let store = Arc::clone(&self.parts.store);
        self.work.push(
            async move {
                let started = Instant::now();
                let result = store.commit(commit).await;
                metrics::committed(started.elapsed(), &result);
                Done::Committed { id, job, step, wake_up, result }
            }
            .instrument(span)
            .boxed(),
        );
    }

    /// Moves the wake-up alone: nothing happened, and the order is to be looked at again.
    pub(super) fn touch(&mut self, order: &Order, now: Timestamp) {
        let Some(slot) = self.slots.get_mut(&order.id) else { return };
        slot.busy = true;
        let entropy = self.parts.entropy.as_ref();
        let wake_up = order
            .wake_up(now, &self.parts.policy(&order.account))
            .map(|wake_up| wake::later(wake_up, now, entropy));
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

    /// Works inbox items off that changed nothing. They wait for room on a full disk; should it fail otherwise, they are
    /// found again after a restart, and say nothing new then either.
    pub(super) fn finish_inbox(&self, inbox: &[InboxSeq], disposition: &Disposition) {
        if inbox.is_empty() {
            return;
        }
        let commit = Commit {
            partition: records::PARTITION,
            change: None,
            inbox: finished(inbox, disposition),
        };
        let store = Arc::clone(&self.parts.store);
        self.work.push(
            async move {
                loop {
                    match store.commit(commit.clone()).await {
                        Err(CommitError::Full(_)) => tokio::time::sleep(FULL_RETRY).await,
                        result => return Done::InboxFinished(result),
                    }
                }
            }
            .boxed(),
        );
    }
}

fn finished(inbox: &[InboxSeq], disposition: &Disposition) -> Vec<InboxDone> {
    inbox
        .iter()
        .map(|seq| InboxDone::Finished { seq: *seq, disposition: disposition.describe() })
        .collect()
}
