//! Every order that has not ended is looked at again. (That each commit says when is checked by the store of all tests.)

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use orderkeep_core::{StateName, Timestamp};
use orderkeep_driver::{Clock, TokioClock};
use orderkeep_store::{Change, Commit, EntityId, Label, PartitionId, Store};
use uuid::Uuid;

use crate::{
    provider::Scripted,
    world::{World, at},
};

const MINUTES: Duration = Duration::from_secs(300);

/// Shows the true time, off by some seconds.
#[derive(Debug)]
struct Jumping {
    truth: TokioClock,
    off_by: AtomicI64,
}

impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        let off_by = self.off_by.load(Ordering::SeqCst) * 1_000_000;
        Timestamp::from_micros(self.truth.now().as_micros() + off_by)
    }
}

/// The clock jumps.
///
/// A clock that was set back is noticed: every open order is checked again, and none sleeps until the clock has caught up.
#[tokio::test(start_paused = true)]
async fn f17_the_clock_jumps() {
    let truth = TokioClock::starting_at(at(0));
    let clock = Arc::new(Jumping { truth, off_by: AtomicI64::new(0) });
    let world = World::clocked(Scripted::new([]), Arc::clone(&clock) as Arc<dyn Clock>).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::AwaitingPayment, Duration::from_secs(30)).await;
    // Five hours ahead, long enough for the next look to be put off from there.
    clock.off_by.store(5 * 3_600, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(3)).await;
    clock.off_by.store(0, Ordering::SeqCst);
    let fresh = world.submit("lock-2").await;
    for id in [id, fresh] {
        world.wait_for(id, StateName::Executed, MINUTES).await;
    }
}

/// An order has no wake-up.
///
/// There is none such: every open order has one, checked with every commit; a sweep at the start finds what a fault
/// has lost.
#[tokio::test(start_paused = true)]
async fn f7_an_order_without_a_wake_up() {
    let mut world = World::new([]).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::Created, MINUTES).await;
    world.engine.shutdown().await.unwrap();
    let entity = world.store.load(EntityId(id.0)).await.unwrap().unwrap();
    let change = Change {
        id: entity.id,
        kind: entity.kind,
        expected: entity.version,
        events: Vec::new(),
        view: None,
        labels: entity.labels,
        wake_up: None,
        claims: Vec::new(),
    };
    let commit = Commit { partition: PartitionId::ONLY, change: Some(change), inbox: Vec::new() };
    world.store.commit(commit).await.unwrap();
    world.restart().await;
    world.wait_for(id, StateName::Executed, MINUTES).await;
}

/// A million open orders must neither stand in front of the one that is due nor all be in memory after a start.
#[tokio::test(start_paused = true)]
async fn a_start_reads_what_is_due_and_the_rest_slowly() {
    const RESTING: usize = 4_000;
    let mut world = World::new([]).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::Created, MINUTES).await;
    world.engine.shutdown().await.unwrap();
    let due = world.store.load(EntityId(id.0)).await.unwrap().unwrap();
    for _ in 0..RESTING {
        let change = Change {
            id: EntityId(Uuid::now_v7()),
            kind: due.kind,
            expected: 0,
            events: vec!["event".into()],
            // Whoever reads it can do nothing with it, and must go on.
            view: Some("view".into()),
            labels: vec![Label::from("open")],
            wake_up: Some(at(1_000_000).as_micros()),
            claims: Vec::new(),
        };
        let partition = PartitionId::ONLY;
        let commit = Commit { partition, change: Some(change), inbox: Vec::new() };
        world.store.commit(commit).await.unwrap();
    }
    world.restart().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let at_first = world.between.listed();
    assert!((1..RESTING).contains(&at_first), "{at_first} were read in the first second");
    let checked = || async { world.engine.status().await.unwrap().checked };
    assert!(!checked().await);
    world.wait_for(id, StateName::Executed, MINUTES).await;
    tokio::time::sleep(MINUTES).await;
    let in_the_end = world.between.listed();
    assert!(in_the_end > RESTING, "only {in_the_end} were checked");
    assert!(checked().await);
}
