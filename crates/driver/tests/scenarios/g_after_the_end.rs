//! G. After the end.

use orderkeep_core::{OrderResult, ProviderStatus, ReviewReason, StateName, TransactionHash};

use super::{HOURS, MINUTES, Played};
use crate::{provider::Scripted, world::exact};

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
