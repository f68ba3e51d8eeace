//! When an order wants to be looked at, and what is due then. Pure: the same order and time, the same answer.

use std::time::Duration;

use crate::{
    Order, PaymentKind, Policy, ProviderOrderId, Review, ReviewReason, State, Timestamp,
    state::{AwaitingPayment, Create, Deposit, Locked, RELOCK_LATE, attempt_detail},
};

/// When to look at an order again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WakeUp {
    /// At the earliest.
    pub at: Timestamp,
    /// May be put off by up to this much, at random, so that many orders do not come at once.
    pub spread: Duration,
}

impl WakeUp {
    /// Not a moment later.
    #[must_use]
    pub const fn exactly(at: Timestamp) -> Self {
        Self { at, spread: Duration::ZERO }
    }
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// Time decides something: feed [`crate::Input::Woken`].
    Tick,
    /// A create may be posted: get a permit, feed [`crate::CreateInput::Permit`].
    Create,
    /// The provider's order is to be read.
    Fetch(ProviderOrderId),
    /// A fresh lock is to be taken: feed [`crate::CreateInput::Locked`].
    Lock,
}

/// The last moment a create may be sent.
pub(crate) fn last_send(order: &Order, policy: &Policy) -> Timestamp {
    order.terms.expires_at.minus(policy.margin())
}

/// When nobody can pay an order any more whose create is unknown. Only where nobody can have been shown an address.
pub(crate) fn unknown_ends_at(order: &Order, policy: &Policy) -> Option<Timestamp> {
    policy.provider_order_window.map(|window| order.terms.expires_at.plus(window))
}

pub(crate) fn due(order: &Order, now: Timestamp, policy: &Policy) -> Due {
    match &order.state {
        State::Locked(Locked { create }) => {
            if let Some(adopting) = &order.adopting {
                return Due::Fetch(adopting.clone());
            }
            match create {
                Create::NotSent { next_at, held, .. } => {
                    if now > last_send(order, policy) {
                        Due::Tick
                    } else if held.is_none() && *next_at <= now {
                        Due::Create
                    } else {
                        Due::Nothing
                    }
                }
                Create::InFlight { .. } | Create::Unknown { .. } => Due::Tick,
                Create::Relocking { since, .. } => {
                    let until = order.relock.as_ref().and_then(|relock| relock.until);
                    let asks = now >= since.plus(policy.relock_review_after)
                        && !order.has_asked(ReviewReason::RelockLate, RELOCK_LATE);
                    let over = until.is_some_and(|until| now > until);
                    if over || asks { Due::Tick } else { Due::Lock }
                }
            }
        }
        State::Created(_) | State::WaitingForWallet(_) | State::AwaitingPayment(_) => fetch(order),
        State::Executed(_) | State::Failed(_) => {
            let watched = watched_until(order, policy).is_some_and(|end| now <= end);
            if watched || order.hint.is_some() || order.adopting.is_some() {
                fetch(order)
            } else {
                Due::Nothing
            }
        }
    }
}

fn fetch(order: &Order) -> Due {
    order
        .state
        .bound()
        .map(|bound| &bound.provider_order)
        .or(order.adopting.as_ref())
        .map_or(Due::Nothing, |provider_order| Due::Fetch(provider_order.clone()))
}

/// Since when an order that ended is listened to: its end, or when it was found at the provider.
fn watched_since(order: &Order) -> Option<Timestamp> {
    order.state.bound().map(|bound| order.since.max(bound.at))
}

pub(crate) fn watched_until(order: &Order, policy: &Policy) -> Option<Timestamp> {
    watched_since(order).map(|since| since.plus(policy.watch_after_end))
}

pub(crate) fn wake_up(order: &Order, now: Timestamp, policy: &Policy) -> Option<WakeUp> {
    let polling = &policy.polling;
    if let Some(hint) = &order.hint {
        return Some(confirm(now, hint.heard_at, polling.wallet.1));
    }
    let unread = |review: &&Review| review.reason == ReviewReason::UnreadSinceRestore;
    if let Some(review) = order.open_reviews().find(unread) {
        return Some(confirm(now, review.since, polling.wallet.1));
    }
    match &order.state {
        State::Locked(Locked { create }) => Some(locked(order, create, now, policy)),
        State::Created(_) | State::WaitingForWallet(_) => {
            Some(poll(now, order.since, polling.wallet))
        }
        State::AwaitingPayment(AwaitingPayment { deposit, .. }) => {
            Some(awaiting(order, deposit, now, policy))
        }
        State::Executed(_) | State::Failed(_) => {
            if order.adopting.is_some() {
                return Some(poll(now, now, polling.wallet));
            }
            let end = watched_until(order, policy)?;
            let next = poll(now, watched_since(order)?, polling.watch);
            (next.at <= end).then_some(next)
        }
    }
}

fn locked(order: &Order, create: &Create, now: Timestamp, policy: &Policy) -> WakeUp {
    /// A thing only a person or a webhook can move is still looked at daily.
    const IDLE: Duration = Duration::from_secs(24 * 60 * 60);
    if order.adopting.is_some() {
        return poll(now, now, policy.polling.wallet);
    }
    match create {
        Create::NotSent { next_at, held, .. } => {
            let margin = last_send(order, policy).plus(Duration::from_micros(1));
            WakeUp::exactly(if held.is_some() { margin } else { margin.min(*next_at) })
        }
        Create::InFlight { since, .. } => WakeUp::exactly(since.plus(policy.create_timeout)),
        Create::Unknown { .. } if order.is_exposed() => {
            WakeUp { at: now.plus(IDLE), spread: IDLE / 10 }
        }
        Create::Unknown { attempt, since, why } => {
            let asked =
                order.has_asked(ReviewReason::UnknownCreate, &attempt_detail(*attempt, why));
            let asks = (!asked).then(|| since.plus(policy.unknown_create_review_after));
            let next = [asks, unknown_ends_at(order, policy)].into_iter().flatten().min();
            next.map_or_else(|| WakeUp { at: now.plus(IDLE), spread: IDLE / 10 }, WakeUp::exactly)
        }
        Create::Relocking { since, .. } => poll(now, *since, policy.polling.wallet),
    }
}

/// A claim waits: read at once, then less and less often, should the reads lag or fail.
fn confirm(now: Timestamp, heard_at: Timestamp, longest: Duration) -> WakeUp {
    const SHORTEST: Duration = Duration::from_millis(100);
    let wait = (now.since(heard_at) / 2).clamp(SHORTEST, longest.max(SHORTEST));
    WakeUp { at: now.plus(wait), spread: wait / 4 }
}

fn awaiting(order: &Order, deposit: &Deposit, now: Timestamp, policy: &Policy) -> WakeUp {
    let polling = &policy.polling;
    let payment = &deposit.payment;
    if payment.suspected_fall.is_some() {
        return poll(now, now, polling.confirming);
    }
    match (payment.kind(), payment.since) {
        (PaymentKind::None, _) | (_, None) => {
            let Some(deadline) = deposit.expires_at else {
                return poll(now, order.since, polling.payment);
            };
            if now >= deadline {
                return poll(now, deadline, polling.confirming);
            }
            let next = poll(now, order.since, polling.payment);
            // Never sleep over the deadline: the provider's verdict is due then.
            WakeUp { at: next.at.min(deadline.plus(Duration::from_millis(1))), ..next }
        }
        (
            PaymentKind::Partial { .. } | PaymentKind::Exact | PaymentKind::Over { .. },
            Some(since),
        ) => poll(now, since, polling.confirming),
    }
}

/// The longer something has lasted, the less often it is asked about: a quarter of its age, within bounds.
fn poll(now: Timestamp, since: Timestamp, (shortest, longest): (Duration, Duration)) -> WakeUp {
    let wait = (now.since(since) / 4).clamp(shortest, longest.max(shortest));
    WakeUp { at: now.plus(wait), spread: wait / 5 }
}
