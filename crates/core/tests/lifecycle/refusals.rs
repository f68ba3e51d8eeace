//! Every refusal, in the words that a person reads: what, where, and what to do.

use crate::fixture::*;
use orderkeep_core::{
    AnswerClass, Input, LockId, Outcome, ProviderStatus, Resolution, ReviewReason,
    observation::Observation,
};

fn refusal(mut story: Story, seconds: i64, input: &Input) -> String {
    match story.tell(seconds, input) {
        Outcome::Refused(why) => {
            assert!(!why.to_string().is_empty());
            why.to_string()
        }
        other @ (Outcome::Moved(_) | Outcome::AlreadyThere(_)) => {
            panic!("{} was not refused: {other:?}", input.name())
        }
    }
}

fn executed() -> Story {
    Story::awaiting().observes(20, read(20, ProviderStatus::Executed).paid("100"))
}

#[test]
fn a_key_stands_for_one_body() {
    let mut other_body = submit();
    other_body.terms.pay_amount = exact("101");
    let again = Input::Command(orderkeep_core::Command::Submit(Box::new(other_body)));
    assert_eq!(
        refusal(Story::awaiting(), 30, &again),
        "this idempotency key was used for another order; use a new key, or send the same body"
    );
}

#[test]
fn the_same_amounts_in_other_words_are_the_same_body() {
    let mut same = submit();
    same.terms.pay_amount = exact("100.00");
    let again = Input::Command(orderkeep_core::Command::Submit(Box::new(same)));
    let outcome = Story::awaiting().tell(30, &again);
    assert!(matches!(outcome, Outcome::AlreadyThere(_)), "{outcome:?}");
}

#[test]
fn an_ended_order_is_not_changed_any_more() {
    let ended = "the order has ended; nothing about it can be changed any more";
    for input in [cancel(), post_again(lock()), resolve(Resolution::NoProviderOrder)] {
        assert_eq!(refusal(executed(), 30, &input), ended);
    }
    let cancelled = Story::new().then(2, cancel());
    for input in [cancel(), retry(), permit(), post_again(lock())] {
        assert_eq!(refusal(cancelled.clone(), 30, &input), ended);
    }
}

#[test]
fn a_create_on_its_way_is_waited_for() {
    let words = "a create is on its way; wait for its answer";
    for input in [retry(), permit(), post_again(lock()), resolve(Resolution::NoProviderOrder)] {
        assert_eq!(refusal(Story::in_flight(), 2, &input), words);
    }
}

#[test]
fn an_unknown_create_says_what_a_person_can_do() {
    let words = "the outcome of the create is unknown; `retry` never posts it again: `adopt` the \
                 provider's order, `resolve`, or `post-again` with an acknowledgement";
    assert_eq!(refusal(Story::unknown(), 3, &retry()), words);
    assert_eq!(refusal(Story::unknown(), 3, &permit()), words);
}

#[test]
fn posting_again_needs_a_doubt_the_right_lock_and_time() {
    assert_eq!(
        refusal(Story::new(), 3, &post_again(lock())),
        "no create of this order has an unknown outcome"
    );
    assert_eq!(
        refusal(Story::unknown(), 3, &post_again(LockId::new("lock-2").unwrap())),
        "the acknowledgement must name this order's lock, lock-1"
    );
    assert_eq!(
        refusal(Story::unknown(), LOCK_ENDS - 1, &post_again(lock())),
        "the lock ends at 2026-03-01T12:15:00Z, too soon to post it"
    );
    assert_eq!(
        refusal(Story::unknown().then(3, cancel()), 4, &post_again(lock())),
        "no create is due: somebody wants the order to end"
    );
}

#[test]
fn a_permit_is_for_a_create_that_is_due() {
    let held =
        Story::in_flight().then(2, answered(1, refused(AnswerClass::Definite, Some("P403"))));
    assert_eq!(
        refusal(held, 3, &permit()),
        "no create is due: it was refused and waits for a person"
    );
    let waiting = Story::in_flight().then(2, answered(1, not_sent()));
    assert_eq!(refusal(waiting, 2, &permit()), "no create is due: its time has not come");
    let adopting = Story::new().then(1, adopt(other()));
    assert_eq!(
        refusal(adopting, 2, &permit()),
        "no create is due: a provider order is being adopted"
    );
    assert_eq!(
        refusal(Story::awaiting(), 30, &permit()),
        "the order is p-ours at the provider already"
    );
}

#[test]
fn what_the_provider_has_only_the_provider_ends() {
    assert_eq!(
        refusal(Story::awaiting(), 30, &resolve(Resolution::NoProviderOrder)),
        "only the provider can end this order: it was made there"
    );
    assert_eq!(
        refusal(Story::awaiting(), 30, &adopt(other())),
        "the order is p-ours at the provider already"
    );
}

#[test]
fn what_nobody_asked_cannot_be_settled() {
    assert_eq!(
        refusal(Story::awaiting(), 30, &acknowledge(None)),
        "nothing to resolve: no question is open"
    );
    assert_eq!(
        refusal(Story::awaiting(), 30, &acknowledge(Some(ReviewReason::Overdue))),
        "nothing to resolve: no question `overdue` is open"
    );
}

#[test]
fn what_is_not_ours_is_refused_and_a_claim_binds_nothing() {
    let mut foreign: Observation = read(30, ProviderStatus::Executed);
    foreign.provider_order = other();
    foreign.lock_id = None;
    let words = "the provider's order p-other is not this order's";
    assert_eq!(refusal(Story::awaiting(), 30, &Input::Observed(foreign.clone())), words);
    assert_eq!(refusal(Story::unknown(), 30, &Input::Observed(foreign)), words);
    assert_eq!(
        refusal(Story::unknown(), 3, &Input::Observed(claim(3, ProviderStatus::Executed))),
        "a claim binds no order of the provider's to ours; a read must confirm it"
    );
}

#[test]
fn texts_have_words_and_an_end() {
    assert_eq!(refusal(Story::new(), 3, &note("  ")), "a note needs words");
    let long = "x".repeat(2_001);
    assert_eq!(refusal(Story::new(), 3, &note(&long)), "a note is at most 2000 bytes long");
    let fits = Story::new().tell(3, &note(&long[..2_000]));
    assert!(matches!(fits, Outcome::Moved(_)), "{fits:?}");
}

#[test]
fn a_history_that_no_order_can_have_is_refused_by_name() {
    let story = executed();
    let mut events = story.history.clone();
    let end = events.last().unwrap().clone();
    events.push(end);
    let bad = orderkeep_core::Order::fold(&events).unwrap_err().to_string();
    let expected = "event 8 of order 0195a000-0000-7000-8000-000000000001, executed, cannot follow in Executed";
    assert_eq!(bad, expected);
    let empty = orderkeep_core::Order::fold(&[]).unwrap_err().to_string();
    assert_eq!(empty, "a history without events");
    let headless = orderkeep_core::Order::fold(&events[1..]).unwrap_err().to_string();
    assert_eq!(headless, "a history that begins with create_intended");
}
