//! A step that was made of an older version than the store has: it is made again of what is there, and not for ever.

use std::time::Duration;

use orderkeep_core::{Author, Command, StateName};
use orderkeep_driver::{CommandError, EngineError};

use crate::{
    provider::{Pace, Scripted},
    world::World,
};

const MINUTES: Duration = Duration::from_secs(300);
const NEVER: Duration = Duration::from_secs(100_000_000);

fn note(text: &str) -> Command {
    let author: Author = "ops".parse().unwrap();
    Command::Note { author, text: text.to_owned() }
}

#[tokio::test(start_paused = true)]
async fn a_step_of_an_older_version_is_made_again_five_times_and_not_for_ever() {
    let provider = Scripted::new([]);
    provider.set_pace(Pace { confirming: NEVER, executed: NEVER, ..Pace::USUAL });
    let world = World::with(provider, |_| {}).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::AwaitingPayment, MINUTES).await;
    tokio::time::sleep(MINUTES).await;
    let noted =
        || async { world.events(id).await.into_iter().filter(|name| *name == "noted").count() };
    world.between.set_conflicts(5);
    world.engine.command(id, note("five times")).await.unwrap();
    assert_eq!(noted().await, 1);
    world.between.set_conflicts(6);
    let refused = world.engine.command(id, note("once too often")).await;
    assert!(matches!(refused, Err(CommandError::Engine(EngineError::Store(_)))), "{refused:?}");
    assert_eq!(noted().await, 1);
    // The order is none the worse for it.
    world.engine.command(id, note("after")).await.unwrap();
    assert_eq!(noted().await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_command_for_one_version_alone_is_taken_only_at_that_version() {
    let provider = Scripted::new([]);
    provider.set_pace(Pace { confirming: NEVER, executed: NEVER, ..Pace::USUAL });
    let world = World::with(provider, |_| {}).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::AwaitingPayment, MINUTES).await;
    tokio::time::sleep(MINUTES).await;
    let version = world.order(id).await.version;
    for other in [version - 1, version + 1] {
        let refused = world.engine.command_at(id, Some(other), note("no")).await;
        assert_eq!(refused, Err(CommandError::Moved { order: id, version }));
    }
    let taken = world.engine.command_at(id, Some(version), note("yes")).await.unwrap();
    assert_eq!(taken.order.version, version + 1);
}
