//! The payment: kinds, what is late, what falls.

use crate::fixture::*;
use orderkeep_core::{Exact, Observation, Payment, PaymentKind, ProviderStatus};

fn paid(seconds: i64, amount: &str) -> Observation {
    read(seconds, ProviderStatus::Confirming).paid(amount)
}

fn payment(story: &Story) -> &Payment {
    &story.order.state.deposit().unwrap().payment
}

#[test]
fn what_is_missing_or_too_much_is_exact_to_the_last_digit() {
    let kind = |amount: &str| payment(&Story::awaiting().observes(20, paid(20, amount))).kind();
    assert_eq!(kind("0"), PaymentKind::None);
    assert_eq!(kind("0.000001"), PaymentKind::Partial { missing: exact("99.999999") });
    assert_eq!(kind("99.999999"), PaymentKind::Partial { missing: exact("0.000001") });
    assert_eq!(kind("100.00"), PaymentKind::Exact);
    assert_eq!(kind("100.000001"), PaymentKind::Over { excess: exact("0.000001") });
    // A float would miss this one.
    assert_eq!(kind("99.9"), PaymentKind::Partial { missing: exact("0.1") });
}

#[test]
fn it_falls_only_by_two_reads_that_started_after() {
    let story = Story::awaiting().observes(20, paid(20, "100")).observes(30, paid(30, "40"));
    assert_eq!(payment(&story).received, exact("100"));
    // The same read again, or an older one, is not a second one.
    let story = story.observes(31, paid(30, "40")).observes(32, paid(25, "40"));
    assert_eq!(payment(&story).received, exact("100"));
    let story = story.observes(40, paid(40, "40"));
    assert_eq!(payment(&story).received, exact("40"));
    assert_eq!(payment(&story).kind(), PaymentKind::Partial { missing: exact("60") });
}

#[test]
fn it_can_fall_to_nothing_and_rise_again() {
    let gone = |seconds| read(seconds, ProviderStatus::AwaitingPayment);
    let story = Story::awaiting()
        .observes(20, paid(20, "100"))
        .observes(30, gone(30))
        .observes(40, gone(40));
    assert_eq!(payment(&story).kind(), PaymentKind::None);
    assert_eq!(payment(&story).since, None);
    let story = story.observes(50, paid(50, "100"));
    assert_eq!(payment(&story).kind(), PaymentKind::Exact);
    assert_eq!(payment(&story).since, Some(at(50)));
    // The transfer that went and came back is one transfer.
    assert_eq!(payment(&story).transactions.len(), 1);
}

#[test]
fn late_is_what_a_read_after_the_deadline_did_not_show_yet() {
    let before = PAY_BY - 10;
    let after = PAY_BY + 10;
    let in_time =
        Story::awaiting().observes(before, paid(before, "100")).observes(after, paid(after, "100"));
    assert!(!payment(&in_time).is_late());
    // First seen after the deadline proves nothing: it may have come before.
    let unclear = Story::awaiting().observes(after, paid(after, "100"));
    assert!(!payment(&unclear).is_late());
    let late = Story::awaiting()
        .read(after, ProviderStatus::AwaitingPayment)
        .observes(after + 10, paid(after + 10, "100"));
    assert!(payment(&late).is_late());
    let partly = Story::awaiting()
        .observes(before, paid(before, "40"))
        .observes(after, paid(after, "40"))
        .observes(after + 10, paid(after + 10, "130"));
    assert!(payment(&partly).is_late());
    assert_eq!(payment(&partly).kind(), PaymentKind::Over { excess: exact("30") });
}

#[test]
fn a_deadline_that_is_put_off_makes_late_money_timely() {
    let after = PAY_BY + 10;
    let mut extended = paid(after + 10, "100");
    extended.expires_at = Some(at(9_000));
    let story = Story::awaiting()
        .read(after, ProviderStatus::AwaitingPayment)
        .observes(after + 10, extended);
    assert!(!payment(&story).is_late());
}

#[test]
fn several_transfers_are_one_payment_and_each_counts_once() {
    let mut two = paid(30, "100");
    two.transactions.push(orderkeep_core::TransactionHash::new("tx-40").unwrap());
    let story =
        Story::awaiting().observes(20, paid(20, "40")).observes(30, two.clone()).observes(31, two);
    let names: Vec<_> =
        payment(&story).transactions.iter().map(|hash| hash.as_str().to_owned()).collect();
    assert_eq!(names, ["tx-100", "tx-40"]);
    assert_eq!(payment(&story).received, exact("100"));
    assert_eq!(payment(&story).since, Some(at(20)));
}

#[test]
fn too_much_is_still_sold_and_the_excess_is_shown() {
    let story = Story::awaiting()
        .observes(20, paid(20, "130"))
        .observes(30, read(30, ProviderStatus::Executed).paid("130"));
    assert_eq!(story.name(), orderkeep_core::StateName::Executed);
    assert_eq!(payment(&story).kind(), PaymentKind::Over { excess: exact("30") });
}

#[test]
fn an_amount_that_a_read_leaves_out_changes_nothing() {
    let mut silent = read(30, ProviderStatus::Confirming);
    silent.received = None;
    silent.confirmations = Some(2);
    let story = Story::awaiting().observes(20, paid(20, "40")).observes(30, silent);
    assert_eq!(payment(&story).received, exact("40"));
    assert_ne!(payment(&story).received, Exact::zero());
}
