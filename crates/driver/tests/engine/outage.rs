//! Many orders, and a provider that cannot be seen for a while.

use std::{collections::BTreeMap, time::Duration};

use orderkeep_core::{OrderId, StateName, Terms};
use tokio::time::Instant;

use crate::{
    provider::Pace,
    world::{LOCK_ENDS, World, at, lock, request, terms},
};

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

/// All orders are due at once.
///
/// Within the budget, oldest deadline first.
#[tokio::test(start_paused = true)]
async fn d6_all_orders_are_due_at_once() {
    const MANY: usize = 2_200;
    let world = World::new([]).await;
    // None is paid before the outage, and all are executed in it.
    let (confirming, executed) = (Duration::from_secs(600), Duration::from_secs(1_000));
    world.provider.set_pace(Pace { confirming, executed, ..Pace::USUAL });
    let mut ids = Vec::new();
    for n in 0..MANY {
        let terms = Terms { expires_at: at(1_000), ..terms(&format!("lock-{n}")) };
        let taken = world.engine.submit(request(&format!("lock-{n}"), terms)).await.unwrap();
        ids.push(taken.order.id);
    }
    // Half of the budget is for the creates, as long as reads wait too.
    world.until(240).await;
    assert_eq!(world.provider.creates().len(), MANY);
    world.provider.set_down(true);
    world.until(2 * 3_600).await;
    let states_then = states(&world, &ids).await;
    assert_eq!(states_then.get(&StateName::Failed), None, "{states_then:?}");
    let before = world.provider.calls().len();
    world.provider.set_down(false);
    // One read each is enough, at 20 a second, once the one call that tries has found the provider up again.
    world.until(2 * 3_600 + 30 + 110 + 30).await;
    let states_then = states(&world, &ids).await;
    assert_eq!(states_then, BTreeMap::from([(StateName::Executed, MANY)]));
    let calls = world.provider.calls();
    assert!(most_in_a_second(&calls) <= PER_SECOND + BURST + 1);
    assert!(calls.len() - before < MANY * 3 / 2, "{} calls", calls.len() - before);
    assert_eq!(world.provider.most_orders_of_one_lock(), 1);
}

/// Its create waits for leave that never comes; nothing was sent, so that its end is known when the margin passes.
#[tokio::test(start_paused = true)]
async fn an_order_that_gets_no_leave_fails_when_its_margin_passes_and_not_after() {
    let world = World::new([]).await;
    world.provider.set_denies(true);
    let id = world.submit("lock-1").await;
    world.until(LOCK_ENDS - 3).await;
    assert_eq!(world.order(id).await.state_name(), StateName::Locked);
    world.until(LOCK_ENDS - 1).await;
    assert_eq!(world.order(id).await.state_name(), StateName::Failed);
    assert!(world.provider.orders_of(&lock("lock-1")).is_empty());
}
