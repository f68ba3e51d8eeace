//! What is found long after the end.

use super::failed;
use crate::fixture::*;
use orderkeep_core::{Due, FailReason, ProviderStatus, Resolution};

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
