//! What the provider says about an order that has ended: the state stays, what comes to light is a fact of its own.

use super::{
    claim, executed_amount, merge_older, other_order, phase, questions::questions, reversed,
    says_something_new, wallet_given,
};
use crate::{
    Already, Event, FailReason, Observation, Order, OrderOutcome, OrderResult, Outcome, Policy,
    ProviderStatus, ReviewReason, Source, State, StateName, Timestamp, order::Draft, state::Bound,
};

/// An observation of an order that has ended.
pub(crate) fn after_the_end(
    order: &Order,
    bound: &Bound,
    seen: &Observation,
    now: Timestamp,
    policy: &Policy,
) -> Outcome {
    if let Some(other) = other_order(order, bound, seen, now, policy) {
        return other;
    }
    // An order that we gave up and the provider goes on with may still be on its way there.
    let ended_by_provider = match &order.state {
        State::Failed(failed) => match failed.reason {
            FailReason::Expired | FailReason::Underpaid | FailReason::Provider(_) => true,
            FailReason::LockExpired
            | FailReason::LockInvalid
            | FailReason::Cancelled
            | FailReason::UnknownCreate => false,
        },
        State::Executed(_)
        | State::Locked(_)
        | State::Created(_)
        | State::WaitingForWallet(_)
        | State::AwaitingPayment(_) => true,
    };
    let behind = ended_by_provider && phase(&seen.status).is_some_and(|phase| phase < 3);
    match seen.source {
        Source::Claimed { .. } => {
            // More money than is known is worth a look, whatever the status.
            let more = order.outcome.as_ref().is_some_and(|outcome| is_late(outcome, seen));
            claim(order, bound, seen, behind && !more, now, policy)
        }
        Source::Confirmed { .. } => {
            let mut draft = Draft::for_observation(order, seen, now, policy);
            if bound.is_newest(seen.at()) && !behind {
                read_after_the_end(&mut draft, seen);
            } else {
                merge_older(&mut draft, seen);
                // The provider takes an order up again for money that came late.
                if let Some(outcome) = order.outcome.as_ref().filter(|_| behind) {
                    late_funds(&mut draft, outcome, seen);
                }
                if draft.is_empty() {
                    return Outcome::AlreadyThere(Already::Stale);
                }
            }
            draft.finish()
        }
    }
}

/// The newest read of an order that has ended: its state stays, what it says is a fact of its own.
pub(super) fn read_after_the_end(draft: &mut Draft<'_>, seen: &Observation) {
    let before = draft.next.clone();
    let mut taken = draft.next.clone();
    if let Some(deposit) = taken.state.deposit_mut() {
        deposit.take_in(seen, true);
    }
    if says_something_new(&before, &taken, seen) {
        draft.push(Event::Read { seen: Box::new(seen.clone()) });
    }
    wallet_given(draft, seen);
    let Some(outcome) = before.outcome.as_ref() else {
        return;
    };
    late_funds(draft, outcome, seen);
    match &seen.status {
        ProviderStatus::Executed => {
            if outcome.result != OrderResult::Executed {
                draft.push(Event::Corrected { result: OrderResult::Executed });
                draft.raise(
                    ReviewReason::Corrected,
                    "the provider executed it after all".to_owned(),
                );
            }
        }
        ProviderStatus::Reversed => {
            if outcome.result != OrderResult::Reversed {
                reversed(draft, seen);
            }
        }
        ProviderStatus::Expired | ProviderStatus::Underpaid | ProviderStatus::Failed => {
            match outcome.result {
                // The next read says whether it is so.
                OrderResult::Executed if !is_said_again(&before, seen, draft.policy) => {}
                OrderResult::Executed => {
                    if before.state_name() == StateName::Executed {
                        reversed(draft, seen);
                    } else {
                        draft.push(Event::Corrected { result: OrderResult::Failed });
                        draft.raise(
                            ReviewReason::Corrected,
                            format!("the provider says {} again", seen.status_text),
                        );
                    }
                }
                OrderResult::Failed if gave_up_unknown(&before) => {
                    draft.settle(ReviewReason::UnexpectedProviderOrder);
                }
                OrderResult::Failed | OrderResult::Reversed => {}
            }
        }
        ProviderStatus::WaitingForWallet
        | ProviderStatus::AwaitingPayment
        | ProviderStatus::Confirming
        | ProviderStatus::Unknown(_) => {}
    }
    if before.state_name() == StateName::Executed
        && before.state.deposit().is_none_or(|deposit| deposit.payment.received.is_zero())
    {
        // How much was received came to light after the end.
        executed_amount(draft, seen);
    }
    questions(draft, seen);
}

/// Whether a read that takes a sale back without the word for it was there before, long enough ago: the provider's reads
/// lag, and one that is behind says of a sale that came late that the order expired.
fn is_said_again(before: &Order, seen: &Observation, policy: &Policy) -> bool {
    let last = before.state.bound().and_then(|bound| bound.last_read.as_ref());
    last.is_some_and(|last| {
        // A sale that was only claimed was never read: the first read decides.
        if matches!(last.source, Source::Claimed { .. }) {
            return true;
        }
        phase(&last.status) == Some(3)
            && last.status != ProviderStatus::Executed
            && seen.at().since(last.at()) >= policy.not_found_grace
    })
}

/// Whether its end said that there may be an order at the provider; that one has ended too leaves nothing to ask.
pub(super) fn gave_up_unknown(order: &Order) -> bool {
    match &order.state {
        State::Failed(failed) => failed.reason == FailReason::UnknownCreate,
        State::Locked(_)
        | State::Created(_)
        | State::WaitingForWallet(_)
        | State::AwaitingPayment(_)
        | State::Executed(_) => false,
    }
}

/// More arrived than the outcome accounts for. Amounts only grow, so that this is never the provider's lag.
fn late_funds(draft: &mut Draft<'_>, outcome: &OrderOutcome, seen: &Observation) {
    let Some(received) = seen.received.as_ref().filter(|_| is_late(outcome, seen)) else {
        return;
    };
    draft.push(Event::LateFunds { received: received.clone() });
    draft.raise(
        ReviewReason::LateFunds,
        format!("{received} in all arrived, some of it after the end"),
    );
}

fn is_late(outcome: &OrderOutcome, seen: &Observation) -> bool {
    seen.received.as_ref().is_some_and(|received| *received > outcome.accounted)
}
