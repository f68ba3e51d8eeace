//! Webhooks that repeat themselves, say less than is known, or lie without end; and a sale for less than was locked.

use crate::fixture::*;
use orderkeep_core::{
    Address, Already, Input, Order, Outcome, ProviderStatus, Refusal, ReviewReason,
};

/// Each copy used to add a claim and a read to the history.
#[test]
fn a_webhook_that_says_less_than_the_last_read_says_nothing_new() {
    let mut story = Story::awaiting();
    let mut less = claim(20, ProviderStatus::AwaitingPayment);
    (less.required, less.expires_at, less.network) = (None, None, None);
    less.unknown_fields = vec![("sentAt".to_owned(), "17".to_owned())];
    let outcome = story.tell(20, &Input::Observed(less));
    assert_eq!(outcome, Outcome::AlreadyThere(Already::Duplicate));
}

/// Whoever has the token can lie differently each time; the history has a bound, and a read that says something new
/// lets webhooks speak again.
#[test]
fn claims_that_no_read_confirms_are_bounded() {
    let mut story = Story::awaiting();
    let forged = |n: i64| {
        let mut forged = claim(20 + n, ProviderStatus::AwaitingPayment);
        forged.address = Address::new(format!("0xforged-{n}")).ok();
        Input::Observed(forged)
    };
    for n in 0..500 {
        let _ = story.tell(20 + n, &forged(n));
        let truth = read(20 + n, ProviderStatus::AwaitingPayment);
        let _ = story.tell(20 + n, &Input::Observed(truth));
    }
    assert_eq!(story.count("claimed"), usize::try_from(Order::CLAIMS_MAX).unwrap());
    assert!(story.history.len() < 50, "{} events", story.history.len());
    let refused = story.tell(600, &forged(600));
    assert_eq!(refused, Outcome::Refused(Refusal::TooManyClaims));
    let story = story.observes(601, read(601, ProviderStatus::Confirming).paid("100"));
    let honest = claim(602, ProviderStatus::Executed).paid("100");
    let story = story.observes(602, honest);
    assert_eq!(story.order.hint.as_ref().unwrap().claim.status, ProviderStatus::Executed);
}

#[test]
fn sold_for_less_than_was_locked_goes_to_a_person_with_both_facts() {
    let short =
        Story::awaiting().observes(20, read(20, ProviderStatus::Executed).paid("99.999999"));
    assert_eq!(short.open(), [ReviewReason::ExecutedAmount]);
    let detail = &short.order.open_reviews().next().unwrap().detail;
    assert!(detail.contains("100 was locked") && detail.contains("99.999999"), "{detail}");
    // The excess stands beside the payment; nobody has to be asked.
    let over =
        Story::awaiting().observes(20, read(20, ProviderStatus::Executed).paid("100.000001"));
    assert!(over.open().is_empty());
    let exactly = Story::awaiting().observes(20, read(20, ProviderStatus::Executed).paid("100"));
    assert!(exactly.open().is_empty());
    let mut tolerant = Story::awaiting();
    tolerant.policy.amount_tolerance = exact("0.000001");
    let within = tolerant.observes(20, read(20, ProviderStatus::Executed).paid("99.999999"));
    assert!(within.open().is_empty());
}

/// An order that can never be read is not forgotten: time alone asks a person, and ends nothing.
#[test]
fn an_order_that_cannot_be_read_is_asked_about_by_its_age() {
    let mut story = Story::created();
    let _ = story.tell(599, &Input::Woken);
    assert!(story.open().is_empty());
    let _ = story.tell(602, &Input::Woken);
    assert_eq!(story.open(), [ReviewReason::WalletLate]);
}
