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

/// Found by the simulator, seed 22534: the provider took an expired order up again for money that came late, and sold it.
/// A read that lagged said "expired" right after the one that said "executed", and the sale counted as taken back.
#[test]
fn one_read_that_lags_takes_no_sale_back() {
    let sold = Story::awaiting().observes(20, paid(20, ProviderStatus::Executed, "100"));
    let lagging = sold.observes(21, paid(21, ProviderStatus::Expired, "100"));
    assert_eq!(lagging.count("reversed"), 0);
    assert_eq!(lagging.open(), []);
    // Said again when no read lags any more, it is so.
    let grace = i64::try_from(lagging.policy.not_found_grace.as_secs()).unwrap();
    let soon = lagging.observes(22, paid(22, ProviderStatus::Expired, "100"));
    assert_eq!(soon.count("reversed"), 0);
    let said_again = soon.observes(22 + grace, paid(22 + grace, ProviderStatus::Expired, "100"));
    assert_eq!(said_again.count("reversed"), 1);
    assert_eq!(said_again.open(), [ReviewReason::Reversed]);
    // The provider's own word for it needs no second read.
    let sold = Story::awaiting().observes(20, paid(20, ProviderStatus::Executed, "100"));
    let taken_back = sold.observes(21, paid(21, ProviderStatus::Reversed, "100"));
    assert_eq!(taken_back.count("reversed"), 1);
}
