//! A lock that ends is replaced only where the caller allowed it, at a price that was allowed, and never while an order of
//! it could still come to light unseen.

use super::{create, failed};
use crate::fixture::*;
use orderkeep_core::{
    Already, AnswerClass, Due, FailReason, Input, LockId, Order, OrderId, Outcome, ProviderStatus,
    ReviewReason, StateName, state::Create,
};

fn over() -> Story {
    Story::with_relock().then(LOCK_ENDS, Input::Woken)
}

#[test]
fn a_lock_that_ends_unsent_is_replaced_within_the_price_that_was_allowed() {
    let story = over();
    assert_eq!(story.order.due(at(LOCK_ENDS + 5), &story.policy), Due::Lock);
    let story = story.then(LOCK_ENDS + 5, locked_again(fresh(LOCK_ENDS + 5, "105")));
    assert_eq!(story.order.terms.pay_amount, exact("105"));
    assert!(story.order.gave_up(&lock()));
    assert!(matches!(create(&story), Create::NotSent { attempts: 0, held: None, .. }));
    let story = story.then(LOCK_ENDS + 6, permit());
    assert_eq!(story.intents(), 1);
}

#[test]
fn a_fresh_price_beyond_the_bound_fails_the_order_with_both_on_record() {
    let story = over().then(LOCK_ENDS + 5, locked_again(fresh(LOCK_ENDS + 5, "105.000001")));
    assert_eq!(failed(&story), Some(&FailReason::LockExpired));
    assert_eq!(story.count("relock_declined"), 1);
}

#[test]
fn without_leave_no_lock_is_replaced() {
    let story = Story::new().then(LOCK_ENDS, Input::Woken);
    assert_eq!(failed(&story), Some(&FailReason::LockExpired));
}

#[test]
fn an_unknown_create_is_replaced_only_after_its_window() {
    let ambiguous = answered(1, refused(AnswerClass::Ambiguous, None));
    let story = Story::with_relock().then(1, permit()).then(2, ambiguous);
    let story = story.then(LOCK_ENDS + WINDOW - 1, Input::Woken);
    assert!(matches!(create(&story), Create::Unknown { .. }));
    let story = story.then(LOCK_ENDS + WINDOW, Input::Woken);
    assert!(matches!(create(&story), Create::Relocking { attempts: 1, .. }));
}

/// Given up, replaced, and then an order of the first lock is seen: alive it is a question, ended and unpaid a note.
#[test]
fn a_late_order_of_a_lock_that_was_given_up_is_never_acted_on() {
    let now = LOCK_ENDS + 5;
    let story = over().then(now, locked_again(fresh(now, "100")));
    for (status, asks) in
        [(ProviderStatus::AwaitingPayment, true), (ProviderStatus::Expired, false)]
    {
        let story = story.clone().read(now + 10, status);
        assert_eq!(story.name(), StateName::Locked);
        assert_eq!(story.order.other_orders, [ours()]);
        assert_eq!(story.open().contains(&ReviewReason::UnexpectedProviderOrder), asks);
    }
    // And the answer to its create, should it come at last.
    let ambiguous = answered(1, refused(AnswerClass::Ambiguous, None));
    let story = Story::with_relock().then(1, permit()).then(2, ambiguous);
    let now = LOCK_ENDS + WINDOW;
    let story = story.then(now, Input::Woken).then(now + 5, locked_again(fresh(now + 5, "100")));
    let story = story.then(now + 6, answered(1, accepted(ours())));
    assert_eq!((story.name(), story.count("given_up_order_found")), (StateName::Locked, 1));
    assert_eq!(story.open(), [ReviewReason::UnexpectedProviderOrder]);
}

/// Also where the fresh lock has made its own: the late one is no second order of that.
#[test]
fn a_late_order_of_a_lock_that_was_given_up_is_told_from_a_second_one() {
    let now = LOCK_ENDS + 5;
    let story = over()
        .then(now, locked_again(fresh(now, "100")))
        .then(now + 1, permit())
        .then(now + 2, answered(1, accepted(ours())));
    let mut late = read(now + 10, ProviderStatus::AwaitingPayment);
    late.provider_order = other();
    let story = story.observes(now + 10, late);
    let found = [story.count("given_up_order_found"), story.count("second_order_found")];
    assert_eq!((found, story.open()), ([1, 0], vec![ReviewReason::UnexpectedProviderOrder]));
}

#[test]
fn a_fresh_lock_is_allowed_only_where_it_can_be_taken_and_bounded() {
    let submitted = |body| Order::submit(OrderId(uuid::Uuid::nil()), body, at(0), &policy());
    assert!(submitted(submit_with_relock()).is_ok());
    let mut unpriced = submit_with_relock();
    unpriced.terms.settle_amount = None;
    let mut unbounded = submit_with_relock();
    unbounded.relock.as_mut().unwrap().max_pay_amount = exact("0");
    for (body, words) in [(unpriced, "settle amount"), (unbounded, "more than nothing")] {
        let refused = submitted(body).unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
}

/// A lock that the order had before, or one that is over when it comes, is no fresh one: another is taken.
#[test]
fn a_fresh_lock_of_no_use_is_not_taken() {
    let now = LOCK_ENDS + 5;
    let mut same = fresh(now, "100");
    same.lock_id = lock();
    let late = fresh(now - LOCK_ENDS, "100");
    for useless in [same, late] {
        let mut story = over();
        let outcome = story.tell(now, &locked_again(useless));
        assert_eq!(outcome, Outcome::AlreadyThere(Already::Stale));
        assert_eq!(story.order.due(at(now), &story.policy), Due::Lock);
    }
}

#[test]
fn a_cancel_while_a_fresh_lock_is_taken_ends_it() {
    assert_eq!(failed(&over().then(LOCK_ENDS + 1, cancel())), Some(&FailReason::LockExpired));
}

#[test]
fn a_lock_is_not_replaced_for_ever() {
    let mut story = over();
    for n in 0..40 {
        let now = LOCK_ENDS * (n + 1) + 5;
        let mut next = fresh(now, "100");
        next.lock_id = LockId::new(format!("lock-fresh-{n}")).unwrap();
        let _ = story.tell(now, &locked_again(next));
        let _ = story.tell(now + LOCK_ENDS, &Input::Woken);
    }
    assert_eq!(failed(&story), Some(&FailReason::LockExpired));
    assert_eq!(story.order.earlier_locks.len(), 10);
}
