//! Whoever follows the feed: keeps its place with what it did, as the documents say, and goes on from there.

use std::sync::Arc;

use orderkeep_core::Event;
use orderkeep_driver::{Engine, EngineError, FeedEvent};

use crate::world::Shared;

/// Follows until the engine is gone.
pub(crate) async fn follow(shared: Arc<Shared>, engine: Engine) {
    let cursor = shared.world().watcher.cursor();
    let mut feed = engine.subscribe(cursor);
    loop {
        let next = feed.next().await;
        let looked = {
            let mut world = shared.world();
            if world.is_dead() {
                return;
            }
            match next {
                Ok(event) => {
                    let (id, moves) = (event.order_id, is_worth_a_look(&event.record.event));
                    world.say("feed", || words(&event));
                    world.hear(event);
                    world.sale_of(id).filter(|_| moves).map(|sale| (sale, id))
                }
                Err(EngineError::CursorGone { .. }) if world.watcher.begins_again() => {
                    feed = engine.subscribe(None);
                    continue;
                }
                Err(EngineError::ShuttingDown | EngineError::Halted(_)) => return,
                Err(error) => {
                    world.violated("the feed goes on from every cursor", error.to_string());
                    None
                }
            }
        };
        shared.poke.notify_one();
        let Some((sale, id)) = looked else { continue };
        // What is shown to the payer is what the engine says now, not what the event said.
        if let Ok(Some(order)) = engine.order(id).await {
            let mut world = shared.world();
            if world.is_dead() {
                return;
            }
            if let Some(address) = order.payable_address() {
                world.shown(sale, address.as_str());
            }
            drop(world);
            shared.poke.notify_one();
        }
    }
}

fn words(event: &FeedEvent) -> String {
    let record = &event.record;
    format!("{} {}: {} by {:?}", event.order_id, event.version, record.event.name(), record.cause)
}

const fn is_worth_a_look(event: &Event) -> bool {
    matches!(event, Event::WalletGiven { .. } | Event::ReviewSettled { .. } | Event::Read { .. })
}
