//! Wrong twins of the lifecycle, one broken promise each: the watch must catch every one of them.
//!
//! A check that never went red proves nothing. Each twin takes the real step and spoils it, as plausibly as it can.

use crate::{
    exhaustive::{Letter, walk},
    fixture::*,
    watch::{Rule, StepFn},
};
use orderkeep_core::{
    Cause, Command, Disposition, Effect, Event, EventRecord, FailReason, Funds, Input, Observation,
    Order, Outcome, Policy, ProviderStatus, Source, State, Step, Timestamp,
    state::{Executed, Failed, WaitingForWallet},
};

fn right(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
    order.step(input, now, policy)
}

/// A step of these events, whose history folds: only what it means is wrong.
fn made_of(
    order: &Order,
    events: Vec<EventRecord>,
    effects: Vec<Effect>,
    now: Timestamp,
    policy: &Policy,
) -> Outcome {
    let Ok(next) = order.clone().then(&events) else {
        return Outcome::AlreadyThere(orderkeep_core::Already::Stale);
    };
    let wake_up = next.wake_up(now, policy);
    let disposition = Disposition::Applied;
    Outcome::Moved(Box::new(Step { events, next, effects, wake_up, disposition }))
}

fn record(now: Timestamp, event: Event) -> EventRecord {
    EventRecord { at: now, cause: Cause::Clock, event }
}

/// The real step, spoiled where there is one.
fn spoiled(outcome: Outcome, spoil: impl FnOnce(&mut Step)) -> Outcome {
    match outcome {
        Outcome::Moved(mut step) => {
            spoil(&mut step);
            Outcome::Moved(step)
        }
        same @ (Outcome::AlreadyThere(_) | Outcome::Refused(_)) => same,
    }
}

fn caught(twin: StepFn, beginning: &[Letter], rule: Rule) {
    let campaign = walk(beginning, 3, twin, 400);
    let rules: Vec<_> = campaign.broken.iter().map(|(_, violation)| violation.rule).collect();
    assert!(rules.contains(&rule), "{rule:?} was not reported, only {rules:?}");
    let detail = campaign.broken.iter().find(|(_, violation)| violation.rule == rule);
    assert!(
        detail.is_some_and(|(path, violation)| !path.is_empty() && !violation.detail.is_empty())
    );
}

#[test]
fn a_create_sent_again_after_an_unknown_one_is_caught() {
    fn twin(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        if order.create_unknown() && *input == permit() {
            let allowed = record(now, Event::PostAgainAuthorised);
            let again = order.clone().then([&allowed]).unwrap();
            if let Outcome::Moved(step) = again.step(input, now, policy) {
                let events = [vec![allowed], step.events].concat();
                return made_of(order, events, step.effects, now, policy);
            }
        }
        right(order, input, now, policy)
    }
    caught(twin, &[Letter::Permit, Letter::Ambiguous], Rule::NoCreateWithoutCertainty);
}

#[test]
fn a_claim_that_executes_is_caught() {
    fn twin(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        match input {
            Input::Observed(seen @ Observation { status: ProviderStatus::Executed, .. }) => {
                let mut believed = seen.clone();
                believed.source = Source::Confirmed { read_started_at: seen.at() };
                right(order, &Input::Observed(believed), now, policy)
            }
            Input::Observed(_)
            | Input::Command(_)
            | Input::Create(_)
            | Input::NotFound { .. }
            | Input::Woken
            | Input::Restored { .. } => right(order, input, now, policy),
        }
    }
    caught(twin, &[Letter::Permit, Letter::Accepted], Rule::AClaimDecidesNothing);
}

#[test]
fn a_state_that_goes_back_is_caught() {
    fn twin(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        let outcome = right(order, input, now, policy);
        let State::AwaitingPayment(state) = &order.state else { return outcome };
        let bound = state.bound.clone();
        match input {
            Input::Observed(Observation { status: ProviderStatus::WaitingForWallet, .. }) => {
                let events = vec![record(now, Event::Noted { text: "back".to_owned() })];
                spoiled(made_of(order, events, Vec::new(), now, policy), |step| {
                    step.next.state = State::WaitingForWallet(WaitingForWallet { bound });
                })
            }
            Input::Observed(_)
            | Input::Command(_)
            | Input::Create(_)
            | Input::NotFound { .. }
            | Input::Woken
            | Input::Restored { .. } => outcome,
        }
    }
    caught(twin, &[Letter::Permit, Letter::Accepted, Letter::ReadAddress], Rule::NothingGoesBack);
}

/// Spoils every event of a step on the way.
fn changed(
    order: &Order,
    outcome: Outcome,
    now: Timestamp,
    policy: &Policy,
    change: fn(&mut Event),
) -> Outcome {
    match outcome {
        Outcome::Moved(mut step) => {
            for record in &mut step.events {
                change(&mut record.event);
            }
            made_of(order, step.events, step.effects, now, policy)
        }
        same @ (Outcome::AlreadyThere(_) | Outcome::Refused(_)) => same,
    }
}

#[test]
fn money_dropped_at_the_end_is_caught() {
    fn twin(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        changed(order, right(order, input, now, policy), now, policy, |event| {
            if let Event::Failed { funds, .. } = event {
                *funds = Funds::None;
            }
        })
    }
    caught(
        twin,
        &[Letter::Permit, Letter::Accepted, Letter::ReadPartlyPaid],
        Rule::NoMoneyVanishes,
    );
}

#[test]
fn money_that_a_single_read_takes_away_is_caught() {
    fn twin(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        let first = right(order, input, now, policy);
        let (Input::Observed(seen), Outcome::Moved(step)) = (input, &first) else { return first };
        let mut twice = seen.clone();
        twice.source = Source::Confirmed {
            read_started_at: Timestamp::from_micros(seen.at().as_micros() + 1),
        };
        match right(&step.next, &Input::Observed(twice), now, policy) {
            Outcome::Moved(second) => {
                let events = [step.events.clone(), second.events].concat();
                made_of(order, events, Vec::new(), now, policy)
            }
            Outcome::AlreadyThere(_) | Outcome::Refused(_) => first,
        }
    }
    caught(
        twin,
        &[Letter::Permit, Letter::Accepted, Letter::ReadPartlyPaid],
        Rule::NoMoneyVanishes,
    );
}

#[test]
fn money_out_of_nothing_is_caught() {
    fn twin(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        changed(order, right(order, input, now, policy), now, policy, |event| {
            if let Event::Read { seen } = event
                && seen.received.as_ref().is_some_and(|received| !received.is_zero())
            {
                seen.received = Some(exact("41"));
            }
        })
    }
    caught(twin, &[Letter::Permit, Letter::Accepted, Letter::ReadAddress], Rule::NoMoneyAppears);
}

#[test]
fn a_create_past_the_margin_is_caught() {
    fn twin(order: &Order, input: &Input, _: Timestamp, policy: &Policy) -> Outcome {
        right(order, input, at(10), policy)
    }
    caught(twin, &[Letter::Leap], Rule::NoCreatePastTheMargin);
}

#[test]
fn an_end_by_the_clock_is_caught() {
    fn twin(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        let due = order.state.deposit().and_then(|deposit| deposit.expires_at);
        if *input == Input::Woken && due.is_some_and(|due| now > due) {
            let reason = FailReason::Expired;
            let events = vec![record(now, Event::Failed { reason, funds: Funds::None })];
            return made_of(order, events, Vec::new(), now, policy);
        }
        right(order, input, now, policy)
    }
    caught(
        twin,
        &[Letter::Permit, Letter::Accepted, Letter::ReadAddress, Letter::Leap],
        Rule::NoEndByOurselvesOnceMade,
    );
}

#[test]
fn an_order_without_a_wake_up_is_caught() {
    fn twin(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        spoiled(right(order, input, now, policy), |step| step.wake_up = None)
    }
    caught(twin, &[], Rule::EveryLiveOrderWakesUp);
}

#[test]
fn a_create_put_on_its_way_twice_is_caught() {
    fn twin(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        spoiled(right(order, input, now, policy), |step| {
            let effects = step.effects.clone();
            step.effects.extend(effects);
        })
    }
    caught(twin, &[], Rule::OneCreatePerAttempt);
}

#[test]
fn a_history_that_leaves_something_out_is_caught() {
    fn twin(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        spoiled(right(order, input, now, policy), |step| {
            let _ = step.events.pop();
        })
    }
    caught(twin, &[], Rule::HistoryFoldsToState);
    caught(twin, &[], Rule::OneDispositionWithItsReason);
}

#[test]
fn an_end_that_changes_is_caught() {
    fn twin(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        let outcome = right(order, input, now, policy);
        let State::Executed(Executed { bound, deposit }) = &order.state else { return outcome };
        let (bound, deposit) = (Some(bound.clone()), deposit.clone());
        spoiled(outcome, |step| {
            step.next.state = State::Failed(Failed { reason: FailReason::Expired, bound, deposit });
        })
    }
    caught(twin, &[Letter::Permit, Letter::Accepted, Letter::ReadExecuted], Rule::TheEndIsTheEnd);
}

#[test]
fn an_address_that_is_replaced_is_caught() {
    fn twin(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        let forged = match input {
            Input::Observed(seen) => seen.address.clone(),
            Input::Command(_)
            | Input::Create(_)
            | Input::NotFound { .. }
            | Input::Woken
            | Input::Restored { .. } => None,
        };
        spoiled(right(order, input, now, policy), |step| {
            if let (State::AwaitingPayment(state), Some(forged)) = (&mut step.next.state, forged) {
                state.deposit.address = forged;
            }
        })
    }
    caught(twin, &[Letter::Permit, Letter::Accepted, Letter::ReadAddress], Rule::TheAddressStands);
}

#[test]
fn a_cancel_taken_for_another_thing_is_caught() {
    /// Before an intent: only a wish.
    fn ignores(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        let Input::Command(Command::Cancel { author, .. }) = input else {
            return right(order, input, now, policy);
        };
        let wished = record(now, Event::CancelWished { author: author.clone() });
        made_of(order, vec![wished], Vec::new(), now, policy)
    }
    /// After it: an end.
    fn ends(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        let Input::Command(Command::Cancel { .. }) = input else {
            return right(order, input, now, policy);
        };
        let failed = Event::Failed { reason: FailReason::Cancelled, funds: Funds::None };
        made_of(order, vec![record(now, failed)], Vec::new(), now, policy)
    }
    caught(ignores, &[], Rule::CancelBeforeAnIntentEnds);
    caught(ends, &[Letter::Permit], Rule::CancelAfterAnIntentIsAWish);
    caught(ends, &[Letter::Permit, Letter::Accepted], Rule::NoEndByOurselvesOnceMade);
}
