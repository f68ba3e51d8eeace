//! D. Polling and reconciliation.

use std::time::Duration;

use orderkeep_core::{PaymentKind, ReviewReason, StateName};

use super::{MINUTES, Played};
use crate::world::exact;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A slow read comes back after a newer webhook was taken in.
///
/// A read is as old as its start: it takes nothing back, and what was heard meanwhile is read again.
#[tokio::test(start_paused = true)]
async fn d2_a_slow_read_comes_back_after_a_newer_webhook() {
    let played = Played::of(crate::provider::Scripted::new([])).await;
    played.reaches(StateName::AwaitingPayment).await;
    // Reads that begin before the payment at 40 s and end long after it.
    played.world.provider.set_reads_take(Duration::from_secs(20));
    played.world.until(41).await;
    played.hears().await;
    played
        .until("paid", |order| {
            order.state.deposit().is_some_and(|deposit| !deposit.payment.received.is_zero())
        })
        .await;
    let mut paid = false;
    for _ in 0..40 {
        let order = played.passes(Duration::from_secs(1)).await;
        let now = !order.state.deposit().unwrap().payment.received.is_zero();
        assert!(now || !paid, "taken back");
        paid = now;
    }
}

/// Reads fail for half a day.
///
/// Slower, never never: the order keeps its wake-up and its place, nothing is decided, and it goes on when the provider
/// is back.
#[tokio::test(start_paused = true)]
async fn d4_reads_fail_for_half_a_day() {
    let played = Played::of(crate::provider::Scripted::new([])).await;
    played.reaches(StateName::AwaitingPayment).await;
    played.world.provider.set_down(true);
    for _ in 0..4 {
        let before = played.world.provider.calls().len();
        let order = played.passes(DAY / 8).await;
        assert_eq!(order.state_name(), StateName::AwaitingPayment);
        let calls = played.world.provider.calls().len() - before;
        assert!((100..=500).contains(&calls), "{calls} calls in three hours");
    }
    played.world.provider.set_down(false);
    played.world.wait_for(played.id, StateName::Executed, Duration::from_secs(90)).await;
}

/// The provider does not find an order that it knew.
///
/// A person is asked; the order does not fail, and the question is settled when it is found again.
#[tokio::test(start_paused = true)]
async fn d7_not_found_for_an_order_that_was_known() {
    let played = Played::awaiting().await;
    played.world.provider.set_loses(true);
    let order = played.asks(ReviewReason::ProviderLostOrder).await;
    assert_eq!(order.state_name(), StateName::AwaitingPayment);
    played.world.provider.set_loses(false);
    let order = played.until("found", |order| !order.needs_review()).await;
    assert_eq!(order.state_name(), StateName::AwaitingPayment);
}

/// The provider takes a payment back (a reorganised chain).
///
/// It falls by two reads that agree, never by one: reads can lag. The order waits on, and its history says both.
#[tokio::test(start_paused = true)]
async fn d9_the_provider_takes_a_payment_back() {
    let played = Played::awaiting().await;
    let received =
        |order: &orderkeep_core::Order| order.state.deposit().unwrap().payment.received.clone();
    played.world.provider.set_tells(|seen| seen.received = Some(exact("100")));
    played.until("paid", |order| received(order) == exact("100")).await;
    played.world.provider.set_tells(|seen| seen.received = Some(exact("0")));
    let before = played.world.provider.reads().len();
    let order = played.until("fallen", |order| received(order).is_zero()).await;
    assert!(played.world.provider.reads().len() - before >= 2);
    assert_eq!(order.state_name(), StateName::AwaitingPayment);
    assert_eq!(order.state.deposit().unwrap().payment.kind(), PaymentKind::None);
}

/// Something was missed before the end.
///
/// Orders that ended are read for `watch_after_end`, less and less often: what differs is a fact of its own, and a person
/// is asked.
#[tokio::test(start_paused = true)]
async fn d11_something_was_missed_before_the_end() {
    let played = Played::executed().await;
    assert!(!played.passes(MINUTES).await.needs_review());
    played.world.provider.set_tells(|seen| seen.received = Some(exact("130")));
    let order = played.asks(ReviewReason::LateFunds).await;
    assert_eq!((order.state_name(), order.after.len()), (StateName::Executed, 1));
}

/// The provider says another address than the one it gave first.
///
/// The first one stands, and is the only one that anybody is ever shown; a person is asked with both.
#[tokio::test(start_paused = true)]
async fn d12_two_addresses_for_one_order() {
    let played = Played::awaiting().await;
    let first = played.order().await.state.deposit().unwrap().address.clone();
    played.world.provider.set_tells(|seen| {
        seen.address = Some(orderkeep_core::Address::new("0x-another").unwrap());
    });
    let order = played.asks(ReviewReason::AddressChanged).await;
    let detail = &order.open_reviews().next().unwrap().detail;
    assert!(detail.contains("0x-another") && detail.contains(first.as_str()), "{detail}");
    assert_eq!(order.payable_address(), Some(&first));
}
