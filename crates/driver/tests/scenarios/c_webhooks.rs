//! C. Webhooks.

use std::time::Duration;

use orderkeep_core::{OrderResult, ReviewReason, StateName};
use serde_json::json;

use super::{MINUTES, Played};
use crate::{
    provider::{Pace, Read, Scripted},
    world::World,
};

const SECOND: Duration = Duration::from_secs(1);

/// Two copies of a webhook arrive at the same time.
///
/// One task owns an order: one of them makes the step, the other says nothing new.
#[tokio::test(start_paused = true)]
async fn c2_two_copies_at_once() {
    let played = Played::of(Scripted::new([])).await;
    played.world.until(91).await;
    tokio::join!(played.hears(), played.hears());
    played.world.worked_off().await;
    played.reaches(StateName::Executed).await;
    assert!(played.count("claimed").await <= 1);
    assert_eq!(played.count("executed").await, 1);
    assert!(played.world.engine.status().await.unwrap().webhooks_duplicate >= 1);
}

/// Webhooks arrive out of order.
///
/// What is older than what is known changes nothing, and is kept as evidence that it came.
#[tokio::test(start_paused = true)]
async fn c4_webhooks_out_of_order() {
    let played = Played::of(Scripted::new([])).await;
    played.world.until(41).await;
    let confirming = played.world.provider.webhook_of(&played.made());
    played.world.until(91).await;
    played.hears().await;
    played.reaches(StateName::Executed).await;
    let before = played.order().await;
    played.world.hear(confirming).await.unwrap();
    played.world.worked_off().await;
    let after = played.passes(MINUTES).await;
    assert_eq!((after.state_name(), after.outcome), (StateName::Executed, before.outcome));
    assert_eq!(played.count("executed").await, 1);
}

/// States are skipped: the middle webhooks are lost.
///
/// The jump is taken, and the read that confirms it fills in what lies between: the address, the payment.
#[tokio::test(start_paused = true)]
async fn c5_states_are_skipped() {
    let played = Played::of(Scripted::new([])).await;
    played.reaches(StateName::Created).await;
    played.world.provider.set_down(true);
    played.world.until(100).await;
    played.hears().await;
    assert_eq!(played.order().await.state_name(), StateName::Created);
    played.world.provider.set_down(false);
    let order = played.reaches(StateName::Executed).await;
    let deposit = order.state.deposit().expect("the address");
    assert_eq!(deposit.payment.received, deposit.payment.required);
    assert_eq!((played.count("wallet_given").await, played.count("executed").await), (1, 1));
}

/// A webhook says `FAILED` after the order was executed.
///
/// Nothing is taken back on a claim: the order is read, and the read decides.
#[tokio::test(start_paused = true)]
async fn c6_a_late_failed_after_executed() {
    let played = Played::executed().await;
    let made = played.made();
    let late = json!({ "order": made.as_str(), "lock": "lock-1", "status": "failed" });
    played.world.hear(late.to_string()).await.unwrap();
    let order = played.passes(MINUTES).await;
    assert_eq!(order.state_name(), StateName::Executed);
    assert_eq!(order.outcome.as_ref().map(|outcome| outcome.result), Some(OrderResult::Executed));
    assert!(!order.needs_review() && order.hint.is_none(), "{order:#?}");
}

/// An old webhook with a good token is replayed.
///
/// No effect: what it claims is known already, or refuted by a read.
#[tokio::test(start_paused = true)]
async fn c11_an_old_webhook_is_replayed() {
    let played = Played::of(Scripted::new([])).await;
    played.reaches(StateName::AwaitingPayment).await;
    let old = played.world.provider.webhook_of(&played.made());
    played.reaches(StateName::Executed).await;
    let before = played.passes(SECOND).await;
    for _ in 0..20 {
        played.world.hear(old.clone()).await.unwrap();
    }
    played.world.worked_off().await;
    let after = played.passes(SECOND).await;
    assert_eq!((after.version, after.state_name()), (before.version, StateName::Executed));
}

/// The provider says a status that nobody knows.
///
/// It is kept as text, the order stays where it is and goes on being read; a person is asked after
/// `unknown_status_review_after`. Nothing fails by it.
#[tokio::test(start_paused = true)]
async fn c12_a_status_that_nobody_knows() {
    let played = Played::awaiting().await;
    played.world.provider.set_tells(|seen| {
        seen.status = orderkeep_core::ProviderStatus::Unknown("FROZEN".to_owned());
        seen.status_text = "FROZEN".to_owned();
    });
    let order = played.asks(ReviewReason::UnknownStatus).await;
    assert!(order.open_reviews().next().unwrap().detail.contains("FROZEN"));
    assert_eq!(order.state_name(), StateName::AwaitingPayment);
    played.world.provider.set_tells(|_| {});
    let order = played.until("known again", |order| !order.needs_review()).await;
    assert_eq!(order.state_name(), StateName::AwaitingPayment);
}

/// We are slow to work a webhook off.
///
/// It is answered once it is durable, and worked off after: nobody has to send it again.
#[tokio::test(start_paused = true)]
async fn c16_we_are_slow() {
    let played = Played::of(Scripted::new([])).await;
    played.reaches(StateName::Created).await;
    played.world.until(85).await;
    played.world.provider.next_reads([Read::Hangs; 3]);
    played.world.until(91).await;
    let before = played.world.now();
    played.hears().await;
    assert!(played.world.now().since(before) < SECOND);
    assert!(!played.order().await.state_name().is_end());
    played.until("executed", |order| order.state_name() == StateName::Executed).await;
}

/// We were down for longer than the provider tries a webhook.
///
/// Every open order is read at the start.
#[tokio::test(start_paused = true)]
async fn c20_down_for_longer_than_webhooks_are_tried() {
    let provider = Scripted::new([]);
    provider.set_pace(Pace { executed: MINUTES, ..Pace::USUAL });
    let mut world = World::with(provider, |_| {}).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::AwaitingPayment, MINUTES).await;
    world.engine.shutdown().await.unwrap();
    tokio::time::sleep(MINUTES * 2).await;
    world.restart().await;
    world.wait_for(id, StateName::Executed, Duration::from_secs(15)).await;
    assert_eq!(world.engine.status().await.unwrap().webhooks_taken, 0);
}
