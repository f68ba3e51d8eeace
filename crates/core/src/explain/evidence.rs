//! What each event says, as a sentence.

use std::time::Duration;

use serde::Serialize;

use super::span;
use crate::{
    Author, Cause, Event, EventRecord, FailReason, Funds, Observation, OrderResult, Resolution,
    Timestamp, event::BoundBy,
};

/// One event, told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Its number within the order.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// What caused it: `submit`, `command`, `create`, `webhook`, `read` or `clock`.
    pub cause: &'static str,
    /// Who, where somebody commanded it.
    pub author: Option<Author>,
    /// What.
    pub said: String,
}

impl Evidence {
    /// One event, told.
    #[must_use]
    pub fn of(version: u64, record: &EventRecord) -> Self {
        let mut said = sentence(&record.event, &record.cause);
        if let Some(reason) = record.cause.reason() {
            said.push_str(&format!(" Reason given: {reason}"));
        }
        Self {
            version,
            at: record.at,
            cause: (&record.cause).into(),
            author: record.cause.author().cloned(),
            said,
        }
    }
}

fn sentence(event: &Event, cause: &Cause) -> String {
    match event {
        Event::Submitted { terms, key, .. } => format!(
            "Submitted under key `{key}`: {} {} at rate {}, lock {} until {}.",
            terms.pay_amount, terms.pay_currency, terms.rate, terms.lock_id, terms.expires_at
        ),
        Event::CreateIntended { attempt } => {
            format!("Create, attempt {attempt}: on record before it was sent.")
        }
        Event::CreateNotSent { attempt, why, next_at } => {
            format!("Attempt {attempt} had certainly no effect ({why}); the next from {next_at}.")
        }
        Event::CreateHeld { attempt, why } => format!(
            "Attempt {attempt} was refused ({why}); the same again would not help, so it waits for a person."
        ),
        Event::CreateUnknown { attempt, why } => format!(
            "Nobody knows what came of attempt {attempt} ({why}). Nothing is sent again: it could make a second order."
        ),
        Event::Bound { provider_order, by } => match by {
            BoundBy::Answer => format!("The provider made it: {provider_order}, by its answer."),
            BoundBy::Read => format!(
                "The provider's order {provider_order} is this one's: a read showed our lock in it."
            ),
        },
        Event::AdoptionAsked { provider_order } => {
            format!("Somebody says that {provider_order} is this order's; a read decides.")
        }
        Event::AdoptionRefused { provider_order, why } => {
            format!("{provider_order} was not adopted: {why}.")
        }
        Event::Claimed { claim } => format!(
            "A webhook claimed: {}. Webhooks are not signed, so a read must confirm it.",
            observation(claim)
        ),
        Event::Read { seen } => {
            let how = match cause {
                Cause::Webhook => "A trusted webhook said",
                Cause::Submit
                | Cause::Command(_)
                | Cause::CommandFor { .. }
                | Cause::Create
                | Cause::Read
                | Cause::Clock
                | Cause::Restore => "A read said",
            };
            format!("{how}: {}.", observation(seen))
        }
        Event::WalletRequested => "The provider makes an address.".to_owned(),
        Event::WalletGiven { address } => format!("The address to pay to: {address}."),
        Event::NotFound => "The provider says that it has no such order.".to_owned(),
        Event::SecondOrderFound { provider_order } => {
            format!("A second order exists for this lock, {provider_order}. It is never acted on.")
        }
        Event::Executed { received } => match received {
            Some(received) => format!("Sold: the provider executed it, {received} received."),
            None => "Sold: the provider executed it, and did not say what was received.".to_owned(),
        },
        Event::Failed { reason, funds } => {
            format!("Failed: {}; {}.", fail_reason(reason), funds_words(funds))
        }
        Event::LateFunds { received } => {
            format!("After the end more arrived: {received} in all.")
        }
        Event::Reversed => "After the end it was taken back.".to_owned(),
        Event::Corrected { result } => {
            format!("After the end it was proven otherwise: {}.", result_words(*result))
        }
        Event::ReviewRaised { reason, detail } => {
            format!("A person was asked ({}): {detail}.", reason.name())
        }
        Event::ReviewSettled { reason, by } => match by {
            Some(author) => format!("{author} settled the question {}.", reason.name()),
            None => format!("The question {} was settled by evidence.", reason.name()),
        },
        Event::Resolved { resolution, note } => match resolution {
            Resolution::Acknowledge(Some(reason)) => {
                format!("Acknowledged {}: {note}", reason.name())
            }
            Resolution::Acknowledge(None) => format!("Acknowledged what was asked: {note}"),
            Resolution::NoProviderOrder => {
                format!("Resolved: the provider has no order for this lock: {note}")
            }
        },
        Event::CancelWished { author } => {
            format!("{author} wants it to end; only the provider can end it now.")
        }
        Event::RetryAsked => "Somebody wants it done now.".to_owned(),
        Event::PostAgainAuthorised => {
            "Somebody had the unknown create posted again, knowing that it may make a second order."
                .to_owned()
        }
        Event::Noted { text } => format!("Note: {text}"),
        Event::Restored { incarnation } => format!(
            "The store was restored from an older copy (its life {incarnation} began): what happened after the copy was made is not known."
        ),
        Event::RelockAllowed { relock } => {
            let until = relock.until.map_or(String::new(), |until| format!(", until {until}"));
            format!(
                "The caller allows a fresh lock in place of one that ends, for at most {}{until}.",
                relock.max_pay_amount
            )
        }
        Event::RelockWanted { instead_of } => format!(
            "The lock is over ({}), and nothing can come of it: a fresh one is to be taken.",
            fail_reason(instead_of)
        ),
        Event::Relocked { terms } => format!(
            "A fresh lock took its place: {} {} at rate {}, lock {} until {}.",
            terms.pay_amount, terms.pay_currency, terms.rate, terms.lock_id, terms.expires_at
        ),
        Event::RelockDeclined { why } => format!("No fresh lock: {why}."),
        Event::GivenUpOrderFound { provider_order, lock_id } => format!(
            "The provider has order {provider_order} of lock {lock_id}, which this order gave up. It is never acted on."
        ),
        Event::MarginWidened { by_ms } => format!(
            "The provider's clock is {} ahead of ours, so the lock ends as much sooner: what follows was decided by that.",
            span(Duration::from_millis(*by_ms))
        ),
    }
}

/// What the provider said, in one line.
fn observation(seen: &Observation) -> String {
    let mut said = format!("{} is `{}`", seen.provider_order, seen.status_text);
    if let Some(received) = &seen.received {
        said.push_str(&format!(", received {received}"));
        if let Some(required) = &seen.required {
            said.push_str(&format!(" of {required}"));
        }
    }
    if let Some(confirmations) = seen.confirmations {
        let of = seen.required_confirmations.map_or(String::new(), |of| format!(" of {of}"));
        said.push_str(&format!(", {confirmations}{of} confirmations"));
    }
    if let Some(address) = &seen.address {
        said.push_str(&format!(", address {address}"));
    }
    if let Some(expires_at) = seen.expires_at {
        said.push_str(&format!(", to be paid by {expires_at}"));
    }
    said
}

pub(super) fn fail_reason(reason: &FailReason) -> String {
    match reason {
        FailReason::LockExpired => "its lock ended before a create could be sent".to_owned(),
        FailReason::LockInvalid => "the provider does not take its lock".to_owned(),
        FailReason::Cancelled => "it was cancelled before anything was sent".to_owned(),
        FailReason::UnknownCreate => {
            "what came of its create was never found out, and nobody could pay it".to_owned()
        }
        FailReason::Expired => "the provider ended it, not paid in time".to_owned(),
        FailReason::Underpaid => "the provider ended it, too little paid".to_owned(),
        FailReason::Provider(word) => format!("the provider ended it as `{word}`"),
    }
}

pub(super) fn funds_words(funds: &Funds) -> String {
    match funds {
        Funds::None => "no funds were taken".to_owned(),
        Funds::Held(amount) => format!("the provider holds {amount} of the payer"),
        Funds::Settled => "the funds were sold and credited".to_owned(),
        Funds::Unclear => "where the funds are is not proven".to_owned(),
    }
}

pub(super) const fn result_words(result: OrderResult) -> &'static str {
    match result {
        OrderResult::Executed => "it was executed",
        OrderResult::Failed => "it failed",
        OrderResult::Reversed => "it was executed and taken back",
    }
}
