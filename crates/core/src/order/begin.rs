//! How an order begins: its first event, and what follows from it at once.

use uuid::Uuid;

use super::{Draft, Order};
use crate::{
    Cause, Disposition, Event, EventRecord, Input, Observation, OrderId, Outcome, Policy,
    ReviewReason, Source, Step, Submit, Timestamp, schedule, terms::TermsMismatch,
};

fn mismatch(field: &str, expected: String, found: String) -> TermsMismatch {
    TermsMismatch { field: field.to_owned(), expected, found }
}

/// The first step: the order is `Locked`.
pub(super) fn submitted(
    id: OrderId,
    submit: Submit,
    cause: Cause,
    now: Timestamp,
    policy: &Policy,
) -> Result<Step, TermsMismatch> {
    if let Some(reference) = &submit.reference
        && reference.len() > Order::TEXT_BYTES_MAX
    {
        return Err(mismatch(
            "reference",
            format!("at most {} bytes", Order::TEXT_BYTES_MAX),
            format!("{} bytes", reference.len()),
        ));
    }
    if let Some(relock) = &submit.relock {
        submit.terms.check_relock(relock)?;
    }
    let allowed = submit.relock.map(|relock| EventRecord {
        at: now,
        cause: cause.clone(),
        event: Event::RelockAllowed { relock },
    });
    let first = EventRecord {
        at: now,
        cause,
        event: Event::Submitted {
            id,
            account: submit.account,
            key: submit.key,
            terms: Box::new(submit.terms),
            reference: submit.reference,
            metadata: submit.metadata,
        },
    };
    let events: Vec<_> = std::iter::once(first).chain(allowed).collect();
    let order = Order::fold(&events)
        .map_err(|_| mismatch("submit", "a first event".to_owned(), "another".to_owned()))?;
    Ok(Step {
        events,
        wake_up: schedule::wake_up(&order, now, policy),
        next: order,
        effects: Vec::new(),
        disposition: Disposition::Applied,
    })
}

/// The same step, and what an input does right after it.
pub(super) fn then(step: Step, input: &Input, now: Timestamp, policy: &Policy) -> Step {
    match step.next.step(input, now, policy) {
        Outcome::Moved(more) => join(step, *more),
        Outcome::AlreadyThere(_) | Outcome::Refused(_) => step,
    }
}

/// See [`Order::rebuild`].
pub(super) fn rebuilt(
    id: OrderId,
    submit: Submit,
    seen: &Observation,
    incarnation: Uuid,
    now: Timestamp,
    policy: &Policy,
) -> Result<Step, TermsMismatch> {
    let confirmed = matches!(seen.source, Source::Confirmed { .. });
    if !confirmed || seen.lock_id.as_ref() != Some(&submit.terms.lock_id) {
        let found = seen.lock_id.as_ref().map_or("none", |lock_id| lock_id.as_str()).to_owned();
        return Err(mismatch("lock id", submit.terms.lock_id.to_string(), found));
    }
    let first = submitted(id, submit, Cause::Restore, now, policy)?;
    let mut draft = Draft::for_restore(&first.next, now, policy);
    draft.push(Event::Restored { incarnation });
    draft.raise(
        ReviewReason::Rebuilt,
        format!(
            "{} is not in the older copy that life {incarnation} of the store began with",
            seen.provider_order
        ),
    );
    // Somebody posted it, in the life before.
    draft.unknown(0, "the store was restored from an older copy");
    let lost = match draft.finish() {
        Outcome::Moved(more) => join(first, *more),
        Outcome::AlreadyThere(_) | Outcome::Refused(_) => first,
    };
    Ok(then(lost, &Input::Observed(seen.clone()), now, policy))
}

fn join(mut step: Step, more: Step) -> Step {
    step.events.extend(more.events);
    step.effects.extend(more.effects);
    step.next = more.next;
    step.wake_up = more.wake_up;
    step
}
