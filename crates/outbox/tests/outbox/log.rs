//! The delivery log outlives its process.

use std::collections::BTreeSet;

use orderkeep_outbox::{Delivery, Outbox, OutboxConfig, Replay};
use orderkeep_store::{EntityId, Store as _};

use crate::world::{DAY, Does, HOUR, MINUTE, World, id};

fn told(log: &[Delivery]) -> Vec<(String, u32, Option<String>)> {
    let told = log.iter().map(|entry| (entry.event.clone(), entry.attempt, entry.why.clone()));
    told.collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_tried_is_known_after_a_restart_and_can_be_replayed() {
    let world = World::new();
    let outbox = world.start().await;
    let endpoint = world.endpoint(&outbox, "shop").await;
    let bad = id(2, 1);
    world.receivers.now_do(move |_, id, _| if id == bad { Does::Says(500) } else { Does::Takes });
    world.events(3, 1).await;
    world.pass(HOUR).await;
    let before = told(&outbox.deliveries(endpoint.id, 100).unwrap());
    assert_eq!(before.len(), world.receivers.seen().len());
    assert_eq!(before[0], (id(2, 1), 4, Some("answered 500".to_owned())));
    for _ in 0..3 {
        outbox.shutdown().await;
        let outbox = world.start().await;
        assert_eq!(told(&outbox.deliveries(endpoint.id, 100).unwrap()), before);
        assert_eq!(told(&outbox.deliveries(endpoint.id, 2).unwrap()), before[..2]);
        outbox.shutdown().await;
    }
    let outbox = world.start().await;
    world.receivers.now_do(|_, _, _| Does::Takes);
    let failed = outbox.deliveries(endpoint.id, 100).unwrap();
    let failed = failed.into_iter().find(|entry| entry.why.is_some()).unwrap();
    outbox.replay(endpoint.id, Replay::Event(failed.event)).await.unwrap();
    world.pass(MINUTE).await;
    assert_eq!(world.receivers.taken("shop").last(), Some(&id(2, 1)));
    let after = told(&outbox.deliveries(endpoint.id, 100).unwrap());
    assert_eq!((&after[0], after[1..].to_vec()), (&(id(2, 1), 1, None), before));
}

#[tokio::test(start_paused = true)]
async fn it_holds_the_last_two_hundred_however_many_there_were() {
    let world = World::new();
    let outbox = world.start().await;
    let endpoint = world.endpoint(&outbox, "shop").await;
    world.events(150, 4).await;
    world.pass(HOUR).await;
    outbox.shutdown().await;
    let outbox = world.start().await;
    let log = outbox.deliveries(endpoint.id, 1_000).unwrap();
    let taken = world.receivers.taken("shop");
    let last: Vec<_> = taken.iter().rev().take(200).cloned().collect();
    let logged: Vec<_> = log.into_iter().map(|entry| entry.event).collect();
    assert_eq!(logged, last);
}

/// Killed at any moment, every request is in the log, or is made again and in the log then.
#[tokio::test(start_paused = true)]
async fn a_process_that_dies_forgets_no_event() {
    for dies_at in 1..=12 {
        let world = World::new();
        let outbox = world.start().await;
        let endpoint = world.endpoint(&outbox, "shop").await;
        world.receivers.now_do(
            move |_, _, before| {
                if before + 1 >= dies_at { Does::Hangs } else { Does::Takes }
            },
        );
        world.events(3, 4).await;
        world.pass(MINUTE).await;
        // Dropped, not shut down: nothing is noted any more.
        drop(outbox);
        world.receivers.now_do(|_, _, _| Does::Takes);
        let outbox = world.start().await;
        world.pass(DAY).await;
        let log = outbox.deliveries(endpoint.id, 200).unwrap();
        let logged: BTreeSet<_> = log.into_iter().map(|entry| entry.event).collect();
        assert_eq!(logged.len(), 12, "dying at request {dies_at}");
    }
}

/// Whatever was tried, the log's place on the disk is what the configuration says, the oldest of it gone first.
#[tokio::test(start_paused = true)]
async fn as_much_of_it_is_kept_as_is_configured() {
    let world = World::new();
    let config = |kept| OutboxConfig { deliveries_kept: kept, ..world.config() };
    let outbox = Outbox::start(world.store.clone(), config(7)).await.unwrap();
    let endpoint = world.endpoint(&outbox, "shop").await;
    let mut sizes = Vec::new();
    for round in 0..3_u128 {
        for order in 1..=40 {
            world.event(100 * round + order, 1).await;
        }
        world.pass(HOUR).await;
        assert_eq!(outbox.deliveries(endpoint.id, 1_000).unwrap().len(), 7, "round {round}");
        let id = EntityId(endpoint.id.0);
        let events = world.store.history(id, 0, 1_000).await.unwrap();
        assert!(
            events.iter().all(|event| event.bytes.len() == 1),
            "a history that grows by attempts"
        );
        sizes.push(world.store.load(id).await.unwrap().unwrap().view.len());
    }
    let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
    assert!(most - least < 64, "the log grows: {sizes:?}");
    let newest: Vec<_> = world.receivers.taken("shop").into_iter().rev().take(3).collect();
    outbox.shutdown().await;
    let outbox = Outbox::start(world.store.clone(), config(3)).await.unwrap();
    let logged = outbox.deliveries(endpoint.id, 1_000).unwrap();
    assert_eq!(logged.into_iter().map(|entry| entry.event).collect::<Vec<_>>(), newest);
}
