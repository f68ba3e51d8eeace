//! What is found long after the end.

use super::failed;
use crate::fixture::*;
use orderkeep_core::{Due, FailReason, Observation, ProviderStatus, Resolution, ReviewReason};

#[test]
fn an_order_found_long_after_we_gave_it_up_is_watched_from_then() {
    let late = 60 * 24 * 3_600;
    let story = Story::unknown()
        .then(3, resolve(Resolution::NoProviderOrder))
        .then(late, adopt(ours()))
        .read(late + 1, ProviderStatus::WaitingForWallet);
    assert_eq!(failed(&story), Some(&FailReason::UnknownCreate));
    assert_eq!(story.order.due(at(late + 60), &story.policy), Due::Fetch(ours()));
    assert!(story.order.wake_up(at(late + 60), &story.policy).is_some());
}

#[test]
fn an_adoption_asked_long_after_the_end_is_asked_for_until_it_is_answered() {
    let late = 60 * 24 * 3_600;
    let story =
        Story::unknown().then(3, resolve(Resolution::NoProviderOrder)).then(late, adopt(ours()));
    assert!(story.order.wake_up(at(late + 60), &story.policy).is_some());
    assert_eq!(story.order.due(at(late + 60), &story.policy), Due::Fetch(ours()));
    let story = story.then(late + 70, not_found(ours(), late + 65));
    assert_eq!(story.order.wake_up(at(late + 80), &story.policy), None);
}

/// A night of kills and lost webhooks left dozens of unknown creates that were given up in time, each of them made at
/// the provider, never shown to anybody, and expired there. Found afterwards, each asked for a person, who had nothing
/// to do: what they ended with said it all.
#[test]
fn an_unknown_create_found_ended_and_unpaid_asks_nobody() {
    let given_up = || Story::unknown().then(3, resolve(Resolution::NoProviderOrder));
    let found = given_up().observes(900, paid(900, ProviderStatus::Expired, "0"));
    assert_eq!(failed(&found), Some(&FailReason::UnknownCreate));
    assert_eq!(found.count("bound"), 1, "that it was found is on record");
    assert_eq!(found.open(), []);

    // While it is alive there, somebody may still be shown its address by the provider.
    let alive = given_up().observes(900, paid(900, ProviderStatus::AwaitingPayment, "0"));
    assert_eq!(alive.open(), [ReviewReason::UnexpectedProviderOrder]);
    let over = alive.observes(1_900, paid(1_900, ProviderStatus::Expired, "0"));
    assert_eq!(over.open(), []);

    // Money is another matter.
    let paid = given_up().observes(900, paid(900, ProviderStatus::Expired, "40"));
    assert_eq!(paid.open(), [ReviewReason::LateFunds]);
}

fn paid(seconds: i64, status: ProviderStatus, received: &str) -> Observation {
    Observation { received: Some(exact(received)), ..read(seconds, status) }
}

#[test]
fn a_given_up_create_that_is_found_ended_and_unpaid_leaves_nothing_to_ask() {
    let given_up = || Story::unknown().then(3, resolve(Resolution::NoProviderOrder));
    let story = given_up().read(20, ProviderStatus::Expired);
    assert!(story.open().is_empty());
    // Found alive, it is asked about until it has ended there.
    let story = given_up().read(20, ProviderStatus::AwaitingPayment);
    assert_eq!(story.open(), [ReviewReason::UnexpectedProviderOrder]);
    let story = story.read(30, ProviderStatus::Expired);
    assert!(story.open().is_empty());
    // Found paid, it is asked about.
    let story = given_up().observes(20, read(20, ProviderStatus::Underpaid).paid("40"));
    assert_eq!(story.open(), [ReviewReason::LateFunds]);
}
