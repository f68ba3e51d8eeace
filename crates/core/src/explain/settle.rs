//! What a person is asked, and the exact commands that settle it.

use serde::Serialize;

use crate::{Order, Review, ReviewReason, StateName, Timestamp};

/// One open question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// Why a person is needed.
    pub reason: ReviewReason,
    /// Since when.
    pub since: Timestamp,
    /// The facts.
    pub detail: String,
    /// What to do.
    pub what_to_do: &'static str,
    /// The commands that settle it, ready to be completed and typed.
    pub commands: Vec<String>,
}

/// What is open about an order.
#[must_use]
pub fn questions(order: &Order) -> Vec<Question> {
    order
        .open_reviews()
        .map(|review| Question {
            reason: review.reason,
            since: review.since,
            detail: review.detail.clone(),
            what_to_do: review.reason.what_to_do(),
            commands: commands(order, review),
        })
        .collect()
}

/// The commands that settle a question. Only such as the order takes in its present state.
#[must_use]
pub fn commands(order: &Order, review: &Review) -> Vec<String> {
    let id = order.id;
    let who = "--author YOU --reason 'WHY'";
    let acknowledge =
        format!("orderkeep orders resolve {id} --review {} {who}", review.reason.name());
    let cancel = format!("orderkeep orders cancel {id} {who}");
    let retry = format!("orderkeep orders retry {id} {who}");
    let adopt = format!("orderkeep orders adopt {id} --provider-order THEIR_ORDER_ID {who}");
    let locked = order.state_name() == StateName::Locked;
    match review.reason {
        ReviewReason::UnknownCreate if locked => vec![
            adopt,
            format!("orderkeep orders resolve {id} --no-provider-order {who}"),
            format!(
                "orderkeep orders post-again {id} --lock-id {} {who}  # may make a second order",
                order.terms.lock_id
            ),
        ],
        ReviewReason::ExposurePossible if locked => vec![
            adopt,
            format!("orderkeep orders resolve {id} --no-provider-order {who}"),
            acknowledge,
        ],
        ReviewReason::CreateRefused if locked => vec![retry, cancel],
        ReviewReason::RelockLate if locked => vec![cancel, acknowledge],
        ReviewReason::AdoptionRefused if locked => vec![adopt, acknowledge],
        ReviewReason::TermsMismatch if !order.state_name().is_end() => vec![acknowledge, cancel],
        // A read may have settled it meanwhile.
        ReviewReason::WalletLate
        | ReviewReason::PaymentStuck
        | ReviewReason::Overdue
        | ReviewReason::UnknownStatus
        | ReviewReason::ProviderLostOrder
        | ReviewReason::UnreadSinceRestore => vec![retry, acknowledge],
        ReviewReason::UnknownCreate
        | ReviewReason::CreateRefused
        | ReviewReason::AdoptionRefused
        | ReviewReason::TermsMismatch
        | ReviewReason::UnexpectedProviderOrder
        | ReviewReason::SecondProviderOrder
        | ReviewReason::AddressChanged
        | ReviewReason::LockChanged
        | ReviewReason::FundsOnFailed
        | ReviewReason::LateFunds
        | ReviewReason::Reversed
        | ReviewReason::Corrected
        | ReviewReason::ExposurePossible
        | ReviewReason::Rebuilt
        | ReviewReason::RelockLate
        | ReviewReason::ExecutedAmount => vec![acknowledge],
    }
}
