//! The lock's terms: what makes sense, what agrees, and what an order at the provider must keep.

use crate::fixture::*;
use orderkeep_core::{
    Currency, Exact, LockId, Network, Policy, ProviderStatus, ReviewReason, Terms,
};

fn mismatch(change: impl FnOnce(&mut Terms)) -> String {
    let mut changed = terms();
    change(&mut changed);
    terms().agrees_with(&changed).unwrap_err().to_string()
}

#[test]
fn terms_of_nothing_are_refused() {
    let invalid = |change: fn(&mut Terms)| {
        let mut changed = terms();
        change(&mut changed);
        changed.validate().unwrap_err().to_string()
    };
    assert_eq!(
        invalid(|terms| terms.pay_amount = Exact::zero()),
        "pay amount: more than nothing was agreed, 0 was found"
    );
    assert_eq!(
        invalid(|terms| terms.rate = Exact::zero()),
        "rate: more than nothing was agreed, 0 was found"
    );
    assert_eq!(
        invalid(|terms| terms.settle_amount = Some(Exact::zero())),
        "settle amount: more than nothing was agreed, 0 was found"
    );
    assert!(terms().validate().is_ok());
}

#[test]
fn every_term_that_differs_is_named() {
    assert_eq!(
        mismatch(|terms| terms.lock_id = LockId::new("lock-2").unwrap()),
        "lock id: lock-1 was agreed, lock-2 was found"
    );
    assert_eq!(
        mismatch(|terms| terms.pay_amount = exact("100.01")),
        "pay amount: 100 was agreed, 100.01 was found"
    );
    assert_eq!(
        mismatch(|terms| terms.pay_currency = Currency::new("usdt").unwrap()),
        "pay currency: usdc was agreed, usdt was found"
    );
    assert_eq!(
        mismatch(|terms| terms.network = Network::new("ethereum").unwrap()),
        "network: polygon was agreed, ethereum was found"
    );
    assert_eq!(
        mismatch(|terms| terms.rate = exact("0.85")),
        "rate: 0.84 was agreed, 0.85 was found"
    );
    assert_eq!(
        mismatch(|terms| terms.expires_at = at(901)),
        "expiry: 2026-03-01T12:15:00Z was agreed, 2026-03-01T12:15:01Z was found"
    );
    assert_eq!(
        mismatch(|terms| terms.settle_currency = Currency::new("usd").ok()),
        "settle currency: eur was agreed, usd was found"
    );
    assert_eq!(
        mismatch(|terms| terms.settle_amount = Some(exact("85"))),
        "settle amount: 84 was agreed, 85 was found"
    );
}

#[test]
fn what_is_left_out_does_not_disagree() {
    let mut bare = terms();
    bare.settle_amount = None;
    bare.settle_currency = None;
    bare.pay_amount = exact("100.000");
    assert!(terms().agrees_with(&bare).is_ok());
    assert!(bare.agrees_with(&terms()).is_ok());
}

#[test]
fn an_order_that_is_not_what_was_agreed_is_asked_about_before_anybody_pays() {
    let asked = |change: fn(&mut orderkeep_core::Observation)| {
        let mut seen = read(10, ProviderStatus::AwaitingPayment);
        change(&mut seen);
        let story = Story::created().observes(10, seen);
        let detail = story.order.open_reviews().next().map(|review| review.detail.clone());
        (story.open(), detail.unwrap_or_default(), story.order.payable_address().is_some())
    };
    assert_eq!(asked(|_| {}), (vec![], String::new(), true));
    let differs = vec![ReviewReason::TermsMismatch];
    assert_eq!(
        asked(|seen| seen.required = Some(exact("101"))),
        (differs.clone(), "pay amount: 100 was agreed, 101 was found".to_owned(), false)
    );
    assert_eq!(
        asked(|seen| seen.currency = Currency::new("usdt").ok()),
        (differs.clone(), "pay currency: usdc was agreed, usdt was found".to_owned(), false)
    );
    assert_eq!(
        asked(|seen| seen.network = Network::new("tron").ok()),
        (differs, "network: polygon was agreed, tron was found".to_owned(), false)
    );
    // What the provider does not repeat is no difference.
    let silent = asked(|seen| (seen.required, seen.currency, seen.network) = (None, None, None));
    assert_eq!(silent, (vec![], String::new(), true));
}

#[test]
fn a_tolerance_is_exact_and_ours_to_set() {
    let open = |required: &str| {
        let policy = Policy { amount_tolerance: exact("0.01"), ..policy() };
        let mut seen = read(10, ProviderStatus::AwaitingPayment);
        seen.required = Some(exact(required));
        Story::with(policy)
            .then(1, permit())
            .then(2, answered(1, accepted(ours())))
            .observes(10, seen)
            .open()
    };
    assert_eq!(open("100.01"), []);
    assert_eq!(open("99.99"), []);
    assert_eq!(open("100.010001"), [ReviewReason::TermsMismatch]);
}
