//! Webhooks and answers that come twice, in another order, late, or with the wrong name.

use std::time::Duration;

use orderkeep_core::{Order, StateName};

use crate::{
    provider::{Says, Scripted, TOKEN},
    world::{World, lock},
};

const MINUTES: Duration = Duration::from_secs(300);

/// What the history of an order is without what was only heard or read.
async fn milestones(world: &World, id: orderkeep_core::OrderId) -> Vec<&'static str> {
    let mut names = world.events(id).await;
    names.retain(|name| !matches!(*name, "claimed" | "read"));
    names
}

/// Webhooks come twice, again, and backwards.
///
/// 200, and nothing changes; also where one says less than the last read.
#[tokio::test(start_paused = true)]
async fn c1_copies_of_every_webhook() {
    let world = World::new([]).await;
    let id = world.submit("lock-1").await;
    let mut said = Vec::new();
    for second in [1, 4, 41, 91] {
        world.until(second).await;
        let made = world.provider.orders_of(&lock("lock-1")).remove(0);
        said.push(world.provider.webhook_of(&made));
        // All that was ever said, backwards, twice.
        for body in said.iter().rev().chain(&said) {
            world.hear(body.clone()).await.unwrap();
        }
    }
    world.wait_for(id, StateName::Executed, Duration::from_secs(5)).await;
    for body in &said {
        world.hear(body.clone()).await.unwrap();
    }
    world.worked_off().await;
    tokio::time::sleep(MINUTES).await;
    let expected =
        ["submitted", "create_intended", "bound", "wallet_requested", "wallet_given", "executed"];
    assert_eq!(milestones(&world, id).await, expected);
    assert!(!world.order(id).await.needs_review());
    // Each claim was asked about, and the repetitions were not.
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    assert!(world.provider.reads_of(&made) < 30, "{}", world.provider.reads_of(&made));
}

/// A read lags behind.
///
/// What is older than what is known takes nothing back: no state, no address, no payment.
#[tokio::test(start_paused = true)]
async fn b3_reads_lag_behind() {
    let world = World::new([]).await;
    // Each read says what was so five seconds before.
    world.provider.set_reads_take(Duration::from_secs(5));
    let id = world.submit("lock-1").await;
    for second in 1..120 {
        world.until(second).await;
        if let Some(made) = world.provider.orders_of(&lock("lock-1")).first() {
            world.hear(world.provider.webhook_of(made)).await.unwrap();
        }
    }
    world.wait_for(id, StateName::Executed, MINUTES).await;
    let names = milestones(&world, id).await;
    assert_eq!(names.iter().filter(|name| **name == "wallet_given").count(), 1, "{names:?}");
    assert_eq!(names.last(), Some(&"executed"));
    assert_eq!(world.provider.creates().len(), 1);
}

/// An answer, or a webhook, can never be taken in.
///
/// It is given up with its reason after five tries, and kept; its order is read all the same, and the truth is found.
#[tokio::test(start_paused = true)]
async fn c19_an_answer_that_can_never_be_taken() {
    let world = World::new([Says::Accepted, Says::AcceptedAs("p-1")]).await;
    let first = world.submit("lock-1").await;
    world.wait_for(first, StateName::Created, MINUTES).await;
    // The provider makes another order for the second lock, and answers with the name of the first.
    let second = world.submit("lock-2").await;
    world.wait(second, "unknown", Duration::from_secs(5), Order::create_unknown).await;
    let made = world.provider.orders_of(&lock("lock-2")).remove(0);
    assert_eq!(made.as_str(), "p-2");
    world.hear(world.provider.webhook_of(&made)).await.unwrap();
    for (id, name) in [(first, "p-1"), (second, "p-2")] {
        let order = world.wait_for(id, StateName::Executed, MINUTES).await;
        assert_eq!(order.state.bound().unwrap().provider_order.as_str(), name);
    }
    assert_eq!(world.provider.creates().len(), 2);
}

/// The twin of the tests of forged webhooks: the same claim, from whoever has a token or not.
#[tokio::test(start_paused = true)]
async fn a_client_that_takes_every_token_is_caught() {
    for careless in [true, false] {
        let provider = Scripted::new([]);
        provider.set_takes_every_token(careless);
        let world = World::with(provider, |_| {}).await;
        let main = orderkeep_core::AccountId::main();
        let forged = br#"{"order":"p-1","status":"executed"}"#.as_slice();
        let heard = world.engine.webhook(&main, Some(b"guessed"), forged.into()).await;
        assert_eq!(heard.is_ok(), careless);
        assert!(world.engine.is_authentic(&main, Some(TOKEN)).unwrap());
        let taken = world.engine.status().await.unwrap().webhooks_taken;
        assert_eq!(taken, u64::from(careless));
    }
}
