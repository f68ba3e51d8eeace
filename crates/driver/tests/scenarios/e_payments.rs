//! E. Payments.

use orderkeep_core::{
    Currency, Funds, Observation, Order, OrderResult, PaymentKind, ProviderStatus, ReviewReason,
    StateName, TransactionHash,
};

use super::{HOURS, MINUTES, Played, failed_as};
use crate::{
    provider::{Says, Scripted},
    world::{at, exact},
};

/// The provider tells this of an order that shows its address.
async fn told(tells: fn(&mut Observation)) -> Played {
    let played = Played::awaiting().await;
    played.world.provider.set_tells(tells);
    played
}

fn kind(order: &Order) -> PaymentKind {
    order.state.deposit().unwrap().payment.kind()
}

fn funds(order: &Order) -> Funds {
    order.outcome.as_ref().unwrap().funds.clone()
}

/// Too little was paid, and time is left.
///
/// The order waits on; what is missing is shown, exact to the last digit.
#[tokio::test(start_paused = true)]
async fn e1_too_little_and_time_is_left() {
    let played = told(|seen| seen.received = Some(exact("40"))).await;
    let partial = PaymentKind::Partial { missing: exact("60") };
    let order = played.until("partial", |order| kind(order) == partial).await;
    assert_eq!((order.state_name(), order.needs_review()), (StateName::AwaitingPayment, false));
}

/// Too little was paid by the deadline.
///
/// Failed with the funds held, which is not the same as failed unpaid: a person is asked.
#[tokio::test(start_paused = true)]
async fn e2_too_little_at_the_deadline() {
    let played = told(|seen| {
        seen.status = ProviderStatus::Expired;
        seen.received = Some(exact("40"));
    })
    .await;
    let order = played.reaches(StateName::Failed).await;
    assert_eq!(funds(&order), Funds::Held(exact("40")));
    assert!(order.has_open(ReviewReason::FundsOnFailed));
}

/// The payer pays in several transfers.
///
/// One payment; each transfer counts once, however often it is named.
#[tokio::test(start_paused = true)]
async fn e3_several_transfers() {
    fn pays(seen: &mut Observation, amount: &str, transfers: &[&str]) {
        seen.received = Some(exact(amount));
        let hash = |name: &&str| TransactionHash::new(*name).unwrap();
        seen.transactions = transfers.iter().map(hash).collect();
    }
    let played = told(|seen| pays(seen, "40", &["0xa"])).await;
    played.until("one", |order| kind(order) == PaymentKind::Partial { missing: exact("60") }).await;
    played.world.provider.set_tells(|seen| pays(seen, "100", &["0xa", "0xb", "0xa"]));
    let order = played.until("both", |order| kind(order) == PaymentKind::Exact).await;
    assert_eq!(order.state.deposit().unwrap().payment.transactions.len(), 2);
}

/// Too much was paid.
///
/// The sale goes on, the excess is shown beside the payment; only a sale for less than was locked asks a person.
#[tokio::test(start_paused = true)]
async fn e4_too_much() {
    let played = told(|seen| {
        seen.status = ProviderStatus::Executed;
        seen.received = Some(exact("130"));
    })
    .await;
    let order = played.reaches(StateName::Executed).await;
    assert_eq!(kind(&order), PaymentKind::Over { excess: exact("30") });
    assert!(!order.needs_review());
    let short = told(|seen| {
        seen.status = ProviderStatus::Executed;
        seen.received = Some(exact("99"));
    })
    .await;
    assert!(short.reaches(StateName::Executed).await.has_open(ReviewReason::ExecutedAmount));
}

/// Money arrives after the order expired at the provider.
///
/// The order is still read: the money is a fact of its own, and a person is asked. What becomes of it is the provider's
/// word, never assumed.
#[tokio::test(start_paused = true)]
async fn e5_paid_after_the_order_expired() {
    let played = told(|seen| seen.status = ProviderStatus::Expired).await;
    let order = played.reaches(StateName::Failed).await;
    assert_eq!((funds(&order), order.needs_review()), (Funds::None, false));
    played.world.provider.set_tells(|seen| {
        seen.status = ProviderStatus::Expired;
        seen.received = Some(exact("100"));
    });
    let order = played.asks(ReviewReason::LateFunds).await;
    assert_eq!((order.state_name(), funds(&order)), (StateName::Failed, Funds::Held(exact("100"))));
}

/// Money arrives for an order that *we* had given up.
///
/// Its webhook still finds it: it is bound by a read, the money is a fact after the end, and a person is asked.
#[tokio::test(start_paused = true)]
async fn e6_paid_after_we_gave_the_order_up() {
    let played = Played::of(Scripted::new([Says::LostAfterMade])).await;
    let order = played.until("given up", |order| order.state_name() == StateName::Failed).await;
    assert_eq!(*failed_as(&order), orderkeep_core::FailReason::UnknownCreate);
    played.hears().await;
    let order = played.until("asked", Order::needs_review).await;
    assert_eq!(order.state_name(), StateName::Failed);
    assert_eq!(order.outcome.as_ref().unwrap().result, OrderResult::Executed);
}

/// One part is paid before the deadline, the rest after it.
///
/// Both are shown: that it is paid, and that some of it came late.
#[tokio::test(start_paused = true)]
async fn e8_partly_before_the_deadline_and_the_rest_after() {
    let played = told(|seen| seen.received = Some(exact("40"))).await;
    played.world.until(3_700).await;
    played.world.provider.set_tells(|seen| seen.received = Some(exact("100")));
    let order = played.until("paid", |order| kind(order) == PaymentKind::Exact).await;
    assert!(order.state.deposit().unwrap().payment.is_late());
    assert_eq!(order.state_name(), StateName::AwaitingPayment);
}

/// The wrong coin, or the wrong chain.
///
/// If the provider says so, a person is asked and the address is withheld; nothing is ever matched by its amount alone.
#[tokio::test(start_paused = true)]
async fn e9_the_wrong_coin() {
    let played = told(|seen| seen.currency = Some(Currency::new("dai").unwrap())).await;
    let order = played.asks(ReviewReason::TermsMismatch).await;
    assert_eq!(order.payable_address(), None);
    assert_eq!((order.state_name(), kind(&order)), (StateName::AwaitingPayment, PaymentKind::None));
}

/// A payment is seen and never confirmed.
///
/// A person is asked after `confirming_review_after`; the order is not executed by it.
#[tokio::test(start_paused = true)]
async fn e10_seen_and_never_confirmed() {
    let played = told(|seen| {
        seen.status = ProviderStatus::Confirming;
        seen.received = Some(exact("100"));
        seen.expires_at = Some(at(100_000));
    })
    .await;
    let order = played.asks(ReviewReason::PaymentStuck).await;
    assert_eq!(order.state_name(), StateName::AwaitingPayment);
    assert!(order.open_reviews().next().unwrap().since >= at(7_200));
}

/// A payment is replaced by another, or double spent.
///
/// It falls to nothing by two reads, and can rise again; nothing was sold meanwhile.
#[tokio::test(start_paused = true)]
async fn e11_double_spent_and_paid_again() {
    let played = told(|seen| seen.received = Some(exact("100"))).await;
    played.until("paid", |order| kind(order) == PaymentKind::Exact).await;
    played.world.provider.set_tells(|seen| seen.received = Some(exact("0")));
    played.until("gone", |order| kind(order) == PaymentKind::None).await;
    played.world.provider.set_tells(|seen| seen.received = Some(exact("100")));
    played.until("again", |order| kind(order) == PaymentKind::Exact).await;
    assert_eq!(played.count("executed").await, 0);
}

/// A millionth is missing.
///
/// Amounts are exact decimals: it is missing. The tolerance is configured, and nothing by default.
#[tokio::test(start_paused = true)]
async fn e13_a_millionth_is_missing() {
    let played = told(|seen| seen.received = Some(exact("99.999999"))).await;
    let missing = PaymentKind::Partial { missing: exact("0.000001") };
    played.until("missing", |order| kind(order) == missing).await;
}

/// The payment is held for compliance.
///
/// A status of the provider's own: kept as text, and a person is asked. The order does not fail.
#[tokio::test(start_paused = true)]
async fn e14_held_for_compliance() {
    let played = told(|seen| {
        seen.status = ProviderStatus::Unknown("AML_HOLD".to_owned());
        seen.status_text = "AML_HOLD".to_owned();
        seen.received = Some(exact("100"));
    })
    .await;
    let order = played.asks(ReviewReason::UnknownStatus).await;
    assert!(order.open_reviews().any(|review| review.detail.contains("AML_HOLD")));
    assert_eq!(
        (order.state_name(), kind(&order)),
        (StateName::AwaitingPayment, PaymentKind::Exact)
    );
}

/// It is paid, and the sale fails.
///
/// Failed with the funds held, and a person is asked: not the same as failed without funds.
#[tokio::test(start_paused = true)]
async fn e15_paid_and_the_sale_fails() {
    let played = told(|seen| {
        seen.status = ProviderStatus::Failed;
        seen.received = Some(exact("100"));
    })
    .await;
    let order = played.reaches(StateName::Failed).await;
    assert_eq!(funds(&order), Funds::Held(exact("100")));
    assert!(order.has_open(ReviewReason::FundsOnFailed));
}

/// The refund fails.
///
/// The provider documents no states of refunds: the funds stay shown as held, and the question to a person stays open
/// whatever the provider says, until somebody settles it.
#[tokio::test(start_paused = true)]
async fn e16_the_refund_fails() {
    let played = told(|seen| {
        seen.status = ProviderStatus::Failed;
        seen.received = Some(exact("100"));
    })
    .await;
    played.reaches(StateName::Failed).await;
    played.world.provider.set_tells(|seen| {
        seen.status = ProviderStatus::Unknown("REFUND_FAILED".to_owned());
        seen.status_text = "REFUND_FAILED".to_owned();
        seen.received = Some(exact("100"));
    });
    let order = played.passes(HOURS).await;
    assert!(order.has_open(ReviewReason::FundsOnFailed));
    assert_eq!(funds(&order), Funds::Held(exact("100")));
}

/// The payment arrives exactly at the deadline.
///
/// The provider's verdict wins: our clock only asks.
#[tokio::test(start_paused = true)]
async fn e17_paid_exactly_at_the_deadline() {
    let played = Played::awaiting().await;
    played.world.until(3_600).await;
    played.world.provider.set_tells(|seen| seen.received = Some(exact("100")));
    played.world.until(3_900).await;
    assert_eq!(played.order().await.state_name(), StateName::AwaitingPayment);
    played.world.provider.set_tells(|seen| {
        seen.status = ProviderStatus::Executed;
        seen.received = Some(exact("100"));
    });
    let order = played.world.wait_for(played.id, StateName::Executed, MINUTES).await;
    assert_eq!(funds(&order), Funds::Settled);
}
