//! Many orders, and a provider that cannot be seen for a while.

use std::{collections::BTreeMap, time::Duration};

use orderkeep_core::{OrderId, StateName};
use tokio::time::Instant;

use crate::world::World;

/// The default budget: so many calls per second, and so many at once after a pause.
const PER_SECOND: usize = 20;
const BURST: usize = 20;
const ORDERS: usize = 200;

/// The most calls within any second that starts with one of them.
fn most_in_a_second(calls: &[Instant]) -> usize {
    let second = Duration::from_secs(1);
    (0..calls.len())
        .map(|first| calls[first..].iter().take_while(|at| **at - calls[first] < second).count())
        .max()
        .unwrap_or(0)
}

async fn states(world: &World, ids: &[OrderId]) -> BTreeMap<StateName, usize> {
    let mut states = BTreeMap::new();
    for id in ids {
        *states.entry(world.order(*id).await.state_name()).or_insert(0) += 1;
    }
    states
}

#[tokio::test(start_paused = true)]
async fn an_outage_with_many_open_orders_fails_none_and_stays_within_the_budget() {
    let world = World::new([]).await;
    let mut ids = Vec::new();
    for n in 0..ORDERS {
        ids.push(world.submit(&format!("lock-{n}")).await);
    }
    world.until(30).await;
    // All are made, and none has ended: the outage is not about creates.
    assert_eq!(world.provider.creates().len(), ORDERS);
    world.provider.set_down(true);
    let before = world.provider.calls().len();
    world.until(630).await;
    let during = world.provider.calls().len() - before;
    // A provider that counts as down is asked rarely, however many orders wait: some until it counts as down, and the
    // waits of 1, 2, 4, 8, 16 and then 30 s.
    assert!((10..=60).contains(&during), "{during} calls in ten minutes of outage");
    let states_then = states(&world, &ids).await;
    assert_eq!(states_then.get(&StateName::Failed), None, "{states_then:?}");
    assert_eq!(states_then.get(&StateName::Executed), None, "{states_then:?}");
    world.provider.set_down(false);
    world.until(900).await;
    assert_eq!(states(&world, &ids).await, BTreeMap::from([(StateName::Executed, ORDERS)]));
    assert_eq!(world.provider.creates().len(), ORDERS);
    assert_eq!(world.provider.most_orders_of_one_lock(), 1);
    let most = most_in_a_second(&world.provider.calls());
    assert!(most <= PER_SECOND + BURST + 1, "{most} calls within a second");
}
