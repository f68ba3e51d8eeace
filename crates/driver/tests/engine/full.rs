//! A full disk: new orders are refused, what happened outside waits for room, and all goes on by itself.

use std::time::Duration;

use orderkeep_core::{Command, Order, StateName};
use orderkeep_driver::{CommandError, EngineError, SubmitError};
use orderkeep_store::Store as _;

use crate::{
    provider::Says,
    store::Full,
    world::{PARKED_FOR, WINDOW, World, lock, request, terms},
};

const MINUTES: Duration = Duration::from_secs(300);

/// The disk is full.
///
/// New orders are refused, the rest goes on, and it recovers.
#[tokio::test(start_paused = true)]
async fn f3_the_disk_is_full() {
    let world = World::new([]).await;
    let id = world.submit("lock-1").await;
    let before = world.engine.submit(request("key-0", terms("lock-0"))).await.unwrap().order;
    world.between.set_full(Full::NewOrders);
    // Not a new one: it was taken, and whoever asks again is told so.
    let again = world.engine.submit(request("key-0", terms("lock-0"))).await.unwrap();
    assert_eq!((again.order.id, again.replayed), (before.id, true));
    let refused = world.engine.submit(request("key-2", terms("lock-2"))).await;
    assert!(matches!(refused, Err(SubmitError::Engine(EngineError::Full(_)))), "{refused:?}");
    world.wait_for(id, StateName::Executed, MINUTES).await;
    world.between.set_full(Full::Nothing);
    world.engine.submit(request("key-2", terms("lock-2"))).await.unwrap();
}

/// Whoever waits for an answer gets one at once: he can come again, and what happened outside cannot.
#[tokio::test(start_paused = true)]
async fn a_command_is_refused_while_there_is_no_room() {
    let world = World::new([]).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::Executed, MINUTES).await;
    world.between.set_full(Full::Everything);
    let note = Command::Note { author: "ops".parse().unwrap(), text: "called them".to_owned() };
    let answer = world.engine.command(id, note.clone());
    let refused = tokio::time::timeout(Duration::from_millis(10), answer).await.unwrap();
    assert!(matches!(refused, Err(CommandError::Engine(EngineError::Full(_)))), "{refused:?}");
    world.between.set_full(Full::Nothing);
    world.engine.command(id, note).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_creates_answer_waits_for_room_and_is_not_lost() {
    let world = World::new([Says::AcceptedAfter(Duration::from_secs(2))]).await;
    let id = world.submit("lock-1").await;
    world.until(1).await;
    world.between.set_full(Full::Everything);
    world.until(200).await;
    assert!(world.order(id).await.create_in_flight().is_some());
    world.between.set_full(Full::Nothing);
    let order =
        world.wait(id, "bound", Duration::from_secs(3), |o| o.state.bound().is_some()).await;
    assert_eq!(
        order.state.bound().map(|bound| &bound.provider_order),
        world.provider.orders_of(&lock("lock-1")).first()
    );
    assert_eq!(world.provider.creates().len(), 1);
    world.wait_for(id, StateName::Executed, MINUTES).await;
}

#[tokio::test(start_paused = true)]
async fn creates_that_cannot_be_intended_hold_no_leave_to_call() {
    let world = World::new([]).await;
    // More than may be on their way at once.
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(world.submit(&format!("lock-{n}")).await);
    }
    world.between.set_full(Full::Everything);
    world.until(100).await;
    assert!(world.provider.creates().len() < 40);
    // Somebody else can still call.
    let account = orderkeep_core::AccountId::main();
    let rates = world.engine.rates(&account);
    tokio::time::timeout(Duration::from_secs(5), rates).await.unwrap().unwrap();
    world.between.set_full(Full::Nothing);
    for id in ids {
        world
            .wait(id, "sent", Duration::from_secs(30), |order| order.state.bound().is_some())
            .await;
    }
    assert_eq!(world.provider.creates().len(), 40);
    assert_eq!(world.provider.most_orders_of_one_lock(), 1);
}

/// An error while it is worked off.
///
/// It stays, durable, until it is worked off; only what was taken in counts as seen.
#[tokio::test(start_paused = true)]
async fn c18_an_error_while_it_is_worked_off() {
    let world = World::new([Says::LostAfterMade]).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "unknown", MINUTES, Order::create_unknown).await;
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    world.between.set_full(Full::Everything);
    let refused = world.hear(world.provider.webhook_of(&made)).await;
    assert!(refused.is_err(), "{refused:?}");
    world.between.set_full(Full::Nothing);
    world.hear(world.provider.webhook_of(&made)).await.unwrap();
    // It is taken in, and there is no room again before it is worked off.
    world.between.set_full(Full::Everything);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(world.order(id).await.create_unknown());
    world.between.set_full(Full::Nothing);
    world.wait(id, "bound", Duration::from_secs(35), |order| order.state.bound().is_some()).await;
    world.worked_off().await;
}

/// Found by the simulator, seed 27654: the read that shows a webhook to be nobody's comes when the disk is full, and
/// nobody came back to strike it out of the inbox.
#[tokio::test(start_paused = true)]
async fn a_webhook_that_is_given_up_while_the_disk_is_full_leaves_the_inbox_after() {
    let world = World::new([]).await;
    let foreign = world.provider.makes(&lock("lock-of-another"));
    world.hear(world.provider.webhook_of(&foreign)).await.unwrap();
    tokio::time::sleep(MINUTES).await;
    assert_eq!(world.store.inbox_len(), 1);
    world.between.set_full(Full::Everything);
    tokio::time::sleep(PARKED_FOR * 3).await;
    assert_eq!(world.store.inbox_len(), 1);
    world.between.set_full(Full::Nothing);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(world.store.inbox_len(), 0);
}

/// Found by the simulator, seeds 636722 and 735725: a step that only time asked for waited for room; when there was some,
/// the order's window was over as well, and it was given up although nobody had been seen meanwhile.
#[tokio::test(start_paused = true)]
async fn what_time_decides_after_a_full_disk_is_not_decided_blind() {
    let world = World::new([Says::LostAfterMade]).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "unknown", MINUTES, Order::create_unknown).await;
    // A question is due, and there is no room for it; then the provider goes, and the window ends.
    world.between.set_full(Full::Everything);
    world.until(600).await;
    world.provider.set_down(true);
    tokio::time::sleep(WINDOW + MINUTES).await;
    world.between.set_full(Full::Nothing);
    tokio::time::sleep(MINUTES).await;
    let order = world.order(id).await;
    assert!(order.create_unknown(), "{:?}", order.state);
    world.provider.set_down(false);
    world.wait_for(id, StateName::Failed, MINUTES).await;
}
