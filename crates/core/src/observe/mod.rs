//! What the provider says about an order, and what follows. The same for every state that has a provider's order:
//! a claim makes us look, a read decides, and nothing goes back.

mod after_the_end;
mod questions;

pub(crate) use after_the_end::after_the_end;
use after_the_end::{gave_up_unknown, read_after_the_end};
pub(crate) use questions::woken;
use questions::{overdue, questions};

use crate::{
    Already, CreateAnswer, CreateInput, Event, Exact, FailReason, Funds, LockId, Observation,
    Order, Outcome, Policy, ProviderOrderId, ProviderStatus, Refusal, ReviewReason, Source, State,
    StateName, Timestamp,
    event::BoundBy,
    order::Draft,
    state::{Bound, Create, Locked},
};

/// How far along a status is; a later read that says less is the provider's lag. `None`: the word is not known.
const fn phase(status: &ProviderStatus) -> Option<u8> {
    match status {
        ProviderStatus::WaitingForWallet => Some(1),
        // One phase: a reorganised chain may take the payment away again.
        ProviderStatus::AwaitingPayment | ProviderStatus::Confirming => Some(2),
        ProviderStatus::Executed
        | ProviderStatus::Expired
        | ProviderStatus::Underpaid
        | ProviderStatus::Failed
        | ProviderStatus::Reversed => Some(3),
        ProviderStatus::Unknown(_) => None,
    }
}

const fn state_phase(name: StateName) -> u8 {
    match name {
        StateName::Locked | StateName::Created => 0,
        StateName::WaitingForWallet => 1,
        StateName::AwaitingPayment => 2,
        StateName::Executed | StateName::Failed => 3,
    }
}

/// An observation of an order that has no provider's order yet.
pub(crate) fn unbound(
    order: &Order,
    seen: &Observation,
    now: Timestamp,
    policy: &Policy,
) -> Outcome {
    match seen.source {
        Source::Claimed { .. } => Outcome::Refused(Refusal::NotBound),
        Source::Confirmed { .. } => {
            let mut draft = Draft::for_observation(order, seen, now, policy);
            if seen.lock_id.as_ref() == Some(&order.terms.lock_id) {
                bind(&mut draft, seen);
            } else if let Some(lock_id) = seen.lock_id.as_ref().filter(|id| order.gave_up(id)) {
                return given_up(draft, seen, lock_id);
            } else if order.adopting.as_ref() == Some(&seen.provider_order) {
                let found = seen.lock_id.as_ref().map_or("no lock", LockId::as_str);
                draft.refuse_adoption(&seen.provider_order, format!("it was made from {found}"));
            } else {
                return Outcome::Refused(Refusal::NotThisOrder(seen.provider_order.clone()));
            }
            draft.finish()
        }
    }
}

/// A confirmed read that carries our lock: this is our order at the provider, however it came to be.
fn bind(draft: &mut Draft<'_>, seen: &Observation) {
    let expected = match &draft.next.state {
        State::Locked(Locked { create }) => match create {
            Create::NotSent { unknown_before, .. } => *unknown_before,
            Create::InFlight { .. } | Create::Unknown { .. } => true,
            Create::Relocking { instead_of, .. } => *instead_of == FailReason::UnknownCreate,
        },
        State::Failed(_) => gave_up_unknown(&draft.next) && phase(&seen.status) == Some(3),
        State::Created(_)
        | State::WaitingForWallet(_)
        | State::AwaitingPayment(_)
        | State::Executed(_) => false,
    };
    let adopted = draft.next.adopting.as_ref() == Some(&seen.provider_order);
    draft.push(Event::Bound { provider_order: seen.provider_order.clone(), by: BoundBy::Read });
    draft.settle(ReviewReason::UnknownCreate);
    draft.settle(ReviewReason::CreateRefused);
    draft.settle(ReviewReason::ExposurePossible);
    draft.settle(ReviewReason::RelockLate);
    if !expected && !adopted {
        let detail = format!(
            "{} exists for this lock, and no create of ours explains it",
            seen.provider_order
        );
        draft.raise(ReviewReason::UnexpectedProviderOrder, detail);
    }
    if draft.next.state_name().is_end() {
        read_after_the_end(draft, seen);
    } else {
        read_before_the_end(draft, seen);
    }
}

/// Nothing was found under a provider order id that somebody named.
pub(crate) fn adoption_not_found(
    order: &Order,
    provider_order: &ProviderOrderId,
    now: Timestamp,
    policy: &Policy,
) -> Outcome {
    if order.adopting.as_ref() != Some(provider_order) {
        return Outcome::AlreadyThere(Already::Stale);
    }
    let mut draft = Draft::for_read(order, now, policy);
    draft.refuse_adoption(provider_order, "the provider has no such order".to_owned());
    draft.finish()
}

/// A create's answer that comes after the order was bound by a read.
pub(crate) fn create_after_binding(
    order: &Order,
    bound: &Bound,
    create: &CreateInput,
    now: Timestamp,
    policy: &Policy,
) -> Outcome {
    match create {
        CreateInput::Permit => {
            Outcome::Refused(Refusal::AlreadyBound { bound: bound.provider_order.clone() })
        }
        CreateInput::Interrupted { .. }
        | CreateInput::Locked { .. }
        | CreateInput::LockRefused { .. }
        | CreateInput::Answered {
            answer: CreateAnswer::NotSent { .. } | CreateAnswer::Refused { .. },
            ..
        } => Outcome::AlreadyThere(Already::Stale),
        CreateInput::Answered { answer: CreateAnswer::Accepted { provider_order }, .. } => {
            if *provider_order == bound.provider_order {
                return Outcome::AlreadyThere(Already::Duplicate);
            }
            second_order(Draft::for_create(order, now, policy), provider_order)
        }
    }
}

/// A lock that the order gave up made an order after all. It is never acted on; if a payer could still pay it, or has,
/// a person is asked.
fn given_up(mut draft: Draft<'_>, seen: &Observation, lock_id: &LockId) -> Outcome {
    if !draft.next.other_orders.contains(&seen.provider_order) {
        draft.push(Event::GivenUpOrderFound {
            provider_order: seen.provider_order.clone(),
            lock_id: lock_id.clone(),
        });
    }
    let paid = seen.received.as_ref().is_some_and(|received| !received.is_zero());
    if paid || phase(&seen.status) != Some(3) {
        draft.raise(
            ReviewReason::UnexpectedProviderOrder,
            format!(
                "{} was made from lock {lock_id}, which this order gave up; the provider says `{}`",
                seen.provider_order, seen.status_text
            ),
        );
    }
    draft.finish()
}

/// A create's answer that came after its lock was given up.
pub(crate) fn given_up_by_answer(
    mut draft: Draft<'_>,
    provider_order: &ProviderOrderId,
    lock_id: &LockId,
) -> Outcome {
    if draft.next.other_orders.contains(provider_order) {
        return Outcome::AlreadyThere(Already::Duplicate);
    }
    draft.push(Event::GivenUpOrderFound {
        provider_order: provider_order.clone(),
        lock_id: lock_id.clone(),
    });
    let detail = format!("{provider_order} was made from lock {lock_id}, which this order gave up");
    draft.raise(ReviewReason::UnexpectedProviderOrder, detail);
    draft.finish()
}

fn second_order(mut draft: Draft<'_>, provider_order: &ProviderOrderId) -> Outcome {
    if draft.next.other_orders.contains(provider_order) {
        return Outcome::AlreadyThere(Already::Duplicate);
    }
    draft.push(Event::SecondOrderFound { provider_order: provider_order.clone() });
    draft.raise(
        ReviewReason::SecondProviderOrder,
        format!("{provider_order} was made from the same lock"),
    );
    draft.finish()
}

/// The provider does not find the order.
pub(crate) fn not_found(
    order: &Order,
    bound: &Bound,
    provider_order: &ProviderOrderId,
    read_started_at: Timestamp,
    now: Timestamp,
    policy: &Policy,
) -> Outcome {
    let young = read_started_at < bound.at.plus(policy.not_found_grace);
    if bound.provider_order != *provider_order || !bound.is_newest(read_started_at) || young {
        return Outcome::AlreadyThere(Already::Stale);
    }
    let mut draft = Draft::for_read(order, now, policy);
    let detail = format!("{provider_order} is not found at the provider");
    if !order.has_asked(ReviewReason::ProviderLostOrder, &detail) {
        draft.push(Event::NotFound);
        draft.raise(ReviewReason::ProviderLostOrder, detail);
    }
    draft.finish()
}

/// An observation of an order that has not ended.
pub(crate) fn before_the_end(
    order: &Order,
    bound: &Bound,
    seen: &Observation,
    now: Timestamp,
    policy: &Policy,
) -> Outcome {
    if let Some(other) = other_order(order, bound, seen, now, policy) {
        return other;
    }
    let reached = state_phase(order.state_name());
    let behind = phase(&seen.status).is_some_and(|phase| phase < reached);
    // What an older read knows and a newer one does not is true all the same: nothing goes back.
    let ahead = phase(&seen.status).is_some_and(|phase| phase > reached);
    let decides = match seen.source {
        Source::Confirmed { .. } => true,
        Source::Claimed { .. } => is_trusted(seen, policy),
    };
    if !decides {
        return claim(order, bound, seen, behind, now, policy);
    }
    let mut draft = Draft::for_observation(order, seen, now, policy);
    let newest = bound.is_newest(seen.at());
    if ahead || (newest && !behind) {
        read_before_the_end(&mut draft, seen);
    } else {
        merge_older(&mut draft, seen);
        if newest && order.state_name() == StateName::AwaitingPayment {
            overdue(&mut draft, now);
        }
        if draft.is_empty() {
            return Outcome::AlreadyThere(Already::Stale);
        }
    }
    draft.finish()
}

/// Whether the partner believes what a webhook claims here. A reversal is never believed: it takes money back.
const fn is_trusted(claim: &Observation, policy: &Policy) -> bool {
    match claim.status {
        ProviderStatus::AwaitingPayment | ProviderStatus::Confirming => {
            policy.trust_claimed_address && claim.address.is_some()
        }
        ProviderStatus::Executed => policy.trust_claimed_executed,
        ProviderStatus::Expired | ProviderStatus::Underpaid | ProviderStatus::Failed => {
            policy.trust_claimed_failed
        }
        ProviderStatus::WaitingForWallet
        | ProviderStatus::Reversed
        | ProviderStatus::Unknown(_) => false,
    }
}

/// Another provider order, or another lock, than the one that is bound.
fn other_order(
    order: &Order,
    bound: &Bound,
    seen: &Observation,
    now: Timestamp,
    policy: &Policy,
) -> Option<Outcome> {
    if let (Source::Confirmed { .. }, Some(lock_id)) = (seen.source, &seen.lock_id)
        && order.gave_up(lock_id)
        && seen.provider_order != bound.provider_order
    {
        return Some(given_up(Draft::for_observation(order, seen, now, policy), seen, lock_id));
    }
    let same_lock = seen
        .lock_id
        .as_ref()
        .is_some_and(|lock_id| *lock_id == order.terms.lock_id || order.gave_up(lock_id));
    if seen.provider_order != bound.provider_order {
        return Some(match seen.source {
            Source::Confirmed { .. } if same_lock => {
                second_order(Draft::for_observation(order, seen, now, policy), &seen.provider_order)
            }
            Source::Claimed { .. } if same_lock => Outcome::Refused(Refusal::NotBound),
            Source::Confirmed { .. } | Source::Claimed { .. } => {
                Outcome::Refused(Refusal::NotThisOrder(seen.provider_order.clone()))
            }
        });
    }
    let lock_id = seen.lock_id.as_ref().filter(|_| !same_lock)?;
    Some(match seen.source {
        Source::Claimed { .. } => {
            Outcome::Refused(Refusal::NotThisOrder(seen.provider_order.clone()))
        }
        Source::Confirmed { .. } => {
            let mut draft = Draft::for_observation(order, seen, now, policy);
            draft.raise(
                ReviewReason::LockChanged,
                format!("the provider says it was made from {lock_id}"),
            );
            draft.finish()
        }
    })
}

/// A claim makes us look, unless it says nothing new. That an address is being made moves no money: it is taken.
fn claim(
    order: &Order,
    bound: &Bound,
    seen: &Observation,
    behind: bool,
    now: Timestamp,
    policy: &Policy,
) -> Outcome {
    let known = bound.last_read.as_ref().is_some_and(|last| seen.adds_nothing_to(last));
    let heard = order.hint.as_ref().is_some_and(|hint| seen.adds_nothing_to(&hint.claim));
    if known || heard {
        return Outcome::AlreadyThere(Already::Duplicate);
    }
    if behind {
        return Outcome::AlreadyThere(Already::Stale);
    }
    let mut draft = Draft::for_observation(order, seen, now, policy);
    if seen.status == ProviderStatus::WaitingForWallet {
        if order.state_name() == StateName::Created {
            draft.push(Event::WalletRequested);
        }
        return draft.finish();
    }
    if order.claims >= Order::CLAIMS_MAX {
        return Outcome::Refused(Refusal::TooManyClaims);
    }
    draft.push(Event::Claimed { claim: Box::new(seen.clone()) });
    draft.awaits_confirmation();
    draft.fetch(&bound.provider_order);
    draft.finish()
}

/// The newest read of an order that has not ended.
fn read_before_the_end(draft: &mut Draft<'_>, seen: &Observation) {
    let before = draft.next.clone();
    let mut taken = draft.next.clone();
    if let Some(bound) = taken.state.bound_mut() {
        bound.take_in(seen);
    }
    if let Some(deposit) = taken.state.deposit_mut() {
        deposit.take_in(seen, true);
    }
    if says_something_new(&before, &taken, seen) {
        draft.push(Event::Read { seen: Box::new(seen.clone()) });
    }
    match &seen.status {
        ProviderStatus::WaitingForWallet => wallet_requested(draft),
        ProviderStatus::AwaitingPayment | ProviderStatus::Confirming => {
            if seen.address.is_some() {
                wallet_given(draft, seen);
            } else {
                wallet_requested(draft);
            }
        }
        ProviderStatus::Executed => {
            wallet_given(draft, seen);
            draft.push(Event::Executed { received: seen.received.clone() });
            executed_amount(draft, seen);
        }
        ProviderStatus::Reversed => {
            wallet_given(draft, seen);
            draft.push(Event::Executed { received: seen.received.clone() });
            reversed(draft, seen);
        }
        ProviderStatus::Expired => fail(draft, seen, FailReason::Expired),
        ProviderStatus::Underpaid => fail(draft, seen, FailReason::Underpaid),
        ProviderStatus::Failed => fail(draft, seen, FailReason::Provider(seen.status_text.clone())),
        ProviderStatus::Unknown(_) => {}
    }
    questions(draft, seen);
}

/// Whether a read is worth a record: it says something else than the last one, or answers or starts something.
fn says_something_new(before: &Order, taken: &Order, seen: &Observation) -> bool {
    let said = before.state.bound().and_then(|bound| bound.last_read.as_ref());
    let answers_hint = before.hint.as_ref().is_some_and(|hint| seen.at() >= hint.heard_at);
    let changes_payment = before.state.deposit() != taken.state.deposit();
    answers_hint || changes_payment || said.is_none_or(|last| !last.says_the_same(seen))
}

fn wallet_requested(draft: &mut Draft<'_>) {
    if draft.next.state_name() == StateName::Created {
        draft.push(Event::WalletRequested);
    }
}

/// The address, once; terms that differ are flagged before anybody is shown where to pay.
fn wallet_given(draft: &mut Draft<'_>, seen: &Observation) {
    if draft.next.state.deposit().is_some() {
        return;
    }
    let Some(address) = &seen.address else { return };
    draft.push(Event::WalletGiven { address: address.clone() });
    draft.settle(ReviewReason::WalletLate);
}

fn fail(draft: &mut Draft<'_>, seen: &Observation, reason: FailReason) {
    wallet_given(draft, seen);
    let known = draft.next.state.deposit().map(|deposit| deposit.payment.received.clone());
    let received =
        [seen.received.clone(), known].into_iter().flatten().max().unwrap_or_else(Exact::zero);
    let funds = if received.is_zero() { Funds::None } else { Funds::Held(received.clone()) };
    draft.push(Event::Failed { reason, funds });
    if !received.is_zero() {
        draft.raise(
            ReviewReason::FundsOnFailed,
            format!("{received} arrived, and the order failed"),
        );
    }
}

/// Sold for less than was locked: both facts go to a person. More than was locked is the payment's facet `over`,
/// which shows the excess and asks nobody.
fn executed_amount(draft: &mut Draft<'_>, seen: &Observation) {
    let known = draft.next.state.deposit().map(|deposit| &deposit.payment.received);
    let received = seen.received.as_ref().into_iter().chain(known).max();
    let Some(received) = received.filter(|received| !received.is_zero()) else { return };
    let agreed = &draft.next.terms.pay_amount;
    let short = agreed.value() - received.value();
    if short > draft.policy.amount_tolerance.value() {
        let detail = format!("{agreed} was locked, and it was executed with {received} received");
        draft.raise(ReviewReason::ExecutedAmount, detail);
    }
}

fn reversed(draft: &mut Draft<'_>, seen: &Observation) {
    draft.push(Event::Reversed);
    draft.raise(ReviewReason::Reversed, format!("the provider says {}", seen.status_text));
}

/// An older read still holds facts that only grow: transfers, and what was there after the deadline.
fn merge_older(draft: &mut Draft<'_>, seen: &Observation) {
    let mut taken = draft.next.clone();
    if let Some(deposit) = taken.state.deposit_mut() {
        deposit.take_in(seen, false);
    }
    let fills_in = draft.next.state_name().is_end()
        && draft.next.state.deposit().is_none()
        && seen.address.is_some();
    if fills_in || taken.state.deposit() != draft.next.state.deposit() {
        draft.push(Event::Read { seen: Box::new(seen.clone()) });
    }
    if fills_in {
        wallet_given(draft, seen);
    }
}
