//! How an engine stops: told to, dropped, or by a fault of its own.

use std::time::Duration;

use orderkeep_core::{AccountId, Order, StateName};
use orderkeep_driver::{CommandError, EngineConfig, EngineError, StartError, SubmitError};

use crate::{
    provider::{Says, Scripted},
    world::{World, config, lock, request, terms},
};

const MINUTES: Duration = Duration::from_secs(300);

/// Stopped in the middle of a call.
///
/// Seen through, or unknown after.
#[tokio::test(start_paused = true)]
async fn i8_stopped_in_the_middle_of_a_call() {
    let mut world = World::new([Says::AcceptedAfter(Duration::from_secs(5))]).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "in flight", MINUTES, |order| order.create_in_flight().is_some()).await;
    let begun = world.now();
    world.engine.shutdown().await.unwrap();
    let took = world.now().since(begun);
    assert!((4..=6).contains(&took.as_secs()), "{took:?}");
    let made = world.provider.orders_of(&lock("lock-1"));
    world.restart().await;
    let order = world.order(id).await;
    assert_eq!(order.state.bound().map(|bound| &bound.provider_order), made.first());
}

/// A call was begun, and the process ends.
///
/// Unknown, as A11: begun is not done, and it is not begun again.
#[tokio::test(start_paused = true)]
async fn f8_begun_and_the_process_ends() {
    let mut world = World::new([Says::HangsAfterMade]).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "in flight", MINUTES, |order| order.create_in_flight().is_some()).await;
    let begun = world.now();
    // Two ask at once, and neither closes the store under the other.
    let (first, second) = tokio::join!(world.engine.shutdown(), world.engine.shutdown());
    assert_eq!((first, second), (Ok(()), Ok(())));
    let took = world.now().since(begun);
    assert!((9..=11).contains(&took.as_secs()), "the grace is 10 s, it took {took:?}");
    world.restart().await;
    world.wait(id, "unknown", Duration::from_secs(1), Order::create_unknown).await;
    assert_eq!(world.provider.creates().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_second_shutdown_waits_for_the_first() {
    let world = World::new([Says::AcceptedAfter(Duration::from_secs(5))]).await;
    let id = world.submit("lock-1").await;
    world.wait(id, "in flight", MINUTES, |order| order.create_in_flight().is_some()).await;
    // The first one is given up by whoever asked for it.
    let hasty = tokio::time::timeout(Duration::from_secs(1), world.engine.shutdown()).await;
    assert!(hasty.is_err());
    let begun = world.now();
    world.engine.shutdown().await.unwrap();
    assert!(world.now().since(begun) > Duration::from_secs(3));
    assert_eq!(world.order(id).await.state_name(), StateName::Created);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_engine_answers_and_takes_nothing() {
    let world = World::new([]).await;
    let id = world.submit("lock-1").await;
    world.engine.shutdown().await.unwrap();
    let refused = world.engine.submit(request("key-2", terms("lock-2"))).await;
    assert_eq!(refused, Err(SubmitError::Engine(EngineError::ShuttingDown)));
    let retry = orderkeep_core::Command::Retry { author: "ops".parse().unwrap(), reason: None };
    let refused = world.engine.command(id, retry).await;
    assert_eq!(refused, Err(CommandError::Engine(EngineError::ShuttingDown)));
    let rates = tokio::time::timeout(MINUTES, world.engine.rates(&AccountId::main())).await;
    assert!(matches!(rates, Ok(Err(CommandError::Engine(EngineError::ShuttingDown)))));
}

/// The host drops its engine, or dies without a shutdown.
///
/// As a crash: nobody is called any more, and the next start goes on.
#[tokio::test(start_paused = true)]
async fn f13_the_host_drops_its_engine() {
    let mut world = World::new([]).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::Created, MINUTES).await;
    let other = World::new([]).await;
    world.engine = other.engine;
    tokio::time::sleep(Duration::from_secs(15)).await;
    let calls = world.provider.calls().len();
    tokio::time::sleep(MINUTES).await;
    assert_eq!(world.provider.calls().len(), calls);
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_ours_halts_the_engine_and_is_said() {
    let mut world = World::new([]).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::Created, MINUTES).await;
    world.between.panic_next();
    let why = tokio::time::timeout(Duration::from_secs(30), world.engine.halted()).await.unwrap();
    assert!(why.contains("the shard task ended") && why.contains("panicked"), "{why}");
    let refused = world.engine.submit(request("key-2", terms("lock-2"))).await;
    assert_eq!(refused, Err(SubmitError::Engine(EngineError::Halted(why.clone()))));
    let heard = world.hear(r#"{"order":"p-1"}"#).await;
    assert_eq!(heard, Err(EngineError::Halted(why).into()));
    // The next one goes on.
    world.crash().await;
    world.wait_for(id, StateName::Executed, MINUTES).await;
}

#[tokio::test(start_paused = true)]
async fn settings_that_cannot_work_are_named_at_the_start() {
    type Spoil = fn(&mut EngineConfig);
    let wrong: [(&str, Spoil); 9] = [
        ("budget.per_second", |config| config.budget.per_second = 0.0),
        ("budget.per_second", |config| config.budget.per_second = f64::NAN),
        ("budget.per_second", |config| config.budget.per_second = 1e-300),
        ("budget", |config| config.budget.concurrent = 0),
        ("budget", |config| config.budget.burst = 0),
        ("budget.open_for", |config| config.budget.open_for.1 = Duration::MAX),
        ("budget.denied_for", |config| config.budget.denied_for = Duration::MAX),
        ("shutdown_grace", |config| config.shutdown_grace = Duration::MAX),
        ("webhook_bytes_max", |config| config.webhook_bytes_max = 64 * 1024 + 1),
    ];
    for (setting, spoil) in wrong {
        let mut config = config();
        spoil(&mut config);
        let started = orderkeep_driver::Engine::builder()
            .store(std::sync::Arc::new(orderkeep_store::MemoryStore::new()))
            .account(AccountId::main(), Scripted::new([]))
            .config(config)
            .start()
            .await;
        match started {
            Err(StartError::Setting { setting: named, .. }) => assert_eq!(named, setting),
            other => panic!("{setting}: {other:?}"),
        }
    }
}
