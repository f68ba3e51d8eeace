//! Commands, as far as they are the same in several states.

use super::Draft;
use crate::{
    Already, Author, Command, Event, Order, Outcome, Policy, Refusal, Resolution, ReviewReason,
    Submit, Timestamp, state::Bound,
};

/// The same key again: the same order, or a conflict.
pub(crate) fn submit_again(order: &Order, submit: &Submit) -> Outcome {
    let same = order.account == submit.account
        && order.key == submit.key
        // A replay names the lock that it first came with.
        && order.earlier_locks.first().map_or(&order.terms, |earlier| &earlier.terms) == &submit.terms
        && order.relock == submit.relock
        && order.reference == submit.reference
        && order.metadata == submit.metadata;
    if same {
        Outcome::AlreadyThere(Already::Duplicate)
    } else {
        Outcome::Refused(Refusal::KeyConflict)
    }
}

/// What somebody gives as the reason is kept for ever: words, and not too many.
pub(crate) fn bad_reason(command: &Command) -> Option<Refusal> {
    let (_, reason) = command.asked_by()?;
    let reason = reason?;
    if reason.trim().is_empty() {
        return Some(Refusal::BadText("a reason needs words"));
    }
    (reason.len() > Order::TEXT_BYTES_MAX)
        .then_some(Refusal::BadText("a reason is at most 2000 bytes long"))
}

pub(crate) fn too_long(text: &str) -> Option<Refusal> {
    (text.len() > Order::TEXT_BYTES_MAX)
        .then_some(Refusal::BadText("a note is at most 2000 bytes long"))
}

pub(crate) fn note(mut draft: Draft<'_>, text: &str) -> Outcome {
    if text.trim().is_empty() {
        return Outcome::Refused(Refusal::BadText("a note needs words"));
    }
    if let Some(refusal) = too_long(text) {
        return Outcome::Refused(refusal);
    }
    draft.push(Event::Noted { text: text.to_owned() });
    draft.finish()
}

pub(crate) fn wish_cancel(mut draft: Draft<'_>, author: &Author) -> Outcome {
    if draft.next.cancel.is_some() {
        return Outcome::AlreadyThere(Already::Duplicate);
    }
    draft.push(Event::CancelWished { author: author.clone() });
    draft.finish()
}

pub(crate) fn acknowledge(draft: Draft<'_>, reason: Option<ReviewReason>, note: &str) -> Outcome {
    acknowledge_but(None, draft, reason, note)
}

/// The same, where one question stays open until it is answered.
pub(crate) fn acknowledge_but(
    stays: Option<ReviewReason>,
    mut draft: Draft<'_>,
    reason: Option<ReviewReason>,
    note: &str,
) -> Outcome {
    if let Some(refusal) = too_long(note) {
        return Outcome::Refused(refusal);
    }
    let open =
        reason.map_or_else(|| draft.next.needs_review(), |reason| draft.next.has_open(reason));
    if !open {
        return Outcome::Refused(Refusal::NothingToResolve(reason));
    }
    let settled: Vec<_> = draft
        .next
        .open_reviews()
        .map(|review| review.reason)
        .filter(|open| reason.is_none_or(|reason| *open == reason) && stays != Some(*open))
        .collect();
    if settled.is_empty() {
        return Outcome::Refused(Refusal::StillUnknown);
    }
    draft.push(Event::Resolved {
        resolution: Resolution::Acknowledge(reason),
        note: note.to_owned(),
    });
    for reason in settled {
        draft.settle_by_author(reason);
    }
    draft.finish()
}

/// Commands to an order that exists at the provider and has not ended.
pub(crate) fn on_bound(
    order: &Order,
    bound: &Bound,
    command: &Command,
    now: Timestamp,
    policy: &Policy,
) -> Outcome {
    let mut draft = Draft::for_command(order, command, now, policy);
    match command {
        Command::Submit(submit) => submit_again(order, submit),
        Command::Cancel { author, .. } => wish_cancel(draft, author),
        Command::Resolve { resolution, note, .. } => match resolution {
            Resolution::Acknowledge(reason) => acknowledge(draft, *reason, note),
            Resolution::NoProviderOrder => Outcome::Refused(Refusal::ProviderDecides),
        },
        Command::Adopt { provider_order, .. } => adopt_bound(bound, provider_order),
        Command::Retry { .. } => {
            draft.push(Event::RetryAsked);
            draft.fetch(&bound.provider_order);
            draft.finish()
        }
        Command::PostAgain { .. } => Outcome::Refused(Refusal::NoUnknownCreate),
        Command::Note { text, .. } => note(draft, text),
    }
}

/// Commands to an order that has ended.
pub(crate) fn on_ended(
    order: &Order,
    bound: Option<&Bound>,
    command: &Command,
    now: Timestamp,
    policy: &Policy,
) -> Outcome {
    let mut draft = Draft::for_command(order, command, now, policy);
    match command {
        Command::Submit(submit) => submit_again(order, submit),
        Command::Cancel { .. } => Outcome::Refused(Refusal::Ended),
        Command::Resolve { resolution, note, .. } => match resolution {
            Resolution::Acknowledge(reason) => acknowledge(draft, *reason, note),
            Resolution::NoProviderOrder => Outcome::Refused(Refusal::Ended),
        },
        Command::Adopt { provider_order, .. } => match bound {
            Some(bound) => adopt_bound(bound, provider_order),
            None if order.adopting.as_ref() == Some(provider_order) => {
                Outcome::AlreadyThere(Already::Duplicate)
            }
            None => {
                draft.push(Event::AdoptionAsked { provider_order: provider_order.clone() });
                draft.fetch(provider_order);
                draft.finish()
            }
        },
        Command::Retry { .. } => match bound {
            Some(bound) => {
                draft.push(Event::RetryAsked);
                draft.fetch(&bound.provider_order);
                draft.finish()
            }
            None => Outcome::Refused(Refusal::Ended),
        },
        Command::PostAgain { .. } => Outcome::Refused(Refusal::Ended),
        Command::Note { text, .. } => note(draft, text),
    }
}

fn adopt_bound(bound: &Bound, provider_order: &crate::ProviderOrderId) -> Outcome {
    if bound.provider_order == *provider_order {
        Outcome::AlreadyThere(Already::Duplicate)
    } else {
        Outcome::Refused(Refusal::AlreadyBound { bound: bound.provider_order.clone() })
    }
}
