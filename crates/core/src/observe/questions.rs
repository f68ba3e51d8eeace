//! What a person should be asked after a read, or need not be asked any more.

use crate::{Observation, PaymentKind, ReviewReason, StateName, Timestamp, order::Draft};

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
        StateName::Created | StateName::WaitingForWallet => {
            if now.since(bound.at) >= policy.wallet_review_after {
                draft.raise(ReviewReason::WalletLate, "no address yet".to_owned());
            }
        }
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
    if deposit.expires_at.is_some_and(|deadline| now >= deadline.plus(policy.overdue_review_after))
    {
        draft.raise(
            ReviewReason::Overdue,
            "past its deadline, and the provider has not ended it".to_owned(),
        );
    } else {
        draft.settle(ReviewReason::Overdue);
    }
}
