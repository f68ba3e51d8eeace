//! A dry run: what the rules and settings of today make of what an order was told, beside what was made of it then.
//!
//! What an order read, heard and let time decide is kept whole in its history, so it can be judged again: each such step
//! on the order as it really was before it. What people commanded and what came of creates is not judged again. Nothing
//! is changed by it: after a fault was mended, or before a setting is changed, it says which orders would have come to
//! something else.

use std::time::Duration;

use crate::{Cause, Event, EventRecord, Input, Observation, Order, Outcome, Policy, Timestamp};

/// One step that would come to something else today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The number of the step's first event.
    pub version: u64,
    /// When it was.
    pub at: Timestamp,
    /// The names of the events that it came to.
    pub came_to: Vec<&'static str>,
    /// The names of those that it would come to.
    pub comes_to: Vec<&'static str>,
}

/// The events of one step: what was true at one time by one cause, with one observation at most.
fn steps(history: &[EventRecord]) -> Vec<&[EventRecord]> {
    let mut steps = Vec::new();
    let mut rest = history;
    while let Some(first) = rest.first() {
        let mut seen = 0;
        let end = rest.iter().position(|record| {
            seen += usize::from(observation(record).is_some());
            seen > 1 || record.at != first.at || record.cause != first.cause
        });
        let (step, after) = rest.split_at(end.unwrap_or(rest.len()));
        steps.push(step);
        rest = after;
    }
    steps
}

fn observation(record: &EventRecord) -> Option<&Observation> {
    if let Event::Read { seen: said } | Event::Claimed { claim: said } = &record.event {
        Some(said)
    } else {
        None
    }
}

/// What a step was told, where its history holds all of it.
fn input(step: &[EventRecord]) -> Option<Input> {
    match step.first()?.cause {
        Cause::Clock => Some(Input::Woken),
        Cause::Read | Cause::Webhook => {
            step.iter().find_map(observation).map(|seen| Input::Observed(seen.clone()))
        }
        Cause::Submit
        | Cause::Command(_)
        | Cause::CommandFor { .. }
        | Cause::Create
        | Cause::Restore => None,
    }
}

/// The policy of today, with the provider's clock as it was then.
fn policy_of(step: &[EventRecord], policy: &Policy) -> Policy {
    let ahead = step.iter().find_map(|record| {
        let Event::MarginWidened { by_ms } = record.event else { return None };
        Some(Duration::from_millis(by_ms))
    });
    Policy { clock_ahead: ahead.unwrap_or_default(), ..policy.clone() }
}

/// Judges a whole history again. Empty: all of it would come to the same. `None`: it is not whole, or no order's.
pub(crate) fn replay(history: &[EventRecord], policy: &Policy) -> Option<Vec<Difference>> {
    let mut steps = steps(history).into_iter();
    let mut order = Order::fold(steps.next()?).ok()?;
    let mut differences = Vec::new();
    for mut step in steps {
        while let (Some(first), Some(input)) = (step.first(), input(step)) {
            let policy = policy_of(step, policy);
            if let Some(agreed) = agrees(&order, step, &input, &policy) {
                let (judged, rest) = step.split_at(agreed);
                order = order.then(judged).ok()?;
                step = rest;
                continue;
            }
            differences.push(Difference {
                version: order.version + 1,
                at: first.at,
                came_to: names(step),
                comes_to: names(&judge(&order, &input, first.at, &policy)),
            });
            break;
        }
        // What really was is what the next step is judged on.
        order = order.then(step).ok()?;
    }
    Some(differences)
}

fn judge(order: &Order, input: &Input, at: Timestamp, policy: &Policy) -> Vec<EventRecord> {
    match order.step(input, at, policy) {
        Outcome::Moved(step) => step.events,
        Outcome::AlreadyThere(_) | Outcome::Refused(_) => Vec::new(),
    }
}

/// How many of the events are accounted for, if the input comes to what is there. Others of the same time and cause, whose
/// input is not on record, may stand before it and after it.
fn agrees(order: &Order, step: &[EventRecord], input: &Input, policy: &Policy) -> Option<usize> {
    (0..step.len()).find_map(|skipped| {
        let (before, rest) = step.split_at(skipped);
        let order = order.clone().then(before).ok()?;
        let events = judge(&order, input, rest.first()?.at, policy);
        let same = |(ours, theirs): (&EventRecord, &EventRecord)| ours.event == theirs.event;
        let agrees = !events.is_empty()
            && events.len() <= rest.len()
            && events.iter().zip(rest).all(same)
            && before.first().is_none_or(stands_alone)
            && rest.get(events.len()).is_none_or(stands_alone);
        agrees.then_some(skipped + events.len())
    })
}

/// Whether a step begins with it whose input is not on record.
fn stands_alone(record: &EventRecord) -> bool {
    let webhook = record.cause == Cause::Webhook;
    matches!(
        record.event,
        Event::NotFound
            | Event::AdoptionRefused { .. }
            | Event::SecondOrderFound { .. }
            | Event::GivenUpOrderFound { .. }
    ) || (webhook && record.event == Event::WalletRequested)
}

fn names(events: &[EventRecord]) -> Vec<&'static str> {
    events.iter().map(|record| record.event.name()).collect()
}

impl Difference {
    /// In a sentence.
    pub(crate) fn said(&self) -> String {
        let list = |events: &[&str]| match events {
            [] => "nothing".to_owned(),
            events => events.join(", "),
        };
        format!(
            "Judged again by the rules and settings of today, event {} of {} would come to: {}. It came to: {}.",
            self.version,
            self.at,
            list(&self.comes_to),
            list(&self.came_to)
        )
    }
}
