//! What arrives in another order, or stays behind.

use crate::fixture::*;
use orderkeep_core::{ProviderStatus, ReviewReason, StateName};

#[test]
fn an_older_read_that_knows_more_is_a_fact_all_the_same() {
    let story = Story::created()
        .read(30, unknown_word())
        .observes(31, read(20, ProviderStatus::AwaitingPayment));
    assert_eq!(story.name(), StateName::AwaitingPayment);
    let story =
        Story::awaiting().read(30, unknown_word()).observes(31, read(20, ProviderStatus::Executed));
    assert_eq!(story.name(), StateName::Executed);
}

#[test]
fn an_older_read_fills_in_the_address_of_an_order_that_ended_without_one() {
    let mut bare = read(30, ProviderStatus::Expired);
    bare.address = None;
    let story =
        Story::created().observes(30, bare).observes(31, read(20, ProviderStatus::AwaitingPayment));
    assert_eq!(story.name(), StateName::Failed);
    assert_eq!(story.order.state.deposit().unwrap().address.as_str(), "0xaddress");
}

#[test]
fn a_provider_that_stays_behind_past_the_deadline_is_asked_about() {
    let story = Story::awaiting().read(PAY_BY + 1_000, ProviderStatus::WaitingForWallet);
    assert_eq!(story.name(), StateName::AwaitingPayment);
    assert_eq!(story.open(), [ReviewReason::Overdue]);
}
