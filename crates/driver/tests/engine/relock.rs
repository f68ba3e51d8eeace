//! A lock that ended is replaced by a fresh one, where the caller allowed it: the calls that this takes.

use std::time::Duration;

use orderkeep_core::{FailReason, Order, OrderId, Relock, ReviewReason, State, StateName};
use orderkeep_driver::SubmitRequest;
use orderkeep_provider::FailureClass;

use crate::{
    provider::{Says, Scripted},
    world::{LOCK_ENDS, World, exact, lock, request, terms},
};

const MINUTES: Duration = Duration::from_secs(300);

/// An order whose create is put off until its lock is over, so that nothing is at the provider.
async fn over() -> (World, OrderId) {
    let throttled = Says::Throttled(Duration::from_secs(LOCK_ENDS.unsigned_abs() + 10));
    let world = World::with(Scripted::new([throttled]), |_| {}).await;
    let relock = Some(Relock { max_pay_amount: exact("105"), until: None });
    let request = SubmitRequest { relock, ..request("lock-1", terms("lock-1")) };
    let id = world.engine.submit(request).await.unwrap().order.id;
    (world, id)
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_ended_unsent_is_replaced_by_one_fresh_lock() {
    let (world, id) = over().await;
    let order = world.wait_for(id, StateName::Created, MINUTES * 2).await;
    assert_eq!((order.terms.lock_id.as_str(), order.earlier_locks.len()), ("taken-here", 1));
    assert_eq!(world.provider.locks().len(), 1);
    // The one that was throttled, and the one of the fresh lock.
    let created: Vec<_> =
        world.provider.creates().into_iter().map(|(lock_id, _)| lock_id.to_string()).collect();
    assert_eq!(created, ["lock-1", "taken-here"]);
    assert!(world.provider.orders_of(&lock("lock-1")).is_empty());
    world.wait_for(id, StateName::Executed, MINUTES).await;
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_is_refused_ends_the_order() {
    let (world, id) = over().await;
    world.provider.set_locks_fail(Some(FailureClass::Definite));
    let failed = world.wait_for(id, StateName::Failed, MINUTES * 2).await;
    let State::Failed(state) = &failed.state else { panic!("{failed:#?}") };
    assert_eq!(state.reason, FailReason::LockExpired);
    assert_eq!(world.provider.locks().len(), 1);
    assert!(world.events(id).await.contains(&"relock_declined"));
}

/// No answer is no refusal: it is asked again, less and less often, a person after ten minutes, and the lock answers all.
#[tokio::test(start_paused = true)]
async fn a_lock_that_does_not_come_is_asked_for_again_and_a_person_too() {
    for class in [FailureClass::Throttled, FailureClass::Ambiguous] {
        let (world, id) = over().await;
        world.provider.set_locks_fail(Some(class));
        world.until(LOCK_ENDS + 590).await;
        assert!(!world.order(id).await.needs_review());
        let late = |order: &Order| order.has_open(ReviewReason::RelockLate);
        world.wait(id, "asked", Duration::from_secs(60), late).await;
        // A quarter of its age, between two seconds and thirty; slower while the provider counts as down.
        let asked = world.provider.locks().len();
        assert!((12..=60).contains(&asked), "{class:?}: {asked} times in ten minutes");
        world.provider.set_locks_fail(None);
        let order = world.wait_for(id, StateName::Created, MINUTES).await;
        assert!(!order.needs_review());
        assert_eq!(world.provider.most_orders_of_one_lock(), 1);
    }
}
