//! Calls that never return, and clients that panic: the order goes on, and nothing is posted twice.

use std::time::Duration;

use orderkeep_core::{
    Order, State, StateName,
    state::{Create, Locked},
};

use crate::{
    provider::{Read, Says},
    world::{World, lock},
};

const MINUTES: Duration = Duration::from_secs(300);

fn why_unknown(order: &Order) -> &str {
    let State::Locked(Locked { create: Create::Unknown { why, .. } }) = &order.state else {
        panic!("{:?} is not unknown", order.state)
    };
    why
}

#[tokio::test(start_paused = true)]
async fn a_create_without_an_answer_in_time_is_unknown_and_its_late_answer_counts() {
    let world = World::new([Says::AcceptedAfter(Duration::from_secs(45))]).await;
    let id = world.submit("lock-1").await;
    // The policy's 30 s.
    world.until(29).await;
    assert!(world.order(id).await.create_in_flight().is_some());
    let order = world.wait(id, "unknown", Duration::from_secs(2), Order::create_unknown).await;
    // Whoever sent it still waits: nobody ended, and the history must not say so.
    assert_eq!(why_unknown(&order), "no answer in time");
    world.until(44).await;
    assert!(world.order(id).await.create_unknown());
    let made = world.provider.orders_of(&lock("lock-1"));
    let order =
        world.wait(id, "bound", Duration::from_secs(2), |o| o.state.bound().is_some()).await;
    assert_eq!(order.state.bound().map(|bound| &bound.provider_order), made.first());
    assert_eq!(world.provider.creates().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn calls_that_never_return_give_their_places_back() {
    // As many as may be on their way at once.
    let world = World::new([Says::HangsAfterMade; 16]).await;
    for n in 0..16 {
        world.submit(&format!("hangs-{n}")).await;
    }
    world.until(2).await;
    assert_eq!(world.provider.creates().len(), 16);
    let id = world.submit("lock-1").await;
    world.until(100).await;
    assert_eq!(world.provider.creates().len(), 16, "no place was free before");
    world.wait_for(id, StateName::Created, Duration::from_secs(30)).await;
    assert_eq!(world.provider.creates().len(), 17);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_ends_in_a_panic_is_unknown_and_never_posted_again() {
    let world = World::new([Says::PanicsAfterMade]).await;
    let id = world.submit("lock-1").await;
    let order = world.wait(id, "unknown", Duration::from_secs(2), Order::create_unknown).await;
    let why = why_unknown(&order);
    assert!(why.contains("in our own code"), "{why}");
    world.until(200).await;
    assert_eq!(world.provider.creates().len(), 1);
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    world.hear(world.provider.webhook_of(&made)).await.unwrap();
    world.wait_for(id, StateName::Executed, MINUTES).await;
}

/// A read fails.
///
/// The wake-up is moved, never lost; where others are answered, its age asks a person.
#[tokio::test(start_paused = true)]
async fn d3_a_read_fails() {
    for wrong in [Read::Hangs, Read::Panics] {
        let world = World::new([]).await;
        world.provider.next_reads([wrong; 3]);
        let id = world.submit("lock-1").await;
        world.wait_for(id, StateName::Executed, Duration::from_secs(600)).await;
        assert_eq!(world.provider.creates().len(), 1, "{wrong:?}");
    }
}
