//! A process that dies at any moment: what was not answered is delivered again, nothing is lost.

use orderkeep_outbox::{Outbox, OutboxConfig, Twin};

use crate::world::{Does, HOUR, World, complete};

/// Dies with its `dies_at`-th request under way, again and again; then goes on without dying. What the receiver took.
async fn killed_again_and_again(twin: Option<Twin>) -> Result<(), String> {
    for dies_at in 1..=24 {
        let world = World::new();
        let config = || OutboxConfig { twin, ..world.config() };
        let outbox = Outbox::start(world.store.clone(), config()).await.unwrap();
        world.endpoint(&outbox, "shop").await;
        world.events(3, 4).await;
        drop(outbox);
        for round in 1..=2 {
            let dies = dies_at * round;
            world.receivers.now_do(
                move |_, _, before| {
                    if before + 1 >= dies { Does::Hangs } else { Does::Takes }
                },
            );
            let outbox = Outbox::start(world.store.clone(), config()).await.unwrap();
            world.pass(HOUR / 4).await;
            drop(outbox);
        }
        world.receivers.now_do(|_, _, _| Does::Takes);
        let outbox = Outbox::start(world.store.clone(), config()).await.unwrap();
        world.pass(HOUR).await;
        complete(&world.receivers.taken("shop"), 3, 4)
            .map_err(|lost| format!("dying at request {dies_at}: {lost}"))?;
        outbox.shutdown().await;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_was_under_way_is_delivered_again() {
    assert_eq!(killed_again_and_again(None).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_moves_before_the_answer_is_caught() {
    let lost = killed_again_and_again(Some(Twin::PositionFirst)).await;
    assert!(lost.as_ref().is_err_and(|why| why.contains("never taken")), "{lost:?}");
}
