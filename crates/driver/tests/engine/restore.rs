//! A machine is lost and an older copy of its store takes over: nothing is made twice, nothing that the provider knows is
//! lost, and nothing is released before a person says so.
//!
//! The provider's ledger is the judge: it has seen both lives.

use std::time::Duration;

use orderkeep_core::{
    AccountId, Author, Cause, Command, Currency, Network, Order, ReviewReason,
    SecondOrderAcknowledged, StateName,
};
use orderkeep_driver::{EngineError, LiftError, SubmitRequest, TermsSource};
use orderkeep_provider::LockRequest;
use orderkeep_store::{MemoryStore, Store, Tuning};
use uuid::Uuid;

use crate::{
    provider::Says,
    world::{LOCK_ENDS, WINDOW, World, exact, lock, request, terms},
};

const MINUTES: Duration = Duration::from_secs(300);

fn author() -> Author {
    Author::new("night-shift").unwrap()
}

fn is_open(order: &Order, reason: ReviewReason) -> bool {
    order.has_open(reason)
}

/// An order that was copied before its create was sent, which the lost life then sent.
async fn copied_before_its_create(world: &mut World) -> (orderkeep_core::OrderId, MemoryStore) {
    world.provider.set_down(true);
    let id = world.submit("lock-1").await;
    let copy = world.backup();
    world.provider.set_down(false);
    (id, copy)
}

/// Yesterday's backup is restored.
///
/// What the copy does not know counts as possible: nothing is posted that may have been, every open order is read
/// first, and a person lifts the hold.
#[tokio::test(start_paused = true)]
async fn i7_yesterdays_backup() {
    let mut world = World::new([]).await;
    let (id, copy) = copied_before_its_create(&mut world).await;
    world.wait_for(id, StateName::Created, MINUTES).await;
    world.restore(copy).await;
    let order = world.order(id).await;
    assert!(order.create_unknown() && is_open(&order, ReviewReason::ExposurePossible));
    // Neither its lock's end nor the provider's window says anything about the other life.
    world.until(LOCK_ENDS + 10).await;
    tokio::time::sleep(WINDOW + MINUTES).await;
    assert_eq!(world.order(id).await.state_name(), StateName::Locked);
    assert_eq!(world.provider.creates().len(), 1);
    // The next webhook of its order brings it back.
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    world.hear(world.provider.webhook_of(&made)).await.unwrap();
    let found = world.wait_for(id, StateName::Executed, MINUTES).await;
    assert_eq!(found.state.bound().unwrap().provider_order, made);
    assert!(!is_open(&found, ReviewReason::ExposurePossible));
    assert_eq!(world.provider.most_orders_of_one_lock(), 1);
}

/// The twin: the same copy as the same life of the store makes the second order, and the same ledger shows it.
#[tokio::test(start_paused = true)]
async fn a_copy_that_does_not_know_that_it_is_one_makes_a_second_order() {
    let mut world = World::new([]).await;
    world.provider.set_down(true);
    let id = world.submit("lock-1").await;
    let copy =
        MemoryStore::over(world.store.engine_copy().unwrap(), Uuid::nil(), Tuning::embedded());
    world.provider.set_down(false);
    world.wait_for(id, StateName::Created, MINUTES).await;
    world.restore(copy.unwrap()).await;
    world.wait_for(id, StateName::Created, MINUTES).await;
    assert_eq!(world.provider.creates().len(), 2);
    assert_eq!(world.provider.most_orders_of_one_lock(), 2);
}

#[tokio::test(start_paused = true)]
async fn orders_at_the_provider_are_read_first_and_their_address_waits_for_it() {
    let mut world = World::new([]).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::AwaitingPayment, MINUTES).await;
    let copy = world.backup();
    world.wait_for(id, StateName::Executed, MINUTES).await;
    world.provider.set_down(true);
    world.restore(copy).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let unread = world.order(id).await;
    assert_eq!(unread.state_name(), StateName::AwaitingPayment);
    assert!(is_open(&unread, ReviewReason::UnreadSinceRestore));
    assert_eq!(unread.payable_address(), None, "the payer would pay a second time");
    world.provider.set_down(false);
    let order = world.wait_for(id, StateName::Executed, MINUTES).await;
    assert!(!order.needs_review());
    assert_eq!(world.provider.creates().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_order_comes_back_with_its_webhook_and_waits_for_a_person() {
    let mut world = World::new([]).await;
    let copy = world.backup();
    let lost = world.submit("lock-1").await;
    world.wait_for(lost, StateName::Created, MINUTES).await;
    world.restore(copy).await;
    assert_eq!(world.engine.order(lost).await.unwrap(), None);
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    for _ in 0..3 {
        world.hear(world.provider.webhook_of(&made)).await.unwrap();
    }
    world.worked_off().await;
    let rebuilt =
        world.engine.order_by_provider_order(&AccountId::main(), &made).await.unwrap().unwrap();
    assert!(is_open(&rebuilt, ReviewReason::Rebuilt));
    assert_eq!(world.engine.history(rebuilt.id, 0, 1).await.unwrap()[0].1.cause, Cause::Restore);
    // It is carried to its end like any other, and its lock makes no second one.
    world.wait_for(rebuilt.id, StateName::Executed, MINUTES).await;
    assert!(world.engine.submit(request("key-1", terms("lock-1"))).await.is_err());
    assert_eq!(world.provider.creates().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lock_of_the_life_before_is_held_and_one_of_this_life_is_not() {
    let mut world = World::new([]).await;
    let copy = world.backup();
    // Lost with the machine: the partner's service still has its lock, and submits it again.
    let lost = world.submit("lock-1").await;
    world.wait_for(lost, StateName::Created, MINUTES).await;
    world.restore(copy).await;
    let again = world.engine.submit(request("key-1", terms("lock-1"))).await.unwrap();
    assert!(!again.replayed && is_open(&again.order, ReviewReason::ExposurePossible));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.provider.creates().len(), 1);
    // A crash changes nothing about it.
    world.crash().await;
    let replayed = world.engine.submit(request("key-1", terms("lock-1"))).await.unwrap();
    assert_eq!((replayed.order.id, replayed.replayed), (again.order.id, true));
    let held = world.engine.submit(request("key-2", terms("lock-2"))).await.unwrap();
    assert!(is_open(&held.order, ReviewReason::ExposurePossible));
    // Business goes on with locks that this life takes.
    let wanted = LockRequest {
        amount: exact("84"),
        currency: Currency::new("usdc").unwrap(),
        network: Network::new("polygon").unwrap(),
    };
    let taken = world.engine.lock(&AccountId::main(), wanted).await.unwrap();
    let fresh = SubmitRequest {
        terms: TermsSource::Lock(taken.lock_id.clone()),
        ..request("key-3", taken)
    };
    let fresh = world.engine.submit(fresh).await.unwrap().order.id;
    world.wait_for(fresh, StateName::Created, MINUTES).await;
    assert_eq!(world.provider.most_orders_of_one_lock(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_person_lifts_the_hold_with_a_reason_on_record_and_for_good() {
    let mut world = World::new([]).await;
    let refused = world.engine.lift_restore_hold(author(), "no restore").await;
    assert_eq!(refused, Err(LiftError::NotRestored));
    let held_id = {
        let copy = world.backup();
        world.restore(copy).await;
        world.engine.submit(request("key-1", terms("lock-1"))).await.unwrap().order.id
    };
    let restore = world.engine.status().await.unwrap().restore.unwrap();
    assert_eq!(restore.lifted, None);
    assert!(matches!(
        world.engine.lift_restore_hold(author(), " ").await,
        Err(LiftError::Reason(_))
    ));
    let why = "nothing was submitted after the backup";
    world.engine.lift_restore_hold(author(), why).await.unwrap();
    world.crash().await;
    let lifted = world.engine.status().await.unwrap().restore.unwrap().lifted.unwrap();
    assert_eq!((lifted.author, lifted.reason.as_str()), (author(), why));
    // A second one does not take the first one's place.
    let second = world.engine.lift_restore_hold(Author::new("other").unwrap(), "me too").await;
    assert_eq!(second.unwrap().lifted.unwrap().author, author());
    let free = world.engine.submit(request("key-2", terms("lock-2"))).await.unwrap().order.id;
    world.wait_for(free, StateName::Created, MINUTES).await;
    // What was held is released by name, not by the way.
    assert!(world.order(held_id).await.create_unknown());
    let acknowledge = Command::Resolve {
        author: author(),
        resolution: orderkeep_core::Resolution::Acknowledge(Some(ReviewReason::ExposurePossible)),
        note: "asked the provider".to_owned(),
    };
    world.engine.command(held_id, acknowledge).await.unwrap();
    let post = Command::PostAgain {
        author: author(),
        acknowledged: SecondOrderAcknowledged { lock_id: lock("lock-1") },
        reason: None,
    };
    world.engine.command(held_id, post).await.unwrap();
    world.wait_for(held_id, StateName::Created, MINUTES).await;
}

/// A stranger's order at the provider is rebuilt only while the hold stands.
#[tokio::test(start_paused = true)]
async fn strangers_are_strangers_again_after_the_hold() {
    let mut world = World::new([]).await;
    let copy = world.backup();
    world.restore(copy).await;
    world.engine.lift_restore_hold(author(), "all accounted for").await.unwrap();
    let foreign = world.provider.makes(&lock("lock-of-another"));
    world.hear(world.provider.webhook_of(&foreign)).await.unwrap();
    tokio::time::sleep(MINUTES).await;
    let found = world.engine.order_by_provider_order(&AccountId::main(), &foreign).await.unwrap();
    assert_eq!(found, None);
}

/// The power goes at every commit of the first start after a restore: the next one begins again, and nothing is sent.
#[tokio::test(start_paused = true)]
async fn a_start_that_dies_in_between_begins_again() {
    for dies_at in 1..=8 {
        let mut world = World::new([Says::LostAfterMade]).await;
        world.provider.set_down(true);
        let mut ids = Vec::new();
        for n in 0..3 {
            ids.push(world.submit(&format!("lock-{n}")).await);
        }
        let copy = world.backup();
        world.provider.set_down(false);
        tokio::time::sleep(MINUTES).await;
        let sent = world.provider.creates().len();
        world.restore_dying(copy, dies_at).await;
        for id in &ids {
            let order = world.order(*id).await;
            assert!(is_open(&order, ReviewReason::ExposurePossible), "{dies_at}: {order:#?}");
            let told = world.events(*id).await;
            assert_eq!(told.iter().filter(|name| **name == "restored").count(), 1, "{dies_at}");
        }
        tokio::time::sleep(MINUTES).await;
        assert_eq!(world.provider.creates().len(), sent);
        assert_eq!(world.engine.status().await.unwrap().restore.unwrap().orders, 3);
    }
}

/// Found by the simulator: a copy was restored onto a full volume, its orders were told when there was room, and the record
/// of the restore, which came next, met none: the engine did not start.
#[tokio::test(start_paused = true)]
async fn a_restored_engine_waits_for_room_before_it_starts() {
    for orders in [0, 2] {
        let mut world = World::new([]).await;
        for n in 0..orders {
            world.submit(&format!("lock-{n}")).await;
        }
        let copy = world.backup();
        world.restore_full(copy, Duration::from_secs(30)).await;
        let restore = world.engine.status().await.unwrap().restore.unwrap();
        assert_eq!((restore.orders, restore.lifted), (orders, None));
    }
}

/// A cursor of the life before is told so, and where to begin.
#[tokio::test(start_paused = true)]
async fn a_follower_of_the_life_before_is_told() {
    let mut world = World::new([]).await;
    world.submit("lock-1").await;
    let cursor = world.engine.subscribe(None).next().await.unwrap().cursor;
    let copy = world.backup();
    world.restore(copy).await;
    let told = world.engine.subscribe(Some(cursor)).next().await;
    let Err(EngineError::CursorGone { oldest }) = told else { panic!("{told:?}") };
    assert_eq!(oldest.incarnation, world.store.incarnation().id);
    assert!(world.engine.subscribe(None).next().await.is_ok());
    assert_ne!(world.store.incarnation().id, cursor.incarnation);
}
