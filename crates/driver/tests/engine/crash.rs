//! Crashes: what an engine that starts makes of what another one left.

use std::time::Duration;

use orderkeep_core::{Event, Order, StateName};
use orderkeep_store::Store;

use crate::{
    provider::Says,
    world::{LOCK_ENDS, World, lock},
};

const MINUTES: Duration = Duration::from_secs(300);

/// kill -9 after the intent, before the post.
///
/// Unknown: that it was not sent cannot be proven.
#[tokio::test(start_paused = true)]
async fn a11_crash_after_the_intent() {
    let mut world = World::new([Says::HangsAfterMade]).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "in flight", MINUTES, |order| order.create_in_flight().is_some()).await;
    world.until(1).await;
    assert_eq!(world.provider.creates().len(), 1);
    world.crash().await;
    // At once, not only when the answer would have been given up.
    world.wait(id, "unknown", Duration::from_secs(2), Order::create_unknown).await;
    world.until(LOCK_ENDS + 10).await;
    assert!(world.order(id).await.create_unknown());
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    world.hear(world.provider.webhook_of(&made)).await.unwrap();
    let executed = world.wait_for(id, StateName::Executed, MINUTES).await;
    assert_eq!(executed.state.bound().unwrap().provider_order, made);
    assert_eq!(world.provider.creates().len(), 1);
    assert_eq!(world.provider.most_orders_of_one_lock(), 1);
}

#[tokio::test(start_paused = true)]
async fn orders_go_on_after_crashes_at_any_time() {
    for crash_at in [1, 2, 5, 39, 42, 89, 95] {
        let mut world = World::new([]).await;
        let id = world.submit("lock-1").await;
        world.until(crash_at).await;
        world.crash().await;
        world.wait_for(id, StateName::Executed, MINUTES).await;
        assert_eq!(world.provider.creates().len(), 1, "a crash at {crash_at} s");
        let history = world.history(id).await;
        let executed = history.iter().filter(|event| matches!(event, Event::Executed { .. }));
        assert_eq!(executed.count(), 1, "a crash at {crash_at} s");
    }
}

/// Crash between append and work.
///
/// The inbox is worked off at the start.
#[tokio::test(start_paused = true)]
async fn c17_crash_between_append_and_work() {
    let mut world = World::new([Says::LostAfterMade]).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "unknown", MINUTES, Order::create_unknown).await;
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    // It is taken in while the provider is down, so nothing can come of it before the crash.
    world.provider.set_down(true);
    world.hear(world.provider.webhook_of(&made)).await.unwrap();
    world.until(20).await;
    assert_eq!(world.store.inbox_len(), 1);
    world.crash().await;
    world.provider.set_down(false);
    world.wait(id, "bound", MINUTES, |order| order.state.bound().is_some()).await;
    world.worked_off().await;
    assert_eq!(world.provider.creates().len(), 1);
}
