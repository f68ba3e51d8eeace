//! How long the end of an order can go unnoticed when its webhook is lost, by how many orders share which budget. The
//! figures of `docs/reconciliation.md`.

use std::time::Duration;

use orderkeep_core::{StateName, Terms};
use orderkeep_driver::{Budget, EngineConfig};

use crate::{
    provider::{Pace, Scripted},
    world::{World, at, config, request, terms},
};

/// The default of `poll_payment`, and the fifth that a poll may be put off by.
const LONGEST_POLL: Duration = Duration::from_secs(72);
const EXECUTED: Duration = Duration::from_secs(1_001);

/// The longest that an end went unnoticed, of so many orders under this budget, without a single webhook.
async fn longest_unnoticed(orders: u32, per_second: f64) -> Duration {
    let config =
        EngineConfig { budget: Budget { per_second, burst: 1, ..Budget::default() }, ..config() };
    let world = World::configured(Scripted::new([]), config, []).await;
    let (confirming, executed) = (EXECUTED - Duration::from_secs(1), EXECUTED);
    world.provider.set_pace(Pace { confirming, executed, ..Pace::USUAL });
    let mut ids = Vec::new();
    for n in 0..orders {
        let terms = Terms { expires_at: at(900), ..terms(&format!("lock-{n}")) };
        let taken = world.engine.submit(request(&format!("lock-{n}"), terms)).await.unwrap();
        ids.push(taken.order.id);
    }
    world.until(1_500).await;
    let mut longest = Duration::ZERO;
    for id in ids {
        let order = world.order(id).await;
        assert_eq!(order.state_name(), StateName::Executed);
        let lived = order.since.since(order.state.bound().unwrap().at);
        longest = longest.max(lived.saturating_sub(EXECUTED));
    }
    longest
}

/// It is executed, and no webhook comes.
///
/// The next poll finds it: within one longest poll and one round of the request budget (see
/// [reconciliation](reconciliation.md)).
#[tokio::test(start_paused = true)]
async fn d10_executed_and_no_webhook() {
    for (orders, per_second) in [(20, 20.0), (200, 5.0), (400, 5.0)] {
        let round = Duration::from_secs_f64(f64::from(orders) / per_second);
        let longest = longest_unnoticed(orders, per_second).await;
        println!("{orders} orders, {per_second} calls a second: {longest:?}");
        assert!(longest <= LONGEST_POLL + round, "{orders} orders: {longest:?}");
    }
}
