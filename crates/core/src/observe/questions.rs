//! What a person should be asked after a read, or need not be asked any more.

use crate::{
    Observation, Order, Outcome, PaymentKind, Policy, ReviewReason, StateName, Timestamp,
    order::Draft, state::Bound,
};

/// What a person should be asked after the newest read, or need not be asked any more.
pub(super) fn questions(draft: &mut Draft<'_>, seen: &Observation) {
    let (now, policy) = (draft.now, draft.policy);
    draft.settle(ReviewReason::ProviderLostOrder);
    draft.settle(ReviewReason::UnreadSinceRestore);
    if let Err(mismatch) = draft.next.terms.check_order(seen, policy) {
        draft.raise(ReviewReason::TermsMismatch, mismatch.to_string());
    }
    let Some(bound) = draft.next.state.bound().cloned() else {
        return;
    };
    if let (Some(deposit), Some(address)) = (draft.next.state.deposit(), &seen.address)
        && deposit.address != *address
    {
        let detail =
            format!("{} was given first, the provider now says {address}", deposit.address);
        draft.raise(ReviewReason::AddressChanged, detail);
    }
    match bound.unknown_status_since {
        Some(since) if now.since(since) >= policy.unknown_status_review_after => {
            draft.raise(
                ReviewReason::UnknownStatus,
                format!("the provider says `{}`", seen.status_text),
            );
        }
        Some(_) => {}
        None => draft.settle(ReviewReason::UnknownStatus),
    }
    match draft.next.state_name() {
        StateName::Created | StateName::WaitingForWallet => wallet_late(draft, &bound),
        StateName::AwaitingPayment => overdue(draft, now),
        StateName::Locked | StateName::Executed | StateName::Failed => {
            for reason in [
                ReviewReason::WalletLate,
                ReviewReason::PaymentStuck,
                ReviewReason::Overdue,
                ReviewReason::UnknownStatus,
            ] {
                draft.settle(reason);
            }
        }
    }
}

/// No read said anything, and time has passed: an order that cannot be read is asked about all the same.
pub(crate) fn woken(order: &Order, bound: &Bound, now: Timestamp, policy: &Policy) -> Outcome {
    let mut draft = Draft::for_clock(order, now, policy);
    match order.state_name() {
        StateName::Created | StateName::WaitingForWallet => wallet_late(&mut draft, bound),
        StateName::AwaitingPayment => overdue(&mut draft, now),
        StateName::Locked | StateName::Executed | StateName::Failed => {}
    }
    draft.finish()
}

fn wallet_late(draft: &mut Draft<'_>, bound: &Bound) {
    if draft.now.since(bound.at) >= draft.policy.wallet_review_after {
        draft.raise(ReviewReason::WalletLate, "no address yet".to_owned());
    }
}

pub(super) fn overdue(draft: &mut Draft<'_>, now: Timestamp) {
    let policy = draft.policy;
    let Some(deposit) = draft.next.state.deposit().cloned() else {
        return;
    };
    match (deposit.payment.kind(), deposit.payment.since) {
        (PaymentKind::None, _) | (_, None) => draft.settle(ReviewReason::PaymentStuck),
        (
            PaymentKind::Partial { .. } | PaymentKind::Exact | PaymentKind::Over { .. },
            Some(since),
        ) => {
            if now.since(since) >= policy.confirming_review_after {
                draft.raise(ReviewReason::PaymentStuck, "paid, and not decided".to_owned());
            }
        }
    }
    let (asks_at, detail) = match deposit.expires_at {
        Some(deadline) => (
            deadline.plus(policy.overdue_review_after),
            "past its deadline, and the provider has not ended it",
        ),
        None => (
            draft.next.since.plus(policy.unpaid_review_after),
            "the provider has named no deadline, and has not ended it",
        ),
    };
    if now >= asks_at {
        draft.raise(ReviewReason::Overdue, detail.to_owned());
    } else {
        draft.settle(ReviewReason::Overdue);
    }
}
