//! Receivers that fail for long: the schedule, its end, and what a receiver may ask for.

use std::time::Duration;

use crate::world::{DAY, Does, HOUR, MINUTE, World, complete, id};

#[tokio::test(start_paused = true)]
async fn three_days_of_failing_switch_it_off_and_nothing_is_lost() {
    let world = World::new();
    let outbox = world.start().await;
    let endpoint = world.endpoint(&outbox, "shop").await;
    world.receivers.now_do(|_, _, _| Does::Says(500));
    world.event(1, 1).await;
    world.until("off", || outbox.show(endpoint.id).unwrap().off.is_some()).await;
    let off = outbox.show(endpoint.id).unwrap().off.unwrap();
    assert_eq!(off.0.name(), "failing");
    let attempts = world.receivers.seen();
    assert_eq!(attempts.len(), 10);
    let took = attempts[9].at.since(attempts[0].at);
    assert!((3 * DAY..4 * DAY).contains(&took), "{took:?}");
    let numbers: Vec<_> =
        attempts.iter().map(|seen| seen.headers["orderkeep-attempt"].as_str()).collect();
    assert_eq!(numbers, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    assert!(attempts.iter().all(|seen| seen.id == id(1, 1) && seen.body == attempts[0].body));

    world.event(1, 2).await;
    world.event(2, 1).await;
    world.event(2, 2).await;
    world.pass(30 * DAY).await;
    assert_eq!(world.receivers.seen().len(), 10, "off is off");
    world.receivers.now_do(|_, _, _| Does::Takes);
    // It is off for the next process as well.
    outbox.shutdown().await;
    let outbox = world.start().await;
    world.pass(DAY).await;
    assert_eq!(world.receivers.seen().len(), 10);
    outbox.enable(endpoint.id).await.unwrap();
    world.until("all", || world.receivers.taken("shop").len() == 4).await;
    assert_eq!(complete(&world.receivers.taken("shop"), 2, 2), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_never_taken_is_passed_over_in_the_end_and_only_it() {
    let world = World::new();
    let outbox = world.start().await;
    let endpoint = world.endpoint(&outbox, "shop").await;
    let bad = id(1, 1);
    world.receivers.now_do(move |_, id, _| if id == bad { Does::Says(400) } else { Does::Takes });
    world.event(1, 1).await;
    world.event(1, 2).await;
    world.pass(HOUR).await;
    world.event(2, 1).await;
    world.until("the next one", || world.receivers.taken("shop").contains(&id(1, 2))).await;
    let shown = outbox.show(endpoint.id).unwrap();
    assert_eq!((shown.given_up, shown.off), (1, None));
    assert_eq!(world.receivers.seen().iter().filter(|seen| seen.id == id(1, 1)).count(), 10);
}

#[tokio::test(start_paused = true)]
async fn gone_is_gone() {
    let world = World::new();
    let outbox = world.start().await;
    let endpoint = world.endpoint(&outbox, "shop").await;
    world.receivers.now_do(|_, _, _| Does::Says(410));
    world.event(1, 1).await;
    world.until("off", || outbox.show(endpoint.id).unwrap().off.is_some()).await;
    assert_eq!(outbox.show(endpoint.id).unwrap().off.unwrap().0.name(), "gone");
    world.pass(DAY).await;
    assert_eq!(world.receivers.seen().len(), 1);
    world.receivers.now_do(|_, _, _| Does::Takes);
    outbox.enable(endpoint.id).await.unwrap();
    world.until("taken", || world.receivers.taken("shop").len() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_asks_for_silence_gets_it() {
    let world = World::new();
    let outbox = world.start().await;
    world.endpoint(&outbox, "shop").await;
    world.receivers.now_do(|_, _, before| {
        if before == 0 { Does::SaysLater(429, 20 * MINUTE) } else { Does::Takes }
    });
    world.event(1, 1).await;
    world.pass(MINUTE).await;
    world.event(2, 1).await;
    world.pass(18 * MINUTE).await;
    assert_eq!(world.receivers.seen().len(), 1, "not for other orders either");
    world.until("both", || world.receivers.taken("shop").len() == 2).await;
    let seen = world.receivers.seen();
    assert!(seen[1].at.since(seen[0].at) >= 20 * MINUTE);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_back_gets_what_waited_soon() {
    let world = World::new();
    let outbox = world.start().await;
    world.endpoint(&outbox, "shop").await;
    world.receivers.now_do(|_, _, _| Does::Unreachable);
    world.events(20, 1).await;
    // Between the attempt after half an hour and the one after two hours and a half.
    world.pass(HOUR).await;
    world.receivers.now_do(|_, _, _| Does::Takes);
    world.event(21, 1).await;
    world.pass(Duration::from_secs(15)).await;
    assert_eq!(world.receivers.taken("shop").len(), 21);
}
