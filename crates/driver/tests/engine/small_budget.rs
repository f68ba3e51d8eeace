//! More is due than the budget allows: whose deadline is oldest is read first.

use std::{collections::BTreeSet, time::Duration};

use orderkeep_core::{Observation, StateName, Terms};
use orderkeep_driver::{Budget, EngineConfig};

use crate::{
    provider::{Pace, Scripted},
    world::{World, at, config, lock, request, terms},
};

const ORDERS: i64 = 40;
const NEVER: Duration = Duration::from_secs(100_000_000);
/// When the provider is back; all deadlines are within ten minutes of it.
const BACK: i64 = 3_600;

/// When the provider wants its n-th order paid: in another order than they were made in.
fn pay_by(n: i64) -> i64 {
    BACK - 300 + n * 23 % ORDERS * 10
}

fn number(order: &str) -> i64 {
    order.strip_prefix("p-").and_then(|n| n.parse().ok()).unwrap()
}

fn tells(seen: &mut Observation) {
    let own = at(pay_by(number(seen.provider_order.as_str())));
    seen.expires_at = seen.expires_at.map(|_| own);
}

#[tokio::test(start_paused = true)]
async fn whose_deadline_is_oldest_is_read_first() {
    let provider = Scripted::new([]);
    provider.set_pace(Pace { confirming: NEVER, executed: NEVER, ..Pace::USUAL });
    provider.set_tells(tells);
    let budget = Budget { per_second: 1.0, burst: 1, ..Budget::default() };
    let config = EngineConfig { budget, ..config() };
    let world = World::configured(provider, config, []).await;
    let mut ids = Vec::new();
    for n in 0..ORDERS {
        let name = format!("lock-{n}");
        let terms = Terms { expires_at: at(2_000), ..terms(&name) };
        ids.push(world.engine.submit(request(&name, terms)).await.unwrap().order.id);
    }
    for id in &ids {
        world.wait_for(*id, StateName::AwaitingPayment, Duration::from_secs(600)).await;
    }
    assert_eq!(world.provider.orders_of(&lock("lock-0")).len(), 1);
    world.provider.set_down(true);
    world.until(BACK).await;
    let before = world.provider.reads().len();
    world.provider.set_down(false);
    // A call a second, and at most half a minute until the provider is tried; those that were read are read again.
    world.until(BACK + 30 + ORDERS * 20).await;
    let reads = world.provider.reads();
    let mut seen = BTreeSet::new();
    let first: Vec<i64> = reads[before..]
        .iter()
        .map(|order| number(order))
        .filter(|n| seen.insert(*n))
        .map(pay_by)
        .collect();
    assert_eq!(first.len(), ids.len(), "all were read");
    // They come back spread over time, so each finds others waiting, and not all of them: the gate's own test has the
    // exact order. By arrival, the places of both halves would be about the same.
    let middle = BACK - 300 + ORDERS / 2 * 10;
    let place = |old: bool| -> usize {
        first.iter().enumerate().filter(|(_, by)| (**by < middle) == old).map(|(at, _)| at).sum()
    };
    let (old, young) = (place(true), place(false));
    assert!(old * 3 < young * 2, "{old} and {young}: {first:?}");
}
