//! Money: nothing is lost, nothing is called late that is not.

use super::{funds, result};
use crate::fixture::*;
use orderkeep_core::{
    Exact, Funds, OrderResult, Policy, ProviderStatus, ReviewReason, Source, StateName,
};

#[test]
fn an_executed_order_without_an_address_is_not_told_of_late_funds_at_every_read() {
    let mut seen = read(20, ProviderStatus::Executed).paid("100");
    seen.address = None;
    let mut again = seen.clone();
    again.source = Source::Confirmed { read_started_at: at(30) };
    let story = Story::created().observes(20, seen).observes(30, again);
    assert_eq!(story.name(), StateName::Executed);
    assert_eq!(story.count("late_funds"), 0);
    assert!(story.open().is_empty());
}

#[test]
fn the_amount_that_follows_an_execution_is_not_late() {
    let mut bare = read(20, ProviderStatus::Executed);
    bare.received = None;
    let story = Story::created()
        .observes(20, bare)
        .observes(30, read(30, ProviderStatus::Executed).paid("100"));
    assert_eq!(story.count("late_funds"), 0);
    let story = story.observes(40, read(40, ProviderStatus::Executed).paid("130"));
    assert_eq!(story.open(), [ReviewReason::LateFunds]);
}

#[test]
fn money_that_arrives_while_the_provider_reopens_an_expired_order_is_told_at_once() {
    let story = Story::awaiting()
        .read(4_000, ProviderStatus::Expired)
        .observes(5_000, read(5_000, ProviderStatus::Confirming).paid("100"));
    assert_eq!(story.name(), StateName::Failed);
    assert_eq!(*funds(&story), Funds::Held(exact("100")));
    assert_eq!(story.open(), [ReviewReason::LateFunds]);
    let story = story.observes(5_100, read(5_100, ProviderStatus::Executed).paid("100"));
    assert_eq!(result(&story), OrderResult::Executed);
    assert_eq!(story.count("late_funds"), 1);
}

#[test]
fn a_late_claim_that_is_trusted_neither_takes_money_away_nor_calls_it_late() {
    let policy = Policy { trust_claimed_address: true, ..policy() };
    let story = Story::with(policy)
        .then(1, permit())
        .then(2, answered(1, accepted(ours())))
        .observes(10, read(10, ProviderStatus::Confirming).paid("100"))
        // Two webhooks from before the payment, delivered after it and after the deadline.
        .observes(PAY_BY + 20, claim(PAY_BY + 20, ProviderStatus::AwaitingPayment))
        .observes(PAY_BY + 30, claim(PAY_BY + 30, ProviderStatus::AwaitingPayment).paid("5"));
    let payment = &story.order.state.deposit().unwrap().payment;
    assert_eq!(payment.received, exact("100"));
    assert!(!payment.is_late());
}

#[test]
fn confirmations_fall_only_by_two_reads() {
    let confirmed = |seconds, confirmations| {
        let mut seen = read(seconds, ProviderStatus::Confirming).paid("100");
        seen.confirmations = Some(confirmations);
        seen
    };
    let shown =
        |story: &Story| story.order.state.deposit().map(|deposit| deposit.payment.confirmations);
    let story = Story::awaiting().observes(20, confirmed(20, 2)).observes(30, confirmed(30, 1));
    assert_eq!(shown(&story), Some(2), "one read may lag");
    assert_eq!(shown(&story.observes(40, confirmed(40, 1))), Some(1));
}

#[test]
fn a_read_in_between_that_still_shows_the_money_takes_the_suspicion_away() {
    let expired = |seconds| read(seconds, ProviderStatus::Expired);
    let shown = |seconds| read(seconds, ProviderStatus::Confirming).paid("40");
    let received = |story: &Story| story.order.state.deposit().unwrap().payment.received.clone();
    let story = Story::awaiting()
        .observes(20, shown(20))
        .observes(30, expired(30))
        .observes(40, shown(40))
        .observes(50, expired(50));
    assert_eq!(received(&story), exact("40"));
    assert_eq!(received(&story.observes(60, expired(60))), Exact::zero());
}

#[test]
fn fewer_blocks_are_no_evidence_of_less_money() {
    let confirming = |seconds, confirmations| {
        let mut seen = read(seconds, ProviderStatus::Confirming).paid("40");
        seen.confirmations = Some(confirmations);
        seen
    };
    let received = |story: &Story| story.order.state.deposit().unwrap().payment.received.clone();
    let story = Story::awaiting()
        .observes(20, confirming(20, 2))
        .observes(30, confirming(30, 1))
        .read(40, ProviderStatus::AwaitingPayment);
    assert_eq!(received(&story), exact("40"));
    assert_eq!(received(&story.read(50, ProviderStatus::AwaitingPayment)), Exact::zero());
}
