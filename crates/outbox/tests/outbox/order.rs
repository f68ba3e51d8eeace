//! Everything arrives, in order per order, and nobody waits for somebody else's trouble.

use std::time::Duration;

use crate::world::{Does, HOUR, World, complete, id};

#[tokio::test(start_paused = true)]
async fn every_event_arrives_once_signed_and_in_order() {
    let world = World::new();
    let outbox = world.start().await;
    world.events(20, 2).await;
    world.endpoint(&outbox, "shop").await;
    world.events_from(20, 3, 5).await;
    world.until("all are taken", || world.receivers.taken("shop").len() >= 100).await;
    let taken = world.receivers.taken("shop");
    assert_eq!(complete(&taken, 20, 5), Ok(()));
    assert_eq!(taken.len(), 100, "none twice");
    for seen in world.receivers.seen() {
        assert_eq!(seen.body, seen.id);
        assert!(seen.headers["webhook-signature"].starts_with("v1,"));
        assert_eq!(seen.headers["orderkeep-attempt"], "1");
        let seconds = (seen.at.as_micros() / 1_000_000).to_string();
        assert_eq!(seen.headers["webhook-timestamp"], seconds);
    }
    // What was delivered is not delivered again by the next process.
    outbox.shutdown().await;
    let _next = world.start().await;
    world.pass(HOUR).await;
    assert_eq!(world.receivers.seen().len(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_failing_order_holds_back_itself_and_nobody_else() {
    let world = World::new();
    let outbox = world.start().await;
    world.endpoint(&outbox, "shop").await;
    let bad = id(3, 2);
    world.receivers.now_do(move |_, id, _| if id == bad { Does::Says(500) } else { Does::Takes });
    world.events(10, 4).await;
    world.pass(Duration::from_secs(1)).await;
    let taken = world.receivers.taken("shop");
    assert_eq!(taken.len(), 9 * 4 + 1, "all but what waits: {taken:?}");
    assert!(taken.contains(&id(3, 1)) && !taken.contains(&id(3, 3)));
    world.receivers.now_do(|_, _, _| Does::Takes);
    world.until("the rest", || world.receivers.taken("shop").len() == 40).await;
    assert_eq!(complete(&world.receivers.taken("shop"), 10, 4), Ok(()));
}

/// One receiver is dead.
///
/// Each endpoint has its own position: nobody waits for another, and the dead one gets all of it when it is back.
#[tokio::test(start_paused = true)]
async fn h4_a_dead_endpoint_delays_no_other() {
    let world = World::new();
    let outbox = world.start().await;
    for host in ["dead", "hanging", "alive"] {
        world.endpoint(&outbox, host).await;
    }
    world.receivers.now_do(|host, _, _| match host {
        "dead" => Does::Unreachable,
        "hanging" => Does::Hangs,
        _ => Does::Takes,
    });
    let began = tokio::time::Instant::now();
    world.events(600, 2).await;
    world.until("the living one has all", || world.receivers.taken("alive").len() == 1_200).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(complete(&world.receivers.taken("alive"), 600, 2), Ok(()));
    // The dead one is not hammered, and comes back to everything.
    assert!(world.receivers.seen().iter().filter(|seen| seen.host == "dead").count() < 400);
    world.receivers.now_do(|_, _, _| Does::Takes);
    world.until("the dead one has all", || world.receivers.taken("dead").len() >= 1_200).await;
    assert_eq!(complete(&world.receivers.taken("dead"), 600, 2), Ok(()));
}
