//! The store is an older copy: what happened after it was made may have happened, and is not known.

use super::{create, failed};
use crate::fixture::*;
use orderkeep_core::{
    AnswerClass, Cause, Due, FailReason, Input, Order, OrderId, Outcome, Policy, ProviderStatus,
    Refusal, ReviewReason, StateName, state::Create,
};

const YEAR: i64 = 365 * 86_400;

/// Every way to be `Locked`.
fn locked() -> [Story; 5] {
    [
        Story::new(),
        Story::in_flight(),
        Story::in_flight().then(2, answered(1, refused(AnswerClass::Definite, Some("P403")))),
        Story::unknown(),
        Story::unknown().then(3, post_again(lock())),
    ]
}

#[test]
fn whatever_is_locked_becomes_unknown_and_is_neither_posted_nor_ended_by_the_engine() {
    for story in locked() {
        let intents = story.intents();
        let mut story = story.then(10, restored(1));
        assert!(matches!(create(&story), Create::Unknown { .. }));
        assert!(story.open().contains(&ReviewReason::ExposurePossible));
        for seconds in [11, 500, LOCK_ENDS, LOCK_ENDS + WINDOW, YEAR] {
            let _ = story.tell(seconds, &Input::Woken);
            for input in [permit(), retry()] {
                assert!(matches!(story.tell(seconds, &input), Outcome::Refused(_)), "{seconds}");
            }
            let wake_up = story.order.wake_up(at(seconds), &story.policy).unwrap();
            assert!(wake_up.at > at(seconds), "it is looked at again, and not at once for ever");
            assert_eq!(story.order.due(at(seconds), &story.policy), Due::Tick);
        }
        assert_eq!((story.name(), story.intents()), (StateName::Locked, intents));
    }
}

/// The twin: without the word that it is a copy, the same order is posted, or ended by the clock.
#[test]
fn an_order_that_is_not_told_does_all_of_that() {
    assert_eq!(Story::new().then(10, permit()).intents(), 1);
    let ended = Story::unknown().then(LOCK_ENDS + WINDOW + 1, Input::Woken);
    assert_eq!(failed(&ended), Some(&FailReason::UnknownCreate));
}

#[test]
fn a_person_may_end_it_or_have_it_posted_but_only_after_answering_for_the_exposure() {
    let mut story = Story::new().then(10, restored(1));
    let too_soon = story.tell(11, &post_again(lock()));
    assert!(matches!(too_soon, Outcome::Refused(Refusal::CreateNotDue(_))));
    let story = story
        .then(12, acknowledge(Some(ReviewReason::ExposurePossible)))
        .then(13, post_again(lock()))
        .then(14, permit());
    assert_eq!(story.intents(), 1);
    let ended = Story::new()
        .then(10, restored(1))
        .then(11, resolve(orderkeep_core::Resolution::NoProviderOrder));
    assert_eq!(failed(&ended), Some(&FailReason::UnknownCreate));
    assert_eq!(ended.open(), []);
}

/// Acknowledged is not ended: time proves nothing about another life, ever.
#[test]
fn what_a_person_has_seen_is_still_not_ended_by_the_clock() {
    let mut story = Story::unknown()
        .then(10, restored(1))
        .then(11, acknowledge(Some(ReviewReason::ExposurePossible)));
    let _ = story.tell(YEAR, &Input::Woken);
    assert_eq!(story.name(), StateName::Locked);
    // And not forgotten: what came of its create is a question of its own.
    assert_eq!(story.open(), [ReviewReason::UnknownCreate]);
}

#[test]
fn evidence_binds_it_and_settles_the_question() {
    let story = Story::new().then(10, restored(1)).read(20, ProviderStatus::AwaitingPayment);
    assert_eq!(story.name(), StateName::AwaitingPayment);
    assert_eq!(story.open(), []);
    assert!(story.order.payable_address().is_some());
}

#[test]
fn one_that_exists_at_the_provider_is_read_first_and_shown_to_nobody_until_then() {
    let story = Story::awaiting().then(20, restored(1));
    assert_eq!(story.order.payable_address(), None);
    assert_eq!(story.open(), [ReviewReason::UnreadSinceRestore]);
    assert!(matches!(story.order.due(at(20), &story.policy), Due::Fetch(_)));
    // Should the provider not answer, it is asked again soon, and not after the pause of its state.
    let wake_up = story.order.wake_up(at(20), &story.policy).unwrap();
    assert!(wake_up.at.plus(wake_up.spread) < at(21), "{wake_up:?}");
    let story = story.read(21, ProviderStatus::AwaitingPayment);
    assert!(story.order.payable_address().is_some());
    assert_eq!(story.open(), []);
}

#[test]
fn what_has_ended_has_ended() {
    let ended = Story::awaiting().read(20, ProviderStatus::Expired);
    let before = ended.order.clone();
    assert_eq!(ended.then(30, restored(1)).order, before);
}

/// A process that dies in the middle of telling everybody begins again.
#[test]
fn told_twice_of_the_same_life_it_says_nothing_new_and_of_another_it_does() {
    for story in [Story::new(), Story::unknown(), Story::awaiting()] {
        let once = story.then(10, restored(1));
        let (version, events) = (once.order.version, once.count("restored"));
        let twice = once.then(11, restored(1));
        assert_eq!((twice.order.version, events), (version, 1));
        let again = twice.then(12, acknowledge(None)).then(13, restored(2));
        assert_eq!(again.count("restored"), 2);
        assert!(again.order.needs_review());
    }
}

fn id() -> OrderId {
    "0195a000-0000-7000-8000-000000000002".parse().unwrap()
}

fn life() -> uuid::Uuid {
    uuid::Uuid::from_u128(1)
}

#[test]
fn a_submit_of_a_lock_from_the_life_before_is_held() {
    // Even when its lock is long over: a copy cannot know that nobody was shown an address.
    for seconds in [10, YEAR] {
        let policy = policy();
        let step = Order::submit_held(id(), submit(), life(), at(seconds), &policy).unwrap();
        assert!(step.next.create_unknown() && step.next.is_exposed());
        assert_eq!(Order::fold(&step.events).unwrap(), step.next);
        assert!(step.effects.is_empty());
        assert!(step.wake_up.is_some());
    }
}

#[test]
fn a_lost_order_is_rebuilt_from_a_read_into_review() {
    let policy = Policy::default();
    let seen = read(20, ProviderStatus::AwaitingPayment);
    let step = Order::rebuild(id(), submit(), &seen, life(), at(21), &policy).unwrap();
    let order = &step.next;
    assert_eq!(order.state_name(), StateName::AwaitingPayment);
    assert_eq!(step.events[0].cause, Cause::Restore);
    let open: Vec<_> = order.open_reviews().map(|review| review.reason).collect();
    assert_eq!(open, [ReviewReason::Rebuilt]);
    assert_eq!(order.payable_address(), None);
    assert_eq!(Order::fold(&step.events).unwrap(), *order);
    // A webhook proves nothing, and another lock's order is another order.
    let heard = claim(20, ProviderStatus::AwaitingPayment);
    assert!(Order::rebuild(id(), submit(), &heard, life(), at(21), &policy).is_err());
    let mut other = seen;
    other.lock_id = orderkeep_core::LockId::new("lock-2").ok();
    assert!(Order::rebuild(id(), submit(), &other, life(), at(21), &policy).is_err());
}
