//! Commands, while calls are on their way and while the outcome of a create is unknown.

use std::time::Duration;

use orderkeep_core::{
    Command, FailReason, LockId, Order, OrderId, ProviderOrderId, Refusal, Resolution,
    SecondOrderAcknowledged, State, StateName,
};
use orderkeep_driver::{Answered, CommandError};

use crate::{
    provider::Says,
    world::{World, lock},
};

const MINUTES: Duration = Duration::from_secs(300);

fn author() -> orderkeep_core::Author {
    "ops".parse().unwrap()
}

fn post_again(lock_id: &str) -> Command {
    let acknowledged = SecondOrderAcknowledged { lock_id: LockId::new(lock_id).unwrap() };
    Command::PostAgain { author: author(), acknowledged, reason: None }
}

async fn ask(world: &World, id: OrderId, command: Command) -> Result<Answered, CommandError> {
    tokio::time::timeout(Duration::from_secs(5), world.engine.command(id, command)).await.unwrap()
}

async fn unknown(says: Says) -> (World, OrderId) {
    let world = World::new([says]).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "unknown", MINUTES, Order::create_unknown).await;
    (world, id)
}

/// Cancelled while the create is on its way.
///
/// A wish; the address is withheld.
#[tokio::test(start_paused = true)]
async fn g5_cancelled_while_the_create_is_on_its_way() {
    let world = World::new([Says::AcceptedAfter(Duration::from_secs(10))]).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "in flight", MINUTES, |order| order.create_in_flight().is_some()).await;
    let in_flight = Err(CommandError::Refused(Refusal::CreateInFlight));
    assert_eq!(ask(&world, id, Command::Retry { author: author(), reason: None }).await, in_flight);
    assert_eq!(ask(&world, id, post_again("lock-1")).await, in_flight);
    let resolve = Command::Resolve {
        author: author(),
        resolution: Resolution::NoProviderOrder,
        note: "asked them".to_owned(),
    };
    assert_eq!(ask(&world, id, resolve).await, in_flight);
    let note = Command::Note { author: author(), text: "the payer called".to_owned() };
    ask(&world, id, note).await.unwrap();
    // Now only a wish: it is made all the same, and nobody is shown where to pay.
    ask(&world, id, Command::Cancel { author: author(), reason: None }).await.unwrap();
    assert_eq!(world.now().since(world.order(id).await.created_at).as_secs(), 0);
    let order = world.wait_for(id, StateName::AwaitingPayment, Duration::from_secs(20)).await;
    assert!(order.cancel.is_some() && order.payable_address().is_none());
    assert_eq!(world.provider.creates().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn before_anything_is_sent_a_cancel_ends_the_order_and_nothing_is_sent() {
    let world = World::new([]).await;
    world.provider.set_denies(true);
    // The credential is refused, so the create waits.
    let id = world.submit("lock-1").await;
    world.until(5).await;
    ask(&world, id, Command::Cancel { author: author(), reason: None }).await.unwrap();
    let State::Failed(failed) = world.order(id).await.state else { panic!("not failed") };
    assert_eq!(failed.reason, FailReason::Cancelled);
    world.provider.set_denies(false);
    world.until(200).await;
    assert!(world.provider.orders_of(&lock("lock-1")).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_create_is_adopted_by_a_read_only() {
    let (world, id) = unknown(Says::LostAfterMade).await;
    let other = world.provider.makes(&lock("lock-of-another"));
    let adopt = |provider_order| Command::Adopt { author: author(), provider_order, reason: None };
    ask(&world, id, adopt(other)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let order = world.order(id).await;
    assert!(order.create_unknown() && order.adopting.is_none() && order.needs_review());
    ask(&world, id, adopt(ProviderOrderId::new("no-such").unwrap())).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(world.order(id).await.create_unknown());
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    ask(&world, id, adopt(made.clone())).await.unwrap();
    let order = world.wait_for(id, StateName::Executed, MINUTES).await;
    assert_eq!(order.state.bound().unwrap().provider_order, made);
    assert_eq!(world.provider.creates().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_create_is_posted_again_only_with_an_acknowledgement() {
    let (world, id) = unknown(Says::P500Before).await;
    let retry = ask(&world, id, Command::Retry { author: author(), reason: None }).await;
    assert_eq!(retry, Err(CommandError::Refused(Refusal::CreateUnknown)));
    let wrong = ask(&world, id, post_again("another-lock")).await;
    assert!(matches!(wrong, Err(CommandError::Refused(Refusal::WrongAcknowledgement { .. }))));
    world.until(30).await;
    assert_eq!(world.provider.creates().len(), 1);
    ask(&world, id, post_again("lock-1")).await.unwrap();
    world.wait_for(id, StateName::Created, Duration::from_secs(2)).await;
    assert_eq!(world.provider.creates().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_second_order_of_a_lock_is_found_and_never_acted_on() {
    let (world, id) = unknown(Says::LostAfterMade).await;
    ask(&world, id, post_again("lock-1")).await.unwrap();
    world.wait_for(id, StateName::Created, Duration::from_secs(2)).await;
    let made = world.provider.orders_of(&lock("lock-1"));
    assert_eq!(made.len(), 2);
    // The webhook of the first one names our lock.
    world.hear(world.provider.webhook_of(&made[0])).await.unwrap();
    let order = world
        .wait(id, "told of the other", Duration::from_secs(5), |order| {
            !order.other_orders.is_empty()
        })
        .await;
    assert_eq!(order.other_orders, [made[0].clone()]);
    assert_eq!(order.state.bound().unwrap().provider_order, made[1]);
    assert!(order.needs_review());
    world.worked_off().await;
}

#[tokio::test(start_paused = true)]
async fn an_order_that_does_not_exist_is_said_so() {
    let world = World::new([]).await;
    let id: OrderId = "0195a000-0000-7000-8000-000000000001".parse().unwrap();
    let asked = ask(&world, id, Command::Retry { author: author(), reason: None }).await;
    assert_eq!(asked, Err(CommandError::NoOrder(id)));
}
