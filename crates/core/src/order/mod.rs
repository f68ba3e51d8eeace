//! An order: what is common to all its states, and the two verbs, [`Order::step`] and [`Order::fold`].

mod apply;
mod begin;
pub(crate) mod commands;
mod draft;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use apply::BadHistory;
pub(crate) use draft::Draft;

use crate::{
    AccountId, AfterFact, Author, Cause, EventRecord, IdempotencyKey, Input, LockId, Metadata,
    Observation, OrderId, OrderOutcome, Outcome, Policy, ProviderOrderId, Relock, Review,
    ReviewReason, State, StateName, Step, Submit, Terms, Timestamp,
    observation::Address,
    replay::{self, Difference},
    schedule,
    terms::TermsMismatch,
};

/// One sale: crypto in, fiat out, at a locked rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Ours.
    pub id: OrderId,
    /// Whose credential.
    pub account: AccountId,
    /// The caller's key.
    pub key: IdempotencyKey,
    /// The caller's own word for it.
    pub reference: Option<String>,
    /// The lock's terms.
    pub terms: Terms,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// Since when it is in its state.
    pub since: Timestamp,
    /// How many events it has.
    pub version: u64,
    /// Where it stands.
    pub state: State,
    /// What a person was asked, open and settled.
    pub review: Vec<Review>,
    /// The wish to end it, once only the provider can.
    pub cancel: Option<CancelWish>,
    /// A claim that a read must confirm.
    pub hint: Option<Hint>,
    /// A provider order that somebody says is this one's.
    pub adopting: Option<ProviderOrderId>,
    /// Other orders at the provider for the same lock. Never acted on.
    pub other_orders: Vec<ProviderOrderId>,
    /// The last proven result, once it has ended.
    pub outcome: Option<OrderOutcome>,
    /// What came to light after the end.
    pub after: Vec<AfterFact>,
    /// Claims written down since a read last said something new. Bounded: see [`Order::CLAIMS_MAX`].
    pub claims: u32,
    /// What the caller allows for a fresh lock in place of one that ended.
    pub relock: Option<Relock>,
    /// The locks it had before this one, oldest first.
    pub earlier_locks: Vec<EarlierLock>,
    /// What else the caller hung on it.
    pub metadata: Metadata,
}

/// Somebody wants the order to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelWish {
    /// Who.
    pub author: Author,
    /// When.
    pub at: Timestamp,
}

/// A claim that a read must confirm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// When it was heard; a read that started later answers it.
    pub heard_at: Timestamp,
    /// What it said.
    pub claim: Box<Observation>,
}

/// A lock that another one took the place of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierLock {
    /// What it promised.
    pub terms: Terms,
    /// The last attempt to make an order of it, counted over all locks.
    pub last_attempt: u32,
}

impl Order {
    /// The longest reference and note, in bytes.
    pub const TEXT_BYTES_MAX: usize = 2_000;
    /// More claims than this, without a read that says anything new, are not written down: whoever forges webhooks must
    /// not be able to make a history without end.
    pub const CLAIMS_MAX: u32 = 16;
    /// So often a fresh lock takes the place of one that ended.
    pub const LOCKS_MAX: usize = 10;

    /// A new order. Whether its key and lock are free is for the store to say.
    ///
    /// # Errors
    /// Terms that make no sense, or a reference that is too long. A lock past its margin is taken, and fails at once, on record.
    pub fn submit(
        id: OrderId,
        submit: Submit,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Step, TermsMismatch> {
        submit.terms.validate()?;
        begin::submitted(id, submit, Cause::Submit, now, policy).map(|step| {
            // A lock past its margin.
            begin::then(step, &Input::Woken, now, policy)
        })
    }

    /// A new order for a lock that may have been used in a life of the store that is not known any more: nothing is
    /// posted, and a person is asked.
    ///
    /// # Errors
    /// As [`Order::submit`].
    pub fn submit_held(
        id: OrderId,
        submit: Submit,
        incarnation: Uuid,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Step, TermsMismatch> {
        submit.terms.validate()?;
        begin::submitted(id, submit, Cause::Submit, now, policy)
            .map(|step| begin::then(step, &Input::Restored { incarnation }, now, policy))
    }

    /// An order that an older copy of the store does not know, made again from a confirmed read of the provider's. Its
    /// key and what the lock promised are what its finder could find out; a person is asked whose it is.
    ///
    /// # Errors
    /// The read is not of the lock that the terms name, or was not confirmed.
    pub fn rebuild(
        id: OrderId,
        submit: Submit,
        seen: &Observation,
        incarnation: Uuid,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Step, TermsMismatch> {
        begin::rebuilt(id, submit, seen, incarnation, now, policy)
    }

    /// What one input does to this order.
    pub fn step(&self, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        if let Input::Command(command) = input
            && let Some(refusal) = commands::bad_reason(command)
        {
            return Outcome::Refused(refusal);
        }
        match &self.state {
            State::Locked(state) => state.on(self, input, now, policy),
            State::Created(state) => state.on(self, input, now, policy),
            State::WaitingForWallet(state) => state.on(self, input, now, policy),
            State::AwaitingPayment(state) => state.on(self, input, now, policy),
            State::Executed(state) => state.on(self, input, now, policy),
            State::Failed(state) => state.on(self, input, now, policy),
        }
    }

    /// The order that a history makes.
    ///
    /// # Errors
    /// A history that no order can have.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a EventRecord>) -> Result<Self, BadHistory> {
        let mut events = events.into_iter();
        let first = events.next().ok_or_else(BadHistory::empty)?;
        apply::begin(first)?.then(events)
    }

    /// This order, and what happened after.
    ///
    /// # Errors
    /// As [`Order::fold`].
    pub fn then<'a>(
        mut self,
        events: impl IntoIterator<Item = &'a EventRecord>,
    ) -> Result<Self, BadHistory> {
        for event in events {
            apply::apply(&mut self, event)?;
        }
        Ok(self)
    }

    /// Judges a history again by the rules and settings of today, and says what would come to something else; changes
    /// nothing. `None`: the history does not begin with its first event, or is no order's.
    #[must_use]
    pub fn replay(history: &[EventRecord], policy: &Policy) -> Option<Vec<Difference>> {
        replay::replay(history, policy)
    }

    /// What is due.
    #[must_use]
    pub fn due(&self, now: Timestamp, policy: &Policy) -> schedule::Due {
        schedule::due(self, now, policy)
    }

    /// When to look at it next, seen from `now`. Every order that is not at its end has one.
    #[must_use]
    pub fn wake_up(&self, now: Timestamp, policy: &Policy) -> Option<schedule::WakeUp> {
        schedule::wake_up(self, now, policy)
    }

    /// Whether the lock may still be posted: checked again right before the send, after the wait for the disk.
    #[must_use]
    pub fn may_still_send(&self, now: Timestamp, policy: &Policy) -> bool {
        now <= schedule::last_send(self, policy)
    }

    /// The last moment at which its lock may be posted.
    #[must_use]
    pub fn last_send(&self, policy: &Policy) -> Timestamp {
        schedule::last_send(self, policy)
    }

    /// Whether it had this lock before, and gave it up.
    #[must_use]
    pub fn gave_up(&self, lock_id: &LockId) -> bool {
        self.earlier_locks.iter().any(|earlier| earlier.terms.lock_id == *lock_id)
    }

    /// The lock that was given up and that this attempt was made with; `None`: the present one's.
    pub(crate) fn lock_of_attempt(&self, attempt: u32) -> Option<&LockId> {
        self.earlier_locks
            .iter()
            .find(|earlier| attempt <= earlier.last_attempt)
            .map(|earlier| &earlier.terms.lock_id)
    }

    /// Its state's name.
    #[must_use]
    pub const fn state_name(&self) -> StateName {
        self.state.name()
    }

    /// What a person is asked.
    pub fn open_reviews(&self) -> impl Iterator<Item = &Review> {
        self.review.iter().filter(|review| review.settled.is_none())
    }

    /// Whether a person is needed.
    #[must_use]
    pub fn needs_review(&self) -> bool {
        self.open_reviews().next().is_some()
    }

    /// Whether a person is asked for this reason.
    #[must_use]
    pub fn has_open(&self, reason: ReviewReason) -> bool {
        self.open_reviews().any(|review| review.reason == reason)
    }

    /// Whether a person is asked this already, or has settled the very same facts. What evidence settled may come
    /// back.
    pub(crate) fn has_asked(&self, reason: ReviewReason, detail: &str) -> bool {
        self.review.iter().filter(|review| review.reason == reason).any(|review| {
            match &review.settled {
                None => true,
                Some(settled) => settled.by.is_some() && review.detail == detail,
            }
        })
    }

    /// Where the payer may pay: the address, unless it is withheld (a wish to cancel, or an open question about the
    /// terms), or the order has ended.
    #[must_use]
    pub fn payable_address(&self) -> Option<&Address> {
        let State::AwaitingPayment(state) = &self.state else {
            return None;
        };
        let withheld = self.cancel.is_some()
            || self.open_reviews().any(|review| review.reason.withholds_address());
        (!withheld).then_some(&state.deposit.address)
    }

    /// Whether an attempt to create it may be on its way.
    #[must_use]
    pub const fn create_in_flight(&self) -> Option<u32> {
        match &self.state {
            State::Locked(crate::state::Locked {
                create: crate::state::Create::InFlight { attempt, .. },
            }) => Some(*attempt),
            State::Locked(_)
            | State::Created(_)
            | State::WaitingForWallet(_)
            | State::AwaitingPayment(_)
            | State::Executed(_)
            | State::Failed(_) => None,
        }
    }

    /// Whether it may have been made and shown to a payer in a life of the store that is not known any more. Then time
    /// proves nothing about it.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        let exposed = |review: &Review| review.reason == ReviewReason::ExposurePossible;
        self.state_name() == StateName::Locked && self.review.iter().any(exposed)
    }

    /// Whether nobody knows what came of its create.
    #[must_use]
    pub const fn create_unknown(&self) -> bool {
        matches!(
            &self.state,
            State::Locked(crate::state::Locked { create: crate::state::Create::Unknown { .. } })
        )
    }
}
