//! H. Telling the partner's own systems.

use orderkeep_core::StateName;

use super::{MINUTES, Played};
use crate::world::World;

/// Somebody who was told of an event reads the order, and finds it older.
///
/// Never: readers and the feed stop at the same durable place, so an order is at least as new as what was told of it.
#[tokio::test(start_paused = true)]
async fn h3_the_order_is_never_older_than_what_was_told() {
    let played = Played::of(crate::provider::Scripted::new([])).await;
    let mut feed = played.world.engine.subscribe(None);
    loop {
        let event = feed.next().await.unwrap();
        let order = played.order().await;
        assert!(order.version >= event.version, "{} < {}", order.version, event.version);
        if event.record.event.name() == "executed" {
            return;
        }
    }
}

/// One receiver is dead.
///
/// Each follower of the feed reads for itself, and each webhook endpoint has a position of its own: nobody waits for
/// another, no order waits for any of them, and whoever is back gets all of it.
#[tokio::test(start_paused = true)]
async fn h4_one_dead_receiver() {
    let world = World::new([]).await;
    let mut dead = world.engine.subscribe(None);
    let mut alive = world.engine.subscribe(None);
    for n in 0..20 {
        let id = world.submit(&format!("lock-{n}")).await;
        loop {
            let event = alive.next().await.unwrap();
            if event.order_id == id {
                break;
            }
        }
    }
    world.until(240).await;
    let status = world.engine.status().await.unwrap();
    assert_eq!(status.orders[&StateName::Executed], 20);
    // And it misses nothing when it comes back to life.
    assert_eq!(dead.next().await.unwrap().version, 1);
}

/// A callback in the partner's own process fails.
///
/// The cursor is the follower's: it goes on only after what was handled, so what failed is told again.
#[tokio::test(start_paused = true)]
async fn h7_a_callback_fails() {
    let played = Played::executed().await;
    let mut feed = played.world.engine.subscribe(None);
    let handled = feed.next().await.unwrap();
    let failed = feed.next().await.unwrap();
    drop(feed);
    let again = played.world.engine.subscribe(Some(handled.cursor)).next().await.unwrap();
    assert_eq!(again, failed);
}

/// Events of one order arrive in another order.
///
/// They are numbered per order, without a gap: a receiver sees what is missing and drops what it has seen.
#[tokio::test(start_paused = true)]
async fn h8_events_are_numbered_per_order_without_a_gap() {
    let world = World::new([]).await;
    for n in 0..5 {
        world.submit(&format!("lock-{n}")).await;
    }
    world.until(120).await;
    let mut feed = world.engine.subscribe(None);
    let mut last = std::collections::BTreeMap::new();
    let mut ended = 0;
    while ended < 5 {
        let event = tokio::time::timeout(MINUTES, feed.next()).await.unwrap().unwrap();
        let before = last.insert(event.order_id, event.version).unwrap_or(0);
        assert_eq!(event.version, before + 1);
        ended += usize::from(event.record.event.name() == "executed");
    }
}

/// An event is told again.
///
/// It has the same place and the same number, also after a restart: a receiver knows it.
#[tokio::test(start_paused = true)]
async fn h9_an_event_is_told_again() {
    let mut played = Played::executed().await;
    let first = played.world.engine.subscribe(None).next().await.unwrap();
    played.world.crash().await;
    let again = played.world.engine.subscribe(None).next().await.unwrap();
    assert_eq!(
        (first.cursor, first.order_id, first.version),
        (again.cursor, again.order_id, again.version)
    );
}
