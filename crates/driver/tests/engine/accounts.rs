//! Two accounts: what happens to the calls of one is nothing to the other.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use orderkeep_core::{AccountId, OrderId, StateName};
use orderkeep_driver::{GateState, SubmitRequest};
use orderkeep_provider::Provider;

use crate::{
    provider::{Pace, Scripted},
    world::{World, config, request, terms},
};

/// More than may wait for the budget of all accounts together.
const ORDERS: usize = 2_200;

async fn submit(world: &World, account: &AccountId, name: &str) -> OrderId {
    let request = SubmitRequest { account: account.clone(), ..request(name, terms(name)) };
    world.engine.submit(request).await.unwrap().order.id
}

/// The key is revoked.
///
/// All calls of that account stop, and no other's; one call tries now and then. Orders wait, none fails, and they go on by
/// themselves with the new key.
#[tokio::test(start_paused = true)]
async fn i4_the_key_is_revoked() {
    let (refused, good) = (Scripted::new([]), Scripted::new([]));
    refused.set_pace(Pace { executed: Duration::from_secs(1_000_000), ..Pace::USUAL });
    let other = AccountId::new("other").unwrap();
    let mut config = config();
    config.budget.per_second = 200.0;
    let others = [(other.clone(), Arc::clone(&refused) as Arc<dyn Provider>)];
    let world = World::configured(Arc::clone(&good), config, others).await;
    let mut ids = Vec::new();
    for n in 0..ORDERS {
        ids.push(submit(&world, &other, &format!("lock-{n}")).await);
    }
    world.until(60).await;
    assert_eq!(refused.creates().len(), ORDERS);
    refused.set_denies(true);
    world.until(120).await;
    let before = refused.calls().len();
    let id = submit(&world, &AccountId::main(), "lock-1").await;
    world.wait_for(id, StateName::Created, Duration::from_secs(2)).await;
    world.wait_for(id, StateName::Executed, Duration::from_secs(120)).await;
    world.until(720).await;
    let during = refused.calls().len() - before;
    assert!((9..=11).contains(&during), "{during} calls in ten minutes of a refused credential");
    let status = world.engine.status().await.unwrap();
    let gates: BTreeMap<_, _> =
        status.accounts.iter().map(|(id, account)| (id.as_str(), account.gate)).collect();
    assert_eq!(gates["other"], GateState::Denied);
    assert_eq!(gates[AccountId::main().as_str()], GateState::Flowing);
    assert_eq!(status.orders[&StateName::Failed], 0);
    // It goes on by itself.
    refused.set_denies(false);
    refused.set_pace(Pace::USUAL);
    for id in ids {
        world.wait_for(id, StateName::Executed, Duration::from_secs(300)).await;
    }
}
