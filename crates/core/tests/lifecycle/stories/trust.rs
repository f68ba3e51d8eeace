//! What a partner may believe without a read, and nothing more than that.

use crate::fixture::*;
use orderkeep_core::{Disposition, Input, OrderResult, Policy, ProviderStatus, StateName};

fn created(policy: Policy) -> Story {
    Story::with(policy).then(1, permit()).then(2, answered(1, accepted(ours())))
}

#[test]
fn a_trusted_address_is_shown_and_an_end_still_waits_for_a_read() {
    let policy = Policy { trust_claimed_address: true, ..policy() };
    let story = created(policy).observes(10, claim(10, ProviderStatus::AwaitingPayment));
    assert_eq!(story.name(), StateName::AwaitingPayment);
    assert_eq!(story.order.payable_address().map(|address| address.as_str()), Some("0xaddress"));
    let mut story = story;
    let ended = story.tell(20, &Input::Observed(claim(20, ProviderStatus::Executed).paid("100")));
    assert_eq!(ended.disposition(), Disposition::AwaitingConfirmation);
    assert_eq!(story.name(), StateName::AwaitingPayment);
}

#[test]
fn a_trusted_execution_is_taken_and_an_address_still_waits_for_a_read() {
    let policy = Policy { trust_claimed_executed: true, ..policy() };
    let mut story = created(policy);
    let shown = story.tell(10, &Input::Observed(claim(10, ProviderStatus::AwaitingPayment)));
    assert_eq!(shown.disposition(), Disposition::AwaitingConfirmation);
    assert_eq!(story.order.payable_address(), None);
    let story = story.observes(20, claim(20, ProviderStatus::Executed).paid("100"));
    assert_eq!(story.name(), StateName::Executed);
    // A read that says otherwise is a fact of its own, and asked about.
    let story = story.observes(30, read(30, ProviderStatus::Failed).paid("100"));
    assert_eq!(story.name(), StateName::Executed);
    assert_eq!(story.order.outcome.as_ref().map(|it| it.result), Some(OrderResult::Reversed));
    assert!(story.order.needs_review());
}

#[test]
fn a_trusted_failure_is_taken_and_an_execution_or_a_reversal_still_waits_for_a_read() {
    let policy = Policy { trust_claimed_failed: true, ..policy() };
    for status in [ProviderStatus::Executed, ProviderStatus::Reversed] {
        let mut story = created(policy.clone()).read(10, ProviderStatus::AwaitingPayment);
        let heard = story.tell(20, &Input::Observed(claim(20, status)));
        assert_eq!(heard.disposition(), Disposition::AwaitingConfirmation);
        assert_eq!(story.name(), StateName::AwaitingPayment);
    }
    for status in [ProviderStatus::Expired, ProviderStatus::Underpaid, ProviderStatus::Failed] {
        let story = created(policy.clone())
            .read(10, ProviderStatus::AwaitingPayment)
            .observes(20, claim(20, status));
        assert_eq!(story.name(), StateName::Failed);
    }
}

#[test]
fn nothing_is_believed_that_binds_an_order() {
    let policy = Policy {
        trust_claimed_address: true,
        trust_claimed_executed: true,
        trust_claimed_failed: true,
        ..policy()
    };
    let mut story = Story::with(policy).then(1, permit());
    for status in [ProviderStatus::AwaitingPayment, ProviderStatus::Executed] {
        let heard = story.tell(2, &Input::Observed(claim(2, status)));
        assert!(matches!(heard.disposition(), Disposition::Parked(_)));
    }
    assert_eq!(story.name(), StateName::Locked);
}

#[test]
fn a_trusted_address_is_still_checked_against_the_terms() {
    let policy = Policy { trust_claimed_address: true, ..policy() };
    let mut repriced = claim(10, ProviderStatus::AwaitingPayment);
    repriced.required = Some(exact("1"));
    let story = created(policy).observes(10, repriced);
    assert_eq!(story.order.payable_address(), None);
}
