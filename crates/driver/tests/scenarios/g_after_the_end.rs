//! G. After the end.

use std::time::Duration;

use orderkeep_core::{
    OrderResult, Policy, ProviderStatus, ReviewReason, StateName, Terms, TransactionHash,
};
use orderkeep_driver::{EngineConfig, Retention, SubmitError};

use super::{HOURS, MINUTES, Played};
use crate::{
    provider::Scripted,
    world::{World, config, exact, request, terms},
};

/// A webhook or a read comes after the end.
///
/// It is a copy, it is older, or it is a fact of its own; the state never changes again.
#[tokio::test(start_paused = true)]
async fn g1_an_event_after_the_end() {
    let played = Played::executed().await;
    let before = played.passes(MINUTES).await;
    played.hears().await;
    played.hears().await;
    played.world.worked_off().await;
    let after = played.passes(HOURS).await;
    assert!(!after.needs_review());
    assert_eq!((after.state_name(), after.outcome), (StateName::Executed, before.outcome));
}

/// It was executed, and then taken back.
///
/// `Executed` stays in its history; the reversal is a fact of its own that is told downstream, and a person is asked.
#[tokio::test(start_paused = true)]
async fn g2_executed_and_then_taken_back() {
    let played = Played::executed().await;
    played.world.provider.set_tells(|seen| seen.status = ProviderStatus::Reversed);
    let order = played.asks(ReviewReason::Reversed).await;
    assert_eq!(order.state_name(), StateName::Executed);
    assert_eq!(order.outcome.unwrap().result, OrderResult::Reversed);
    assert_eq!((played.count("executed").await, played.count("reversed").await), (1, 1));
}

/// It failed, and then the provider says that it was executed.
///
/// A correction, only by a read, told downstream as such; the state stays, `outcome` follows, and a person is asked.
#[tokio::test(start_paused = true)]
async fn g3_failed_and_then_executed() {
    let played = Played::awaiting().await;
    played.world.provider.set_tells(|seen| seen.status = ProviderStatus::Failed);
    played.reaches(StateName::Failed).await;
    played.world.provider.set_tells(|seen| {
        seen.status = ProviderStatus::Executed;
        seen.received = Some(exact("100"));
    });
    let order = played.asks(ReviewReason::Corrected).await;
    assert_eq!(order.state_name(), StateName::Failed);
    assert_eq!(order.outcome.unwrap().result, OrderResult::Executed);
    assert_eq!(played.count("corrected").await, 1);
}

/// It was let go of after the retention, and then a late payment is heard of.
///
/// Its key, its lock and the provider's order stay known: the webhook is matched and finished, not parked as a stranger's,
/// and neither the key nor the lock begins anything a second time.
#[tokio::test(start_paused = true)]
async fn g6_a_late_payment_for_an_order_that_was_let_go_of() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let policy = Policy { watch_after_end: HOUR, ..config().policy };
    let config = EngineConfig { policy, ..config() };
    let world = World::configured(Scripted::new([]), config, []).await;
    let id = world.submit("lock-1").await;
    let played = Played { world, id };
    played.reaches(StateName::Executed).await;
    let made = played.made();
    let retention = Retention { keep: 2 * HOUR, tombstones: None };
    played.world.engine.retain(retention, Vec::new()).await;
    // It is listened to for an hour, and kept for two more.
    tokio::time::sleep(2 * HOUR).await;
    assert!(played.world.engine.order(played.id).await.unwrap().is_some());
    tokio::time::sleep(2 * HOUR).await;
    assert_eq!(played.world.engine.order(played.id).await.unwrap(), None);
    let reads = played.world.provider.reads_of(&made);
    played.world.hear(played.world.provider.webhook_of(&made)).await.unwrap();
    played.world.worked_off().await;
    tokio::time::sleep(HOUR).await;
    assert_eq!(played.world.provider.reads_of(&made), reads, "it is asked about");
    let fresh = Terms { expires_at: played.world.now().plus(HOURS), ..terms("lock-1") };
    let again = played.world.engine.submit(request("lock-1", fresh.clone())).await;
    assert_eq!(again, Err(SubmitError::KeyLeft("lock-1".to_owned())));
    let again = played.world.engine.submit(request("another", fresh)).await;
    assert_eq!(again, Err(SubmitError::LockLeft("lock-1".to_owned())));
    assert_eq!(played.world.store.check().unwrap().problems, Vec::<String>::new());
    let gone = played.world.engine.events(None, 10).await.unwrap();
    assert!(gone.events.iter().all(|event| event.order_id != played.id));
}

/// The last facts (the hash, the amount) come after the end.
///
/// The end stands, and they are filled in; nobody is asked for it.
#[tokio::test(start_paused = true)]
async fn g7_the_last_facts_come_after_the_end() {
    let provider = Scripted::new([]);
    provider.set_tells(|seen| {
        if seen.status == ProviderStatus::Executed {
            seen.received = None;
        }
    });
    let played = Played::of(provider).await;
    let order = played.reaches(StateName::Executed).await;
    assert!(order.state.deposit().unwrap().payment.transactions.is_empty());
    played.world.provider.set_tells(|seen| {
        seen.received = Some(exact("100"));
        seen.transactions = vec![TransactionHash::new("0xlate").unwrap()];
    });
    let order = played
        .until("filled in", |order| order.state.deposit().unwrap().payment.transactions.len() == 1)
        .await;
    assert_eq!((order.state_name(), order.needs_review()), (StateName::Executed, false));
    assert_eq!(played.count("executed").await, 1);
}
