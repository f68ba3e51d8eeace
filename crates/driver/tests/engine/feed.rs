//! Following what happens, and what an engine does whose store has stopped.

use std::time::Duration;

use orderkeep_core::StateName;
use orderkeep_driver::{EngineError, Feed, FeedEvent, SubmitError};
use orderkeep_store::Store;

use crate::world::{World, request, terms};

const MINUTES: Duration = Duration::from_secs(300);

async fn next(feed: &mut Feed) -> FeedEvent {
    tokio::time::timeout(MINUTES, feed.next()).await.unwrap().unwrap()
}

/// Crash between the step and telling.
///
/// The feed is the journal: what was committed is told, without a gap, after the cursor.
#[tokio::test(start_paused = true)]
async fn h1_crash_between_the_step_and_telling() {
    let mut world = World::new([]).await;
    let id = world.submit("lock-1").await;
    let mut feed = world.engine.subscribe(None);
    let mut seen = vec![next(&mut feed).await, next(&mut feed).await];
    drop(feed);
    world.wait_for(id, StateName::AwaitingPayment, MINUTES).await;
    world.crash().await;
    // The place is kept over a restart, and waiting for what has not happened yet works too.
    let mut feed = world.engine.subscribe(Some(seen[1].cursor));
    while seen.last().unwrap().record.event.name() != "executed" {
        seen.push(next(&mut feed).await);
    }
    assert!(seen.iter().all(|event| event.order_id == id));
    let versions: Vec<u64> = seen.iter().map(|event| event.version).collect();
    assert_eq!(versions, (1..=seen.len() as u64).collect::<Vec<_>>());
    let names: Vec<_> = seen.iter().map(|event| event.record.event.name()).collect();
    assert_eq!(names, world.events(id).await[..names.len()]);
    assert_eq!(names[..3], ["submitted", "create_intended", "bound"]);
}

#[tokio::test(start_paused = true)]
async fn an_engine_whose_store_halts_says_so_and_takes_nothing() {
    let world = World::new([]).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::AwaitingPayment, MINUTES).await;
    world.between.halt();
    let why = tokio::time::timeout(Duration::from_secs(5), world.engine.halted()).await.unwrap();
    assert!(why.contains("by the test"), "{why}");
    let refused = world.engine.submit(request("key-2", terms("lock-2"))).await;
    assert!(matches!(refused, Err(SubmitError::Engine(EngineError::Halted(_)))), "{refused:?}");
    assert_eq!(world.engine.status().await.unwrap().halted, Some(why));
    let calls = world.provider.calls().len();
    tokio::time::sleep(MINUTES).await;
    assert_eq!(world.provider.calls().len(), calls);
    assert_eq!(world.provider.creates().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_engine_halts_with_the_first_step_that_its_store_refuses_as_halted() {
    let world = World::new([]).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::Created, MINUTES).await;
    world.between.halt_untold();
    // The next step of the order is due within the minute.
    let why = tokio::time::timeout(Duration::from_secs(60), world.engine.halted()).await.unwrap();
    assert!(why.contains("by the test"), "{why}");
    assert_eq!(world.order(id).await.state_name(), StateName::Created);
}

#[tokio::test(start_paused = true)]
async fn a_follower_of_a_store_that_stops_is_told() {
    let world = World::new([]).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::AwaitingPayment, MINUTES).await;
    let mut feed = world.engine.subscribe(None);
    let seen = world.events(id).await.len();
    for _ in 0..seen {
        next(&mut feed).await;
    }
    let waiting = tokio::spawn(async move { feed.next().await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!waiting.is_finished());
    world.store.close().await.unwrap();
    world.between.halt();
    let told = tokio::time::timeout(Duration::from_secs(1), waiting).await.unwrap().unwrap();
    assert_eq!(told, Err(EngineError::ShuttingDown));
}
