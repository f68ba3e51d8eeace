//! What waits, waits within bounds, and nothing that must not be lost is refused for them.

use std::time::Duration;

use orderkeep_core::{Command, StateName, Terms};
use orderkeep_driver::{CommandError, EngineConfig, EngineError, WebhookError};

use crate::{
    provider::{Pace, Says, Scripted},
    world::{World, at, config, lock, request, terms},
};

/// Inputs from outside that may wait for one order.
const QUEUE: usize = 256;

fn note(n: usize) -> Command {
    Command::Note { author: "ops".parse().unwrap(), text: format!("note {n}") }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_commands_and_keeps_the_creates_answer() {
    let world = World::new([Says::AcceptedAfter(Duration::from_secs(2))]).await;
    let id = world.submit("lock-1").await;
    world.until(1).await;
    assert_eq!(world.provider.creates().len(), 1);
    // The store is stuck; commands come all the same, and then the answer.
    world.between.set_holds(true);
    let mut asked = Vec::new();
    for n in 0..QUEUE + 100 {
        let engine = world.engine.clone();
        asked.push(tokio::spawn(async move { engine.command(id, note(n)).await }));
        tokio::task::yield_now().await;
    }
    world.until(10).await;
    world.between.set_holds(false);
    let mut refused = 0;
    for answer in asked {
        match answer.await.unwrap() {
            Ok(_) => {}
            Err(CommandError::Engine(EngineError::Busy(_))) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    // One is being worked on, and so many wait.
    assert_eq!(refused, 100 - 1);
    let made = world.provider.orders_of(&lock("lock-1"));
    let order = world.order(id).await;
    assert_eq!(order.state.bound().map(|bound| &bound.provider_order), made.first());
    let events = world.events(id).await;
    assert_eq!(events.iter().filter(|name| **name == "bound").count(), 1);
    assert!(!events.contains(&"create_unknown"), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_full_inbox_refuses_and_takes_again_when_it_is_worked_off() {
    let small = EngineConfig { inbox_max: 5, ..config() };
    let world = World::configured(Scripted::new([]), small, []).await;
    world.provider.set_down(true);
    for n in 0..5 {
        world.hear(format!(r#"{{"order":"stranger-{n}","status":"executed"}}"#)).await.unwrap();
    }
    let refused = world.hear(r#"{"order":"one-more","status":"executed"}"#).await;
    assert!(matches!(refused, Err(WebhookError::Engine(EngineError::Busy(_)))), "{refused:?}");
    world.provider.set_down(false);
}

/// The store cannot take it.
///
/// Answered with 5xx, so that the provider sends it again; never acknowledged and forgotten.
#[tokio::test(start_paused = true)]
async fn c15_the_store_cannot_take_it() {
    let world = World::new([]).await;
    world.between.set_refuses_webhooks(true);
    let refused = world.hear(r#"{"order":"p-1","status":"executed"}"#).await;
    assert!(matches!(refused, Err(WebhookError::Engine(_))), "{refused:?}");
    assert_eq!(world.engine.status().await.unwrap().webhooks_taken, 0);
}

/// More reads want to be made than the budget can ever take.
#[tokio::test(start_paused = true)]
async fn a_create_goes_out_in_time_whatever_else_waits() {
    let provider = Scripted::new([]);
    let never = Duration::from_secs(1_000_000);
    provider.set_pace(Pace { wallet: never, confirming: never, executed: never });
    let world = World::configured(provider, config(), []).await;
    for n in 0..2_200 {
        let terms = Terms { expires_at: at(1_000), ..terms(&format!("old-{n}")) };
        world.engine.submit(request(&format!("old-{n}"), terms)).await.unwrap();
    }
    world.until(400).await;
    assert_eq!(world.provider.creates().len(), 2_200);
    let reads = world.provider.reads().len();
    for round in 0..5 {
        let name = format!("new-{round}");
        let terms = Terms { expires_at: at(430 + round * 30), ..terms(&name) };
        let taken = world.engine.submit(request(&name, terms)).await.unwrap();
        world.wait_for(taken.order.id, StateName::Created, Duration::from_secs(5)).await;
        world.until(430 + round * 30).await;
    }
    // And the budget is used.
    let read = world.provider.reads().len() - reads;
    assert!(read > 150 * 20 * 9 / 10, "{read} reads in 150 s");
}

#[tokio::test(start_paused = true)]
async fn many_creates_do_not_starve_the_reads() {
    let world = World::new([]).await;
    let first = world.submit("lock-1").await;
    world.wait_for(first, StateName::Created, Duration::from_secs(5)).await;
    for n in 0..1_000 {
        let terms = Terms { expires_at: at(1_000), ..terms(&format!("new-{n}")) };
        world.engine.submit(request(&format!("new-{n}"), terms)).await.unwrap();
    }
    world.wait_for(first, StateName::AwaitingPayment, Duration::from_secs(10)).await;
    assert!(world.provider.creates().len() < 500, "the creates are not over yet");
}
