//! Webhooks for orders that are not known: kept, asked about once for all of them, and in nobody's way.

use std::time::Duration;

use orderkeep_core::{Order, StateName};
use orderkeep_store::Store;

use crate::{
    provider::{Says, Scripted},
    world::{PARKED_FOR, World, lock},
};

const MINUTES: Duration = Duration::from_secs(300);

/// For an order nobody knows.
///
/// Parked, one read for all of them; ours is bound, a stranger is dropped after `parked_for`.
#[tokio::test(start_paused = true)]
async fn c7_webhooks_for_an_order_nobody_knows() {
    let world = World::new([]).await;
    world.provider.set_reads_take(Duration::from_millis(200));
    let foreign = world.provider.makes(&lock("lock-of-another"));
    for _ in 0..50 {
        world.hear(world.provider.webhook_of(&foreign)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.provider.reads_of(&foreign), 1);
    // The last few stay, as the record of what was heard.
    assert_eq!(world.store.inbox_len(), 8);
}

#[tokio::test(start_paused = true)]
async fn what_is_heard_while_an_order_is_bound_by_a_read_is_not_lost() {
    let world = World::new([Says::LostAfterMade]).await;
    world.provider.set_reads_take(Duration::from_secs(2));
    let id = world.submit("lock-1").await;
    world.wait(id, "unknown", MINUTES, Order::create_unknown).await;
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    world.until(2).await;
    world.hear(world.provider.webhook_of(&made)).await.unwrap();
    // The read begins at 2 s and says that there is no address; the webhook says at 3 s that there is one.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    world.hear(world.provider.webhook_of(&made)).await.unwrap();
    world.wait_for(id, StateName::WaitingForWallet, Duration::from_millis(1_500)).await;
    // Asked again at once, not when it would have been by itself.
    world.wait_for(id, StateName::AwaitingPayment, Duration::from_millis(2_200)).await;
    world.worked_off().await;
    assert_eq!(world.provider.creates().len(), 1);
}

/// A storm.
///
/// Coalesced, bounded; what no read confirms is written down sixteen times at most.
#[tokio::test(start_paused = true)]
async fn c21_a_storm_of_webhooks() {
    let world = World::new([]).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::Created, MINUTES).await;
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    // Nobody can be asked about any of them.
    world.provider.set_down(true);
    for n in 0..300 {
        let body = format!(r#"{{"order":"stranger-{n}","status":"executed"}}"#);
        world.hear(body).await.unwrap();
    }
    world.until(20).await;
    assert_eq!(world.store.inbox_len(), 300);
    world.hear(world.provider.webhook_of(&made)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.store.inbox_len(), 300, "ours is worked off, and the strangers wait");
    assert!(world.order(id).await.hint.is_some());
}

#[tokio::test(start_paused = true)]
async fn strangers_get_their_share_of_the_budget_and_no_more() {
    let world = World::new([]).await;
    for n in 0..2_000 {
        let body = format!(r#"{{"order":"stranger-{n}","status":"executed"}}"#);
        world.hear(body).await.unwrap();
    }
    let before = world.provider.reads().len();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let asked = world.provider.reads().len() - before;
    // A quarter of 20 calls a second, and a quarter of the burst of 20.
    assert!((90..=106).contains(&asked), "{asked} reads in 20 s");
    // An order of ours is made, given an address and executed as if there were no strangers.
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::Created, Duration::from_secs(1)).await;
    world.wait_for(id, StateName::AwaitingPayment, Duration::from_secs(8)).await;
}

/// Started again after days.
///
/// Reads first; an unknown create ends only after the provider was seen.
#[tokio::test(start_paused = true)]
async fn f4_started_again_after_days() {
    let mut world = World::new([Says::LostAfterMade]).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "unknown", MINUTES, Order::create_unknown).await;
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    world.provider.set_down(true);
    world.hear(world.provider.webhook_of(&made)).await.unwrap();
    world.until(5).await;
    // The engine is down for longer than a stranger's webhook is kept, than the lock, and than the order could live.
    world.engine.shutdown().await.unwrap();
    tokio::time::sleep(PARKED_FOR * 2).await;
    world.restart().await;
    // The provider cannot be seen yet, and nothing is decided without it.
    tokio::time::sleep(Duration::from_secs(1_800)).await;
    assert_eq!(world.store.inbox_len(), 1);
    assert!(world.order(id).await.create_unknown());
    world.provider.set_down(false);
    let executed = world.wait_for(id, StateName::Executed, Duration::from_secs(90)).await;
    assert_eq!(executed.state.bound().unwrap().provider_order, made);
    world.worked_off().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_does_not_find_yet_is_asked_about_again() {
    let world = World::with(Scripted::new([Says::P500Before]), |_| {}).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "unknown", MINUTES, Order::create_unknown).await;
    // The webhook of an order that the provider does not find for a second.
    world.hear(r#"{"order":"p-1","lock":"lock-1","status":"making wallet"}"#).await.unwrap();
    world.until(1).await;
    assert_eq!(world.provider.makes(&lock("lock-1")).as_str(), "p-1");
    world.wait_for(id, StateName::WaitingForWallet, Duration::from_secs(3)).await;
    world.worked_off().await;
}
