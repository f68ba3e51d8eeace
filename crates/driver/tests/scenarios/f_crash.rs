//! F. Crashes, durability, concurrency.

use std::time::Duration;

use orderkeep_core::{FailReason, StateName};
use orderkeep_store::{Change, Commit, CommitError, EntityId, PartitionId, Store as _};

use super::{MINUTES, Played, failed_as};
use crate::world::World;

/// A timer fires hours late.
///
/// Wake-ups are durable, and a late one looks at the order again before anything is done: a lock that ended meanwhile is
/// not posted.
#[tokio::test(start_paused = true)]
async fn f5_a_timer_fires_hours_late() {
    let mut world = World::new([]).await;
    world.provider.set_denies(true);
    let refused = world.submit("lock-0").await;
    world.until(5).await;
    let id = world.submit("lock-1").await;
    world.engine.shutdown().await.unwrap();
    let posted = world.provider.creates().len();
    tokio::time::sleep(Duration::from_secs(6 * 3_600)).await;
    world.provider.set_denies(false);
    world.restart().await;
    for id in [refused, id] {
        let order = world.wait_for(id, StateName::Failed, MINUTES).await;
        assert_eq!(*failed_as(&order), FailReason::LockExpired);
    }
    assert_eq!(world.provider.creates().len(), posted);
}

/// An old copy of an order is written back.
///
/// Refused: every commit names the version that it was made of.
#[tokio::test(start_paused = true)]
async fn f6_an_old_copy_is_written_back() {
    let played = Played::executed().await;
    let now = played.world.store.load(EntityId(played.id.0)).await.unwrap().unwrap();
    let change = Change {
        id: now.id,
        kind: now.kind,
        expected: now.version - 1,
        events: vec!["an old task's".into()],
        view: Some(now.view.clone()),
        labels: now.labels.clone(),
        wake_up: None,
        claims: Vec::new(),
    };
    let commit = Commit { partition: PartitionId::ONLY, change: Some(change), inbox: Vec::new() };
    let refused = played.world.store.commit(commit).await;
    assert!(matches!(refused, Err(CommitError::Conflict { .. })), "{refused:?}");
    let after = played.world.store.load(now.id).await.unwrap().unwrap();
    assert_eq!((after.version, after.view), (now.version, now.view));
}

/// An event is handled twice after a replay.
///
/// Each has its order and its number within it, the same at every reading: whoever has seen a number drops it.
#[tokio::test(start_paused = true)]
async fn f12_an_event_is_handled_twice() {
    let mut played = Played::executed().await;
    let mut readings = Vec::new();
    for _ in 0..2 {
        let mut feed = played.world.engine.subscribe(None);
        let mut seen = Vec::new();
        for _ in 0..4 {
            let event = feed.next().await.unwrap();
            seen.push((event.order_id, event.version, event.record.event.name()));
        }
        readings.push(seen);
        played.world.crash().await;
    }
    assert_eq!(readings[0], readings[1]);
}
