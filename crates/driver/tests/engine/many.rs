//! More orders than one page of what is read at a start.

use std::time::Duration;

use orderkeep_core::{Order, ReviewReason};
use orderkeep_driver::{Budget, EngineConfig};

use crate::{
    provider::{Says, Scripted},
    world::{World, config},
};

/// Creates on their way are found a thousand at a time, and told of a restore 256 at a time.
const ORDERS: usize = 1_100;

#[tokio::test(start_paused = true)]
async fn every_create_that_was_on_its_way_is_unknown_after_a_crash_however_many_there_are() {
    let provider = Scripted::new([]);
    provider.usually(Says::HangsAfterMade);
    let budget =
        Budget { per_second: 5_000.0, burst: 5_000, concurrent: 5_000, ..Budget::default() };
    let config = EngineConfig { budget, ..config() };
    let mut world = World::configured(provider, config, []).await;
    world.provider.look_away();
    let mut ids = Vec::new();
    for n in 0..ORDERS {
        ids.push(world.submit(&format!("lock-{n}")).await);
    }
    world.until(5).await;
    assert_eq!(world.provider.creates().len(), ORDERS);
    world.crash().await;
    world.until(10).await;
    for id in &ids {
        assert!(world.order(*id).await.create_unknown());
    }
    // And a copy of that store is another life: each of them is told.
    let copy = world.backup();
    world.restore(copy).await;
    let exposed = |order: &Order| order.has_open(ReviewReason::ExposurePossible);
    for id in ids {
        world.wait(id, "told", Duration::from_secs(5), exposed).await;
    }
    assert_eq!(world.provider.creates().len(), ORDERS);
}
