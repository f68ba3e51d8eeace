//! What an order makes of being found in an older copy of its store.
//!
//! The copy knows nothing of what happened after it was made. So whatever could have happened counts as possible: a
//! create that was not sent yet may have been posted since, and its address shown to a payer. That order is *unknown,
//! exposure possible*: the engine neither posts it nor ends it, only evidence or a person does. An order that exists at
//! the provider is read before anything else, and its address withheld until then. What has ended has ended.

use uuid::Uuid;

use crate::{
    Already, Event, Order, Outcome, Policy, ReviewReason, State, Timestamp,
    order::Draft,
    state::{Create, Locked},
};

/// What becomes of an order in the life of the store that begins with an older copy.
pub(crate) fn restored(
    order: &Order,
    incarnation: Uuid,
    now: Timestamp,
    policy: &Policy,
) -> Outcome {
    let draft = Draft::for_restore(order, now, policy);
    match &order.state {
        State::Locked(Locked { create }) => exposed(draft, create, incarnation),
        State::Created(_) | State::WaitingForWallet(_) | State::AwaitingPayment(_) => {
            unread(draft, incarnation)
        }
        State::Executed(_) | State::Failed(_) => Outcome::AlreadyThere(Already::Duplicate),
    }
}

fn exposed(mut draft: Draft<'_>, create: &Create, incarnation: Uuid) -> Outcome {
    let detail = format!(
        "life {incarnation} of the store began with an older copy; an order may have been made from this lock in the life before"
    );
    if draft.next.has_asked(ReviewReason::ExposurePossible, &detail) {
        return Outcome::AlreadyThere(Already::Duplicate);
    }
    draft.push(Event::Restored { incarnation });
    let attempt = match create {
        Create::NotSent { attempts, .. } => Some(*attempts),
        Create::InFlight { attempt, .. } => Some(*attempt),
        // A fresh lock may have been taken after the copy was made, and posted.
        Create::Relocking { attempts, .. } => Some(*attempts),
        Create::Unknown { .. } => None,
    };
    if let Some(attempt) = attempt {
        draft.unknown(attempt, "the store was restored from an older copy");
    }
    // This question is the larger one, and its answer theirs.
    draft.settle(ReviewReason::CreateRefused);
    draft.settle(ReviewReason::UnknownCreate);
    draft.settle(ReviewReason::RelockLate);
    draft.raise(ReviewReason::ExposurePossible, detail);
    draft.finish()
}

fn unread(mut draft: Draft<'_>, incarnation: Uuid) -> Outcome {
    let detail = format!("life {incarnation} of the store began with an older copy");
    if draft.next.has_asked(ReviewReason::UnreadSinceRestore, &detail) {
        return Outcome::AlreadyThere(Already::Duplicate);
    }
    draft.push(Event::Restored { incarnation });
    draft.raise(ReviewReason::UnreadSinceRestore, detail);
    if let Some(bound) = draft.next.state.bound() {
        let provider_order = bound.provider_order.clone();
        draft.fetch(&provider_order);
    }
    draft.finish()
}
