//! I. Running it.

use std::time::Duration;

use orderkeep_core::{Command, Policy, ReviewReason, StateName};
use orderkeep_driver::OrderList;

use super::{NEVER, Played, ops};
use crate::{
    provider::{Pace, Scripted},
    world::{World, config, exact},
};

/// An order is stuck.
///
/// Every state has an age after which a person is asked: the order is in the list of reviews, with its cause, the next
/// act of the engine, and the commands that settle it.
#[tokio::test(start_paused = true)]
async fn i1_an_order_is_stuck() {
    let provider = Scripted::new([]);
    provider.set_pace(Pace { wallet: NEVER, confirming: NEVER, executed: NEVER });
    let played = Played::of(provider).await;
    played.asks(ReviewReason::WalletLate).await;
    let list = OrderList { review: true, limit: 10, ..OrderList::default() };
    let listed = played.world.engine.orders(&list).await.unwrap();
    assert_eq!(listed.iter().map(|order| order.id).collect::<Vec<_>>(), [played.id]);
    let said = played.world.engine.explain(played.id).await.unwrap().unwrap();
    assert_eq!(said.questions.len(), 1);
    assert!(!said.questions[0].commands.is_empty() && !said.next.is_empty());
    assert!(said.next_at.is_some());
}

/// A day later: why is this order here?
///
/// Every input and every decision is kept, in order and with its cause, and told as sentences: `orderkeep orders explain`.
#[tokio::test(start_paused = true)]
async fn i2_why_is_this_order_here() {
    let played = Played::executed().await;
    tokio::time::sleep(Duration::from_secs(24 * 3_600)).await;
    let said = played.world.engine.explain(played.id).await.unwrap().unwrap();
    let events = played.history().await;
    assert_eq!(said.evidence.len(), events.len());
    assert!(said.evidence.iter().all(|evidence| !evidence.said.is_empty()));
    assert!(!said.why.is_empty());
}

/// Many orders are to be looked at again after a fault.
///
/// First a dry run: `orderkeep orders explain` judges what an order read, heard and let time decide again by the rules and
/// settings of today, and says what would come to something else. Then `orderkeep orders retry` reads each of them now,
/// by whoever asks and with their reason on record; it never posts an unknown create again.
#[tokio::test(start_paused = true)]
async fn i3_many_orders_are_looked_at_again() {
    let mut played = Played::awaiting().await;
    let mut ids = vec![played.id];
    for n in 2..12 {
        ids.push(played.world.submit(&format!("lock-{n}")).await);
    }
    for id in &ids {
        played.world.wait_for(*id, StateName::AwaitingPayment, super::MINUTES).await;
    }
    // A tolerance of which nobody had thought: the dry run finds whom it concerns, and does nothing.
    played.world.provider.set_tells(|seen| seen.required = Some(exact("100.2")));
    played.asks(ReviewReason::TermsMismatch).await;
    let concerned = |world: &World, id| {
        let engine = world.engine.clone();
        async move {
            let said = engine.explain(id).await.unwrap().unwrap();
            said.why.iter().any(|why| why.contains("of today"))
        }
    };
    assert!(!concerned(&played.world, played.id).await);
    let before = played.order().await.version;
    let policy = Policy { amount_tolerance: exact("0.5"), ..config().policy };
    played.world.restart_with(policy).await;
    assert!(concerned(&played.world, played.id).await);
    assert_eq!(played.order().await.version, before);
    played.world.provider.set_tells(|_| {});
    let before = played.world.provider.reads().len();
    for id in &ids {
        let retry = Command::Retry { author: ops(), reason: Some("after the fault".to_owned()) };
        played.world.engine.command(*id, retry).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(played.world.provider.reads().len() - before >= ids.len());
    assert_eq!(played.world.provider.creates().len(), ids.len());
}
