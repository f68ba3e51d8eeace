//! The create: what is sent again, what never is, and what is durable before anything is sent.

use std::time::Duration;

use orderkeep_core::{FailReason, Order, ReviewReason, State, StateName};
use orderkeep_driver::GateState;

use crate::{
    provider::{Pace, Says, Scripted},
    world::{LOCK_ENDS, World, at, lock},
};

const MINUTES: Duration = Duration::from_secs(300);

fn failed_as(order: &Order) -> &FailReason {
    let State::Failed(failed) = &order.state else { panic!("not failed: {order:#?}") };
    &failed.reason
}

/// The create times out, and the order was made.
///
/// The outcome is unknown and nothing is sent again. A webhook that names the lock leads to a read, and the read
/// binds it: exactly one order.
#[tokio::test(start_paused = true)]
async fn a4_create_timed_out_order_exists() {
    let world = World::new([Says::LostAfterMade]).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "unknown", MINUTES, Order::create_unknown).await;
    // The whole life of the lock passes.
    world.until(LOCK_ENDS + 60).await;
    assert!(world.order(id).await.create_unknown());
    assert_eq!(world.provider.creates().len(), 1);
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    world.hear(world.provider.webhook_of(&made)).await.unwrap();
    let executed = world.wait_for(id, StateName::Executed, MINUTES).await;
    assert_eq!(executed.state.bound().unwrap().provider_order, made);
    assert_eq!(world.provider.creates().len(), 1);
    assert_eq!(world.provider.most_orders_of_one_lock(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_create_without_evidence_ends_after_the_window() {
    let world = World::new([Says::P500Before]).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "unknown", MINUTES, Order::create_unknown).await;
    world
        .wait(id, "in review", Duration::from_secs(400), |order| {
            order.has_open(ReviewReason::UnknownCreate)
        })
        .await;
    // The lock ends at 300 s, the window is 7,200 s.
    world.until(7_490).await;
    assert_eq!(world.order(id).await.state_name(), StateName::Locked);
    let failed = world.wait_for(id, StateName::Failed, MINUTES).await;
    assert_eq!(*failed_as(&failed), FailReason::UnknownCreate);
    assert!(failed.since >= at(7_500));
    assert_eq!(world.provider.creates().len(), 1);
}

/// The create could not be sent at all.
///
/// It is sent again as long as the lock lasts.
#[tokio::test(start_paused = true)]
async fn a5_create_could_not_be_sent() {
    let world = World::new([Says::NotSent, Says::NotSent, Says::Accepted]).await;
    let id = world.submit("lock-1").await;
    let order = world.wait(id, "bound", MINUTES, |order| order.state.bound().is_some()).await;
    assert!(order.since < at(LOCK_ENDS - 2));
    let events = world.events(id).await;
    assert_eq!(events.iter().filter(|name| **name == "create_not_sent").count(), 2);
    assert_eq!(world.provider.creates().len(), 1);
    assert_eq!(world.provider.most_orders_of_one_lock(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_sent_in_time_fails_and_no_order_is_made() {
    let world = World::new([]).await;
    world.provider.usually(Says::NotSent);
    let id = world.submit("lock-1").await;
    let failed = world.wait_for(id, StateName::Failed, Duration::from_secs(400)).await;
    assert_eq!(*failed_as(&failed), FailReason::LockExpired);
    // Not before the margin of 2 s, and when the provider that counts as down is tried again at the latest.
    let (first, last) = (at(LOCK_ENDS - 2), at(LOCK_ENDS + 30));
    assert!(failed.since >= first && failed.since <= last, "{failed:#?}");
    assert_eq!(world.provider.creates(), []);
    assert_eq!(world.provider.most_orders_of_one_lock(), 0);
}

/// The key is refused (401, 403), or the request (`P403`).
///
/// All calls of the account stop and no order fails; `P403` waits for a person. A 403 without the provider's own word can
/// come from what stands before it: that create's outcome is unknown, and the account stops all the same.
#[tokio::test(start_paused = true)]
async fn a10_key_is_refused() {
    let world = World::new([Says::Denied]).await;
    let id = world.submit("lock-1").await;
    world.until(5).await;
    let account = || async { world.engine.status().await.unwrap().accounts["default"].gate };
    assert_eq!(account().await, GateState::Denied);
    let other = world.submit("lock-2").await;
    world.until(59).await;
    assert_eq!(world.order(id).await.state_name(), StateName::Locked);
    assert_eq!(world.order(other).await.state_name(), StateName::Locked);
    assert_eq!(world.provider.calls().len(), 1);
    let soon = Duration::from_secs(15);
    world.wait(id, "bound", soon, |order| order.state.bound().is_some()).await;
    world.wait(other, "bound", soon, |order| order.state.bound().is_some()).await;
    assert_eq!(account().await, GateState::Flowing);
    assert_eq!(world.provider.most_orders_of_one_lock(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_create_is_unknown_where_the_provider_did_not_say_so_and_all_calls_stop() {
    let world = World::new([Says::Forbidden]).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "unknown", Duration::from_secs(5), Order::create_unknown).await;
    let other = world.submit("lock-2").await;
    world.until(59).await;
    let gate = world.engine.status().await.unwrap().accounts["default"].gate;
    assert_eq!(gate, GateState::Denied);
    assert_eq!(world.order(other).await.state_name(), StateName::Locked);
    assert_eq!(world.provider.calls().len(), 1, "nothing more is sent");
    // One call tries after a minute, and what waited goes on.
    world.wait(other, "bound", MINUTES, |order| order.state.bound().is_some()).await;
    assert!(world.order(id).await.create_unknown());
    assert_eq!(world.provider.most_orders_of_one_lock(), 1);
}

/// 429 on the create.
///
/// Waits as long as asked; the lock's margin still decides.
#[tokio::test(start_paused = true)]
async fn a15_create_is_throttled() {
    let world = World::new([Says::Throttled(Duration::from_secs(30))]).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "bound", MINUTES, |order| order.state.bound().is_some()).await;
    let creates = world.provider.creates();
    let [first, second] = creates.as_slice() else { panic!("{creates:?}") };
    let waited = second.1 - first.1;
    assert!(waited >= Duration::from_secs(30) && waited < Duration::from_secs(45), "{waited:?}");
    assert_eq!(world.provider.most_orders_of_one_lock(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_create_on_the_wire_was_intended_durably_before() {
    let second = Duration::from_secs(1);
    let world =
        World::new([Says::Throttled(second), Says::NotSent, Says::LostAfterMade, Says::Denied])
            .await;
    for n in 0..20 {
        world.submit(&format!("lock-{n}")).await;
    }
    world.until(200).await;
    let intents = world.provider.intents();
    // Twenty and two that were sent again.
    assert_eq!(intents, [true; 22]);
    assert_eq!(world.provider.most_orders_of_one_lock(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_intent_that_is_durable_too_late_is_not_sent() {
    let world = World::with(Scripted::new([]), |between| {
        between.slow_intents = Duration::from_secs(299);
    })
    .await;
    let id = world.submit("lock-1").await;
    let failed = world.wait_for(id, StateName::Failed, Duration::from_secs(400)).await;
    assert_eq!(*failed_as(&failed), FailReason::LockExpired);
    assert!(world.events(id).await.contains(&"create_intended"));
    assert_eq!(world.provider.creates(), []);
    assert_eq!(world.provider.most_orders_of_one_lock(), 0);
}

/// Nobody else calls, so nothing shows that the provider is up again: the end must not wait for that.
#[tokio::test(start_paused = true)]
async fn unknown_creates_end_after_the_window_although_the_provider_counts_as_down() {
    let world = World::new([Says::P500Before; 10]).await;
    let mut ids = Vec::new();
    for n in 0..10 {
        ids.push(world.submit(&format!("lock-{n}")).await);
    }
    world.until(100).await;
    let status = world.engine.status().await.unwrap();
    assert_eq!(status.accounts["default"].gate, GateState::Down);
    world.until(LOCK_ENDS + 7_200 + 60).await;
    for id in ids {
        let order = world.order(id).await;
        assert_eq!(*failed_as(&order), FailReason::UnknownCreate);
    }
}

/// The provider is away for hours.
///
/// One call tries; no verdict until it was seen again.
#[tokio::test(start_paused = true)]
async fn d5_the_provider_is_away_for_hours() {
    let world = World::new([Says::Accepted, Says::P500Before]).await;
    let never = Duration::from_secs(1_000_000);
    world.provider.set_pace(Pace { executed: never, ..Pace::USUAL });
    let open = world.submit("lock-1").await;
    world.wait_for(open, StateName::Created, MINUTES).await;
    let id = world.submit("lock-2").await;
    world.wait(id, "unknown", MINUTES, Order::create_unknown).await;
    world.provider.set_down(true);
    world
        .wait(id, "in review", Duration::from_secs(310), |order| {
            order.has_open(ReviewReason::UnknownCreate)
        })
        .await;
    world.until(LOCK_ENDS + 7_200 + 3_600).await;
    assert!(world.order(id).await.create_unknown());
    world.provider.set_down(false);
    let failed = world.wait_for(id, StateName::Failed, Duration::from_secs(60)).await;
    assert_eq!(*failed_as(&failed), FailReason::UnknownCreate);
}
