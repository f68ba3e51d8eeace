//! Orders at the provider that somebody names, that we did not make, or that are one too many.

use super::{create, failed};
use crate::fixture::*;
use orderkeep_core::{
    AnswerClass, Due, Effect, Input, LockId, Outcome, ProviderStatus, Refusal, ReviewReason,
    StateName, state::Create,
};

#[test]
fn an_unknown_create_is_healed_by_naming_the_order_that_it_made() {
    let mut story = Story::unknown();
    let _ = story.tell(3, &adopt(ours()));
    let effects = story.last_step().unwrap().effects.clone();
    assert_eq!(effects, [Effect::Fetch { provider_order: ours() }]);
    let again = story.tell(4, &adopt(ours()));
    assert!(matches!(again, Outcome::AlreadyThere(_)), "{again:?}");
    let story = story.read(5, ProviderStatus::AwaitingPayment);
    assert_eq!(story.name(), StateName::AwaitingPayment);
    assert_eq!(story.order.adopting, None);
    assert!(story.open().is_empty());
}

#[test]
fn a_named_order_of_another_lock_is_not_taken() {
    let mut foreign = read(5, ProviderStatus::AwaitingPayment);
    foreign.provider_order = other();
    foreign.lock_id = LockId::new("lock-2").ok();
    let story = Story::unknown().then(3, adopt(other())).observes(5, foreign.clone());
    assert_eq!(story.open(), [ReviewReason::AdoptionRefused]);
    assert_eq!(story.order.adopting, None);
    assert!(matches!(create(&story), Create::Unknown { .. }));
    // One without a lock proves nothing either.
    foreign.lock_id = None;
    let story = Story::unknown().then(3, adopt(other())).observes(5, foreign);
    assert_eq!(story.open(), [ReviewReason::AdoptionRefused]);
    let detail = &story.order.open_reviews().next().unwrap().detail;
    assert_eq!(detail, "p-other: it was made from no lock");
}

#[test]
fn a_named_order_that_is_not_there_lets_the_create_go_on() {
    let story = Story::new().then(1, adopt(other())).then(2, not_found(other(), 2));
    assert_eq!(story.open(), [ReviewReason::AdoptionRefused]);
    assert_eq!(story.order.due(at(3), &story.policy), Due::Create);
    // An answer about another one than the named one answers nothing.
    let mut story = Story::new().then(1, adopt(other()));
    let _ = story.tell(2, &not_found(ours(), 2));
    assert_eq!(story.order.adopting, Some(other()));
}

#[test]
fn an_order_that_no_create_of_ours_explains_is_taken_and_asked_about() {
    let story = Story::new().read(1, ProviderStatus::AwaitingPayment);
    assert_eq!(story.name(), StateName::AwaitingPayment);
    assert_eq!(story.open(), [ReviewReason::UnexpectedProviderOrder]);
    // One that a create of ours may have made needs no question.
    for story in [Story::in_flight(), Story::unknown()] {
        assert!(story.read(5, ProviderStatus::AwaitingPayment).open().is_empty());
    }
}

#[test]
fn a_second_order_of_the_same_lock_is_recorded_once_and_withholds_the_address() {
    let mut second = read(20, ProviderStatus::AwaitingPayment);
    second.provider_order = other();
    let mut story = Story::awaiting().observes(20, second.clone());
    assert_eq!(story.order.other_orders, [other()]);
    assert_eq!(story.open(), [ReviewReason::SecondProviderOrder]);
    assert_eq!(story.order.payable_address(), None);
    assert_eq!(story.order.state.bound().unwrap().provider_order, ours());
    let again = story.tell(21, &Input::Observed(second));
    assert!(matches!(again, Outcome::AlreadyThere(_)), "{again:?}");
    let answered_late = story.tell(22, &answered(1, accepted(other())));
    assert!(matches!(answered_late, Outcome::AlreadyThere(_)), "{answered_late:?}");
}

#[test]
fn a_second_order_that_a_webhook_claims_waits_for_a_read() {
    let mut claimed = claim(20, ProviderStatus::AwaitingPayment);
    claimed.provider_order = other();
    let outcome = Story::awaiting().tell(20, &Input::Observed(claimed.clone()));
    assert!(matches!(outcome, Outcome::Refused(Refusal::NotBound)), "{outcome:?}");
    // Without our lock it is somebody else's.
    claimed.lock_id = None;
    let outcome = Story::awaiting().tell(20, &Input::Observed(claimed));
    assert!(matches!(outcome, Outcome::Refused(Refusal::NotThisOrder(_))), "{outcome:?}");
}

#[test]
fn an_order_that_says_another_lock_than_before_withholds_its_address() {
    let mut changed = read(20, ProviderStatus::Executed).paid("100");
    changed.lock_id = LockId::new("lock-2").ok();
    let story = Story::awaiting().observes(20, changed.clone());
    assert_eq!(story.open(), [ReviewReason::LockChanged]);
    assert_eq!(story.name(), StateName::AwaitingPayment, "what it says is not about our order");
    assert_eq!(story.order.payable_address(), None);
    changed.source = orderkeep_core::Source::Claimed { heard_at: at(21) };
    let claimed = Story::awaiting().tell(21, &Input::Observed(changed));
    assert!(matches!(claimed, Outcome::Refused(Refusal::NotThisOrder(_))), "{claimed:?}");
}

#[test]
fn an_answer_that_comes_after_the_end_is_taken_and_asked_about() {
    let story = Story::in_flight()
        .then(2, answered(1, refused(AnswerClass::Ambiguous, None)))
        .then(3, resolve(orderkeep_core::Resolution::NoProviderOrder))
        .then(4, answered(1, accepted(ours())));
    assert!(failed(&story).is_some());
    assert_eq!(story.order.state.bound().unwrap().provider_order, ours());
    assert_eq!(story.open(), [ReviewReason::UnexpectedProviderOrder]);
}
