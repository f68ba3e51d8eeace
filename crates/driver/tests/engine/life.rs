//! Whole lives: by reads alone, with webhooks, and with a webhook that is faster than the create's answer.

use std::time::Duration;

use orderkeep_core::{StateName, state::Bound};

use crate::{
    provider::Says,
    world::{World, address, lock},
};

const MINUTES: Duration = Duration::from_secs(300);

/// The webhook of the address never comes.
///
/// Polling finds it; the same transition, once.
#[tokio::test(start_paused = true)]
async fn b1_the_webhook_of_the_address_never_comes() {
    let world = World::new([]).await;
    let id = world.submit("lock-1").await;
    let awaiting = world.wait_for(id, StateName::AwaitingPayment, MINUTES).await;
    let made = world.provider.orders_of(&lock("lock-1"));
    assert_eq!(made.len(), 1);
    assert_eq!(awaiting.payable_address().unwrap().as_str(), address(&made[0]));
    let executed = world.wait_for(id, StateName::Executed, MINUTES).await;
    assert_eq!(executed.state.bound().map(|bound: &Bound| &bound.provider_order), made.first());
    let events = world.events(id).await;
    assert_eq!(events[..3], ["submitted", "create_intended", "bound"]);
    assert_eq!(events.iter().filter(|name| **name == "executed").count(), 1);
    assert_eq!(world.engine.status().await.unwrap().webhooks_taken, 0);
    assert_eq!(world.provider.creates().len(), 1);
}

/// Webhook and poll say the same at once.
///
/// One transition and one event; the webhook only makes it sooner.
#[tokio::test(start_paused = true)]
async fn d1_webhook_and_poll_at_once() {
    let world = World::new([]).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::Created, MINUTES).await;
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    // Just after the payment is seen, when the next read by itself is still far.
    world.until(41).await;
    world.hear(world.provider.webhook_of(&made)).await.unwrap();
    let second = Duration::from_secs(1);
    let paid = |order: &orderkeep_core::Order| {
        order.state.deposit().is_some_and(|deposit| !deposit.payment.received.is_zero())
    };
    world.wait(id, "paid", second, paid).await;
    world.until(91).await;
    world.hear(world.provider.webhook_of(&made)).await.unwrap();
    world.wait_for(id, StateName::Executed, second).await;
    // Said again, it changes nothing.
    world.worked_off().await;
    let version = world.order(id).await.version;
    world.hear(world.provider.webhook_of(&made)).await.unwrap();
    world.worked_off().await;
    assert_eq!(world.order(id).await.version, version, "{:?}", world.history(id).await);
    assert_eq!(world.provider.creates().len(), 1);
}

/// Its webhook comes before the create's answer.
///
/// Stored, then 200; bound by a read of the lock.
#[tokio::test(start_paused = true)]
async fn b2_webhook_before_the_creates_answer() {
    let world = World::new([Says::AcceptedAfter(Duration::from_secs(20))]).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "in flight", MINUTES, |order| order.create_in_flight().is_some()).await;
    world.until(1).await;
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    world.hear(world.provider.webhook_of(&made)).await.unwrap();
    // Well before the answer.
    let bound = world
        .wait(id, "bound", Duration::from_secs(10), |order| order.state.bound().is_some())
        .await;
    assert_eq!(bound.state.bound().unwrap().provider_order, made);
    assert_eq!(bound.state.bound().unwrap().by, orderkeep_core::event::BoundBy::Read);
    // The answer then says nothing new, and the order goes on.
    world.wait_for(id, StateName::Executed, MINUTES).await;
    world.worked_off().await;
    let bound = world.events(id).await.into_iter().filter(|name| *name == "bound").count();
    assert_eq!((bound, world.provider.creates().len()), (1, 1));
}
