//! The promises everybody counts on, one short life each.

use super::{create, failed, funds, result};
use crate::fixture::*;
use orderkeep_core::state::Create;
use orderkeep_core::{
    Address, AnswerClass, Due, Exact, FailReason, Funds, Input, OrderResult, Outcome, Policy,
    ProviderStatus, Refusal, ReviewReason, StateName,
};
use std::time::Duration;

#[test]
fn an_unknown_create_is_never_posted_again_by_time_or_retry() {
    let mut story = Story::unknown();
    assert!(matches!(story.tell(3, &retry()), Outcome::Refused(Refusal::CreateUnknown)));
    assert!(matches!(story.tell(4, &permit()), Outcome::Refused(Refusal::CreateUnknown)));
    for seconds in [5, 600, 899, 5_000] {
        let _ = story.tell(seconds, &Input::Woken);
        assert_eq!(story.order.due(at(seconds), &story.policy), Due::Tick);
    }
    assert_eq!(story.intents(), 1);
}

#[test]
fn a_webhook_that_carries_our_lock_binds_nothing_and_a_read_heals() {
    let mut story = Story::unknown();
    let heard = story.tell(3, &Input::Observed(claim(3, ProviderStatus::AwaitingPayment)));
    assert!(matches!(heard, Outcome::Refused(Refusal::NotBound)));
    let story = story.read(4, ProviderStatus::AwaitingPayment);
    assert_eq!(story.name(), StateName::AwaitingPayment);
    assert_eq!(story.count("bound"), 1);
}

#[test]
fn partly_paid_and_expired_is_failed_with_the_funds_held() {
    let story = Story::awaiting()
        .observes(20, read(20, ProviderStatus::Confirming).paid("40"))
        .observes(PAY_BY + 5, read(PAY_BY + 5, ProviderStatus::Expired).paid("40"));
    assert_eq!(failed(&story), Some(&FailReason::Expired));
    assert_eq!(*funds(&story), Funds::Held(exact("40")));
    assert_eq!(story.open(), [ReviewReason::FundsOnFailed]);
}

#[test]
fn our_clock_alone_ends_no_order_that_could_be_paid() {
    let mut story = Story::awaiting();
    for days in 1..400 {
        let _ = story.tell(days * 86_400, &Input::Woken);
        assert_eq!(story.name(), StateName::AwaitingPayment);
    }
    // A person is asked, once; nothing else happened.
    assert_eq!((story.open(), story.count("review_raised")), (vec![ReviewReason::Overdue], 1));
}

#[test]
fn an_address_once_given_stands() {
    let mut moved = read(30, ProviderStatus::AwaitingPayment);
    moved.address = Some(Address::new("0xelsewhere").unwrap());
    let story = Story::awaiting().observes(30, moved);
    assert_eq!(story.order.state.deposit().unwrap().address.as_str(), "0xaddress");
    assert_eq!(story.open(), [ReviewReason::AddressChanged]);
}

#[test]
fn other_terms_withhold_the_address_until_a_person_agrees() {
    let mut repriced = read(10, ProviderStatus::AwaitingPayment);
    repriced.required = Some(exact("100.000001"));
    let story = Story::created().observes(10, repriced);
    assert_eq!(story.open(), [ReviewReason::TermsMismatch]);
    assert_eq!(story.order.payable_address(), None);
    let story = story.then(11, acknowledge(None));
    assert!(story.order.payable_address().is_some());
}

#[test]
fn a_lock_past_its_margin_is_never_posted() {
    let last = LOCK_ENDS - 2;
    let story = Story::new().then(last, permit());
    assert_eq!(story.intents(), 1);
    let story = Story::new().then(last + 1, permit());
    assert_eq!(story.intents(), 0);
    assert_eq!(failed(&story), Some(&FailReason::LockExpired));
}

#[test]
fn an_end_waits_for_the_read_and_a_late_read_of_less_changes_nothing() {
    let story = Story::awaiting().observes(20, claim(20, ProviderStatus::Executed).paid("100"));
    assert_eq!(story.name(), StateName::AwaitingPayment);
    assert_eq!(
        story.last_step().map(|step| step.effects.len()),
        Some(1),
        "it is read because of the claim"
    );
    let story = story
        .observes(21, read(21, ProviderStatus::Executed).paid("100"))
        .read(22, ProviderStatus::AwaitingPayment);
    assert_eq!(story.name(), StateName::Executed);
    assert!(story.order.hint.is_none());
    assert_eq!(result(&story), OrderResult::Executed);
}

#[test]
fn a_reversal_is_a_fact_of_its_own() {
    let story = Story::awaiting()
        .observes(20, read(20, ProviderStatus::Executed).paid("100"))
        .observes(30, read(30, ProviderStatus::Reversed).paid("100"));
    assert_eq!(story.name(), StateName::Executed);
    assert_eq!(result(&story), OrderResult::Reversed);
    assert_eq!(*funds(&story), Funds::Unclear);
    assert_eq!(story.open(), [ReviewReason::Reversed]);
}

#[test]
fn without_a_window_an_unknown_create_stays_for_a_person() {
    let policy = Policy { provider_order_window: None, ..Policy::default() };
    let mut story = Story::with(policy)
        .then(1, permit())
        .then(2, answered(1, refused(AnswerClass::Ambiguous, None)));
    for days in 1..40 {
        let _ = story.tell(days * 86_400, &Input::Woken);
    }
    assert_eq!(story.name(), StateName::Locked);
    assert_eq!(story.open(), [ReviewReason::UnknownCreate]);
    let wait = story.order.wake_up(at(40 * 86_400), &story.policy).unwrap();
    assert!(wait.at <= at(40 * 86_400).plus(Duration::from_secs(86_400)));
}

#[test]
fn a_late_answer_that_nothing_was_written_heals_the_first_attempt_alone() {
    let story = Story::unknown().then(3, answered(1, not_sent()));
    assert!(matches!(create(&story), Create::NotSent { unknown_before: false, .. }));
    let story = Story::unknown()
        .then(3, post_again(lock()))
        .then(4, permit())
        .then(5, answered(2, not_sent()));
    assert!(matches!(create(&story), Create::Unknown { attempt: 2, .. }));
}

#[test]
fn nothing_paid_is_no_funds() {
    let story = Story::awaiting().read(PAY_BY + 5, ProviderStatus::Expired);
    assert_eq!(*funds(&story), Funds::None);
    assert!(story.open().is_empty());
    assert_eq!(story.order.state.deposit().unwrap().payment.received, Exact::zero());
}
