//! The last moment before and the first after; answers of the wrong attempt; the same thing said twice.

use crate::fixture::*;
use orderkeep_core::{
    Already, AnswerClass, CreateInput, IdempotencyKey, Input, Order, OrderId, Outcome, Policy,
    ProviderStatus, Resolution, StateName, Submit,
};
use std::time::Duration;

const STALE: Outcome = Outcome::AlreadyThere(Already::Stale);
const DUPLICATE: Outcome = Outcome::AlreadyThere(Already::Duplicate);

fn in_flight_again() -> Story {
    Story::unknown().then(3, post_again(lock())).then(4, permit())
}

#[test]
fn an_answer_of_another_attempt_says_nothing_of_this_one() {
    for class in [AnswerClass::Throttled, AnswerClass::Definite, AnswerClass::Ambiguous] {
        let mut story = in_flight_again();
        assert_eq!(story.tell(5, &answered(1, refused(class, None))), STALE, "{class:?}");
        assert_eq!(story.order.create_in_flight(), Some(2));
    }
    let mut story = in_flight_again();
    let first = Input::Create(CreateInput::Interrupted { attempt: 1 });
    assert_eq!(story.tell(5, &first), STALE);
    assert_eq!(story.order.create_in_flight(), Some(2));
}

/// The first attempt may have made an order, whatever becomes known of the second.
#[test]
fn that_a_second_attempt_was_not_sent_ends_no_doubt() {
    let mut story = in_flight_again().then(5, answered(2, refused(AnswerClass::Ambiguous, None)));
    assert!(story.order.create_unknown());
    assert_eq!(story.tell(6, &answered(2, not_sent())), STALE);
    assert_eq!(story.tell(6, &answered(1, not_sent())), STALE);
    assert!(story.order.create_unknown());
    assert_eq!(story.order.create_in_flight(), None);
}

#[test]
fn the_last_moment_to_send_is_still_in_time() {
    let last = LOCK_ENDS - 2;
    let mut story = Story::new();
    assert_eq!(story.tell(last, &Input::Woken), DUPLICATE);
    assert_eq!(story.name(), StateName::Locked);
    let mut story = Story::unknown();
    assert!(matches!(story.tell(last, &post_again(lock())), Outcome::Moved(_)));
}

#[test]
fn what_ended_is_adopted_once() {
    let mut story =
        Story::unknown().then(3, resolve(Resolution::NoProviderOrder)).then(4, adopt(ours()));
    assert_eq!(story.tell(5, &adopt(ours())), DUPLICATE);
    assert!(matches!(story.tell(6, &adopt(other())), Outcome::Moved(_)));
}

#[test]
fn a_reference_may_be_as_long_as_is_said() {
    let id: OrderId = "0195a000-0000-7000-8000-000000000001".parse().unwrap();
    let with = |bytes: usize| {
        let key = IdempotencyKey::new("key-1").unwrap();
        let submit = Submit { key, reference: Some("x".repeat(bytes)), ..submit() };
        Order::submit(id, submit, at(0), &Policy::default())
    };
    assert!(with(Order::TEXT_BYTES_MAX).is_ok());
    assert!(with(Order::TEXT_BYTES_MAX + 1).is_err());
}

/// Only the newest read may say that the provider has not ended what is overdue.
#[test]
fn an_older_read_asks_nobody_about_an_overdue_order() {
    let mut story = Story::awaiting();
    let older = Input::Observed(read(5, ProviderStatus::AwaitingPayment));
    assert_eq!(story.tell(PAY_BY + 86_400, &older), STALE);
    assert_eq!(story.open(), []);
}

#[test]
fn a_read_at_the_deadline_itself_is_not_after_it() {
    let story = Story::awaiting()
        .observes(PAY_BY, read(PAY_BY, ProviderStatus::AwaitingPayment))
        .observes(PAY_BY + 10, read(PAY_BY + 10, ProviderStatus::Confirming).paid("100"));
    assert!(!story.order.state.deposit().unwrap().payment.is_late());
}

/// Which of two reads that started together is the later one, nobody can say.
#[test]
fn a_read_that_started_together_with_a_suspicion_does_not_end_it() {
    let paid = |seconds, amount| read(seconds, ProviderStatus::Confirming).paid(amount);
    // A suspicion is looked into as soon as may be.
    let suspects = |story: &Story| {
        let wake_up = story.order.wake_up(at(400), &story.policy).unwrap();
        wake_up.at == at(400).plus(story.policy.polling.confirming.0)
    };
    let story = Story::awaiting().observes(20, paid(20, "100")).observes(30, paid(30, "40"));
    assert!(suspects(&story));
    let story = story.observes(31, paid(30, "100"));
    assert!(suspects(&story));
    assert!(!suspects(&story.observes(40, paid(40, "100"))));
}

#[test]
fn what_only_a_person_can_move_is_looked_at_daily_and_spread() {
    let policy = Policy { provider_order_window: None, ..Policy::default() };
    let story = Story::with(policy)
        .then(1, permit())
        .then(2, answered(1, refused(AnswerClass::Ambiguous, None)))
        .then(400, Input::Woken);
    let wake_up = story.order.wake_up(at(500), &story.policy).unwrap();
    assert_eq!(wake_up.at, at(500 + 86_400));
    assert_eq!(wake_up.spread, Duration::from_secs(8_640));
}

#[test]
fn a_claim_is_confirmed_after_half_its_age_and_a_little_spread() {
    let story = Story::created().observes(20, claim(20, ProviderStatus::AwaitingPayment));
    let wake_up = story.order.wake_up(at(28), &story.policy).unwrap();
    assert_eq!(wake_up.at, at(32));
    assert_eq!(wake_up.spread, Duration::from_secs(1));
}
