//! The power goes at every commit of a busy script: whatever is durable then, the next engine carries it to its end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use orderkeep_core::{AccountId, Order, OrderId, Policy, ProviderOrderId, StateName};
use orderkeep_driver::EngineConfig;
use orderkeep_provider::Provider;

use crate::{
    must_fail::Careless,
    provider::{Says, Scripted},
    store::Last,
    world::{LOCK_ENDS, World, config, lock, request, terms},
};

const LOCKS: [&str; 5] = ["lock-1", "lock-2", "lock-3", "lock-4", "lock-5"];
/// Short, so that unknown creates end soon.
const WINDOW: Duration = Duration::from_secs(200);

fn scripted() -> Arc<Scripted> {
    Scripted::new([
        Says::Accepted,
        Says::LostAfterMade,
        Says::NotSent,
        Says::P500Before,
        Says::AcceptedAfter(Duration::from_secs(2)),
    ])
}

/// What callers and the provider do, whatever happens to the engine: submit until it is acknowledged, deliver
/// webhooks until they are.
#[derive(Default)]
struct Outside {
    acknowledged: BTreeMap<&'static str, OrderId>,
    /// Acknowledged by the engine that runs now. After a crash every caller asks again.
    asked: BTreeSet<&'static str>,
    delivered: BTreeMap<ProviderOrderId, Vec<u8>>,
}

impl Outside {
    async fn goes_on(&mut self, world: &World) -> Result<(), String> {
        for name in LOCKS {
            if !self.asked.contains(name)
                && let Ok(taken) = world.engine.submit(request(name, terms(name))).await
            {
                self.asked.insert(name);
                let first = *self.acknowledged.entry(name).or_insert(taken.order.id);
                if first != taken.order.id {
                    return Err(format!("{name} is {first} and {}", taken.order.id));
                }
            }
            for made in world.provider.orders_of(&lock(name)) {
                let body = world.provider.webhook_of(&made);
                let new = self.delivered.get(&made) != Some(&body);
                if new && world.hear(body.clone()).await.is_ok() {
                    self.delivered.insert(made, body);
                }
            }
        }
        Ok(())
    }

    /// What must hold at the end, by the provider's ledger and by what was acknowledged.
    async fn judge(&self, world: &World) -> Result<(), String> {
        if world.provider.most_orders_of_one_lock() > 1 {
            return Err("a lock has two orders".to_owned());
        }
        for (name, id) in &self.acknowledged {
            let Some(order) = world.engine.order(*id).await.map_err(|error| error.to_string())?
            else {
                return Err(format!("{name} was acknowledged and is lost"));
            };
            let history = world.engine.history(*id, 0, 1_000).await.unwrap();
            let events: Vec<_> = history.into_iter().map(|(_, record)| record).collect();
            if Order::fold(&events).as_ref() != Ok(&order) {
                return Err(format!("{name}: its history is not its state"));
            }
            let made = world.provider.orders_of(&lock(name));
            let bound = order.state.bound().map(|bound| &bound.provider_order);
            let expected = if made.is_empty() { StateName::Failed } else { StateName::Executed };
            if order.state_name() != expected || bound != made.first() {
                return Err(format!("{name}: {made:?} at the provider, and {order:?} here"));
            }
        }
        if self.acknowledged.len() == LOCKS.len() {
            Ok(())
        } else {
            Err("not all taken".to_owned())
        }
    }
}

/// Runs the script; the power goes at commit `dies_at`. How many commits there were.
async fn run(
    front: Arc<dyn Provider>,
    provider: Arc<Scripted>,
    dies_at: i64,
    last: Last,
) -> Result<i64, String> {
    let config = EngineConfig {
        policy: Policy { provider_order_window: Some(WINDOW), ..Policy::default() },
        ..config()
    };
    let accounts = vec![(AccountId::main(), front)];
    let mut world = World::built(accounts, config, provider, |between| {
        between.dies_at = dies_at;
        between.last = last;
    })
    .await;
    let mut outside = Outside::default();
    let mut commits = 0;
    for second in 1..=240 {
        outside.goes_on(&world).await?;
        world.until(second).await;
        if world.between.is_dead() {
            world.crash().await;
            outside.asked.clear();
        }
        commits = world.between.commits();
    }
    world.until(LOCK_ENDS + 200 + 60).await;
    outside.judge(&world).await?;
    if dies_at > 0 && dies_at <= commits && world.between.dies_at > 0 {
        return Err("the power never went".to_owned());
    }
    Ok(commits)
}

async fn honest(dies_at: i64, last: Last) -> Result<i64, String> {
    let provider = scripted();
    run(Arc::clone(&provider) as Arc<dyn Provider>, provider, dies_at, last).await
}

/// kill -9 at every boundary.
///
/// Nothing acknowledged is lost, nothing is posted twice, and no event is told twice under two numbers.
#[tokio::test(start_paused = true)]
async fn f1_the_power_goes_at_every_commit() {
    let commits = honest(0, Last::Gone).await.unwrap();
    assert!(commits > 40, "{commits} commits: the script is not busy");
    for last in [Last::Gone, Last::Unheard] {
        for dies_at in 1..=commits {
            if let Err(why) = honest(dies_at, last).await {
                panic!("the power went at commit {dies_at}, {last:?}: {why}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_acknowledges_too_early_is_caught() {
    let commits = honest(0, Last::Gone).await.unwrap();
    let mut lost = 0;
    let mut twice = 0;
    for dies_at in 1..=commits {
        if let Err(why) = honest(dies_at, Last::Lie).await {
            lost += usize::from(why.contains("is lost") || why.contains(" and "));
            twice += usize::from(why.contains("two orders"));
        }
    }
    assert!(lost >= LOCKS.len(), "{lost} losses seen");
    assert!(twice >= 1, "no second order seen");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_calls_a_lost_answer_not_sent_is_caught() {
    let provider = scripted();
    let front = Arc::new(Careless(Arc::clone(&provider)));
    let caught = run(front, provider, 0, Last::Gone).await.unwrap_err();
    assert_eq!(caught, "a lock has two orders");
}
