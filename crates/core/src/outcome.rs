//! What one input does to one order.

use crate::{Effect, EventRecord, Order, ReviewReason, WakeUp};

/// What one input does to one order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// It changes: make the step durable.
    Moved(Box<Step>),
    /// It changes nothing, and that is in order.
    AlreadyThere(Already),
    /// It must not change anything.
    Refused(Refusal),
}

/// The change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What happened, to be appended.
    pub events: Vec<EventRecord>,
    /// The order after it.
    pub next: Order,
    /// What to do, once the events are durable.
    pub effects: Vec<Effect>,
    /// When to look at it again.
    pub wake_up: Option<WakeUp>,
    /// How the input ended.
    pub disposition: Disposition,
}

/// Why nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Already {
    /// It was said before.
    Duplicate,
    /// It is older than what is known.
    Stale,
}

/// How an input ended. No input ends without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// It changed the order.
    Applied,
    /// It was said before.
    Duplicate,
    /// It is older than what is known.
    Stale,
    /// It is a claim that moves money: a read decides.
    AwaitingConfirmation,
    /// Its order is not known yet: it waits. Given by the engine, which alone knows.
    Parked(String),
    /// It cannot be worked with, and is kept with the reason.
    Quarantined(String),
}

impl Disposition {
    /// The word for it, and the reason where there is one.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Applied => "applied".to_owned(),
            Self::Duplicate => "duplicate".to_owned(),
            Self::Stale => "stale".to_owned(),
            Self::AwaitingConfirmation => "awaiting confirmation".to_owned(),
            Self::Parked(why) => format!("parked: {why}"),
            Self::Quarantined(why) => format!("quarantined: {why}"),
        }
    }
}

/// Why an input must not change anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The same key, another order.
    #[error(
        "this idempotency key was used for another order; use a new key, or send the same body"
    )]
    KeyConflict,
    /// The order ended.
    #[error("the order has ended; nothing about it can be changed any more")]
    Ended,
    /// A create is on its way.
    #[error("a create is on its way; wait for its answer")]
    CreateInFlight,
    /// An unknown create is never sent again by a retry.
    #[error(
        "the outcome of the create is unknown; `retry` never posts it again: `adopt` the provider's order, `resolve`, or `post-again` with an acknowledgement"
    )]
    CreateUnknown,
    /// An unknown create that time never ends must not be forgotten: acknowledging answers nothing.
    #[error(
        "the outcome of the create is unknown, and time will not tell: `adopt` the provider's order, or `resolve` that there is none; to acknowledge it is not enough"
    )]
    StillUnknown,
    /// There is no unknown create.
    #[error("no create of this order has an unknown outcome")]
    NoUnknownCreate,
    /// The acknowledgement names another lock.
    #[error("the acknowledgement must name this order's lock, {expected}")]
    WrongAcknowledgement {
        /// This order's lock.
        expected: crate::LockId,
    },
    /// The lock is too near its end to be posted.
    #[error("the lock ends at {expires_at}, too soon to post it")]
    LockPastMargin {
        /// When it ends.
        expires_at: crate::Timestamp,
    },
    /// Only the provider ends an order that a payer may have paid.
    #[error("only the provider can end this order: it was made there")]
    ProviderDecides,
    /// An order at the provider belongs to it already.
    #[error("the order is {bound} at the provider already")]
    AlreadyBound {
        /// Which one.
        bound: crate::ProviderOrderId,
    },
    /// Nobody was asked.
    #[error("nothing to resolve: no question{} is open", .0.map_or(String::new(), |reason| format!(" `{}`", reason.name())))]
    NothingToResolve(Option<ReviewReason>),
    /// A create cannot be posted now.
    #[error("no create is due: {0}")]
    CreateNotDue(&'static str),
    /// The observation is of another order.
    #[error("the provider's order {0} is not this order's")]
    NotThisOrder(crate::ProviderOrderId),
    /// A claim cannot bind a provider's order to ours.
    #[error("a claim binds no order of the provider's to ours; a read must confirm it")]
    NotBound,
    /// The step would make a history that no order can have: a fault of ours, and nothing was changed.
    #[error("inconsistent step: {0}")]
    Inconsistent(String),
    /// More claims than reads have confirmed.
    #[error("too many claims since a read last said something new; the order is read all the same")]
    TooManyClaims,
    /// Too much text, or none.
    #[error("{0}")]
    BadText(&'static str),
}

impl Refusal {
    /// The word for it; does not change.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::KeyConflict => "key_conflict",
            Self::Ended => "ended",
            Self::CreateInFlight => "create_in_flight",
            Self::CreateUnknown => "create_unknown",
            Self::StillUnknown => "still_unknown",
            Self::NoUnknownCreate => "no_unknown_create",
            Self::WrongAcknowledgement { .. } => "wrong_acknowledgement",
            Self::LockPastMargin { .. } => "lock_past_margin",
            Self::ProviderDecides => "provider_decides",
            Self::AlreadyBound { .. } => "already_bound",
            Self::NothingToResolve(_) => "nothing_to_resolve",
            Self::CreateNotDue(_) => "create_not_due",
            Self::NotThisOrder(_) => "not_this_order",
            Self::NotBound => "not_bound",
            Self::Inconsistent(_) => "inconsistent",
            Self::TooManyClaims => "too_many_claims",
            Self::BadText(_) => "bad_text",
        }
    }
}

impl Outcome {
    /// How the input ended.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Moved(step) => step.disposition.clone(),
            Self::AlreadyThere(Already::Duplicate) => Disposition::Duplicate,
            Self::AlreadyThere(Already::Stale) => Disposition::Stale,
            Self::Refused(why @ Refusal::NotBound) => Disposition::Parked(why.to_string()),
            Self::Refused(why) => Disposition::Quarantined(why.to_string()),
        }
    }
}
