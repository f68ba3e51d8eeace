//! Questions to a person come back when the facts do, and only then.

use super::failed;
use crate::fixture::*;
use orderkeep_core::{AnswerClass, FailReason, Input, ProviderStatus, ReviewReason, StateName};

#[test]
fn a_create_refused_again_after_a_retry_asks_again() {
    let refusal = refused(AnswerClass::Definite, Some("P403"));
    let story = Story::in_flight()
        .then(2, answered(1, refusal.clone()))
        .then(3, retry())
        .then(4, permit())
        .then(5, answered(2, refusal.clone()));
    assert_eq!(story.open(), [ReviewReason::CreateRefused]);
    // The same when a person had acknowledged the first refusal before.
    let story = Story::in_flight()
        .then(2, answered(1, refusal.clone()))
        .then(3, acknowledge(None))
        .then(4, retry())
        .then(5, permit())
        .then(6, answered(2, refusal));
    assert_eq!(story.open(), [ReviewReason::CreateRefused]);
}

#[test]
fn an_unknown_create_that_was_acknowledged_asks_again_after_another_attempt() {
    let ambiguous = refused(AnswerClass::Ambiguous, None);
    let story = Story::unknown()
        .then(400, Input::Woken)
        .then(401, acknowledge(None))
        .then(402, post_again(lock()))
        .then(403, permit())
        .then(404, answered(2, ambiguous))
        .then(800, Input::Woken);
    assert_eq!(story.open(), [ReviewReason::UnknownCreate]);
}

#[test]
fn a_second_deadline_that_passes_asks_again() {
    let mut extended = read(4_600, ProviderStatus::AwaitingPayment);
    extended.expires_at = Some(at(9_000));
    let mut still = read(10_000, ProviderStatus::AwaitingPayment);
    still.expires_at = Some(at(9_000));
    let story = Story::awaiting().read(4_500, ProviderStatus::AwaitingPayment);
    assert_eq!(story.open(), [ReviewReason::Overdue]);
    let story = story.observes(4_600, extended);
    assert!(story.open().is_empty());
    let story = story.observes(10_000, still);
    assert_eq!(story.open(), [ReviewReason::Overdue]);
}

#[test]
fn an_acknowledged_question_is_not_asked_again_for_the_same_facts() {
    let story = Story::awaiting()
        .read(4_500, ProviderStatus::AwaitingPayment)
        .then(4_501, acknowledge(Some(ReviewReason::Overdue)))
        .read(4_600, ProviderStatus::AwaitingPayment);
    assert!(story.open().is_empty());
}

#[test]
fn an_order_that_stays_lost_is_not_recorded_at_every_read() {
    let story = Story::awaiting()
        .then(500, not_found(ours(), 500))
        .then(501, acknowledge(None))
        .then(600, not_found(ours(), 600))
        .then(700, not_found(ours(), 700));
    assert_eq!(story.count("not_found"), 1);
    // Found, and lost again: that is new.
    let story = story.read(800, ProviderStatus::AwaitingPayment).then(900, not_found(ours(), 900));
    assert_eq!(story.count("not_found"), 2);
    assert_eq!(story.open(), [ReviewReason::ProviderLostOrder]);
}

#[test]
fn a_note_does_not_put_off_the_question_about_an_unknown_create() {
    let story = Story::unknown().then(400, note("I called them"));
    let wake_up = story.last_step().unwrap().wake_up.unwrap();
    assert!(wake_up.at <= at(400), "{wake_up:?}");
    assert_eq!(story.then(401, Input::Woken).open(), [ReviewReason::UnknownCreate]);
}

#[test]
fn an_unknown_create_ends_as_soon_as_an_adoption_no_longer_holds_it() {
    let end = LOCK_ENDS + WINDOW;
    let story = Story::unknown()
        .then(400, Input::Woken)
        .then(end - 10, adopt(other()))
        .then(end + 10, not_found(other(), end + 9));
    let wake_up = story.last_step().unwrap().wake_up.unwrap();
    assert!(wake_up.at <= at(end + 10), "{wake_up:?}");
    let story = story.then(end + 11, Input::Woken);
    assert_eq!(failed(&story), Some(&FailReason::UnknownCreate));
}

#[test]
fn a_missing_address_asks_after_its_time_and_the_address_answers() {
    let waits = |seconds| Story::created().read(seconds, ProviderStatus::WaitingForWallet);
    assert_eq!(waits(601).open(), []);
    let story = waits(602);
    assert_eq!(story.open(), [ReviewReason::WalletLate]);
    assert_eq!(story.name(), StateName::WaitingForWallet, "our clock ends nothing");
    assert_eq!(story.read(700, ProviderStatus::AwaitingPayment).open(), []);
}

#[test]
fn a_payment_that_nobody_decides_asks_after_its_time_and_its_end_answers() {
    let paid = |seconds, confirmations| {
        let mut seen = read(seconds, ProviderStatus::Confirming).paid("100");
        seen.expires_at = Some(at(1_000_000));
        seen.confirmations = Some(confirmations);
        seen
    };
    let story = Story::awaiting().observes(20, paid(20, 1));
    assert_eq!(story.clone().observes(7_219, paid(7_219, 1)).open(), []);
    let story = story.observes(7_220, paid(7_220, 1));
    assert_eq!(story.open(), [ReviewReason::PaymentStuck]);
    let story = story.observes(8_000, read(8_000, ProviderStatus::Executed).paid("100"));
    assert_eq!(story.open(), []);
}

#[test]
fn an_unknown_word_is_kept_and_asks_after_its_time() {
    let story = Story::awaiting().read(100, unknown_word());
    assert_eq!(story.name(), StateName::AwaitingPayment);
    assert_eq!(story.open(), []);
    let bound = story.order.state.bound().unwrap();
    assert_eq!(bound.last_read.as_ref().map(|seen| &seen.status), Some(&unknown_word()));
    let story = story.read(699, unknown_word());
    assert_eq!(story.open(), []);
    let story = story.read(700, unknown_word());
    assert_eq!(story.open(), [ReviewReason::UnknownStatus]);
    let story = story.read(800, ProviderStatus::AwaitingPayment);
    assert_eq!(story.open(), []);
    assert_eq!(story.order.state.bound().unwrap().unknown_status_since, None);
}

#[test]
fn an_order_that_is_not_found_is_young_then_lost_then_found() {
    let story = Story::created().then(3, not_found(ours(), 121));
    assert_eq!(story.open(), [], "the provider may take two minutes to find its own order");
    let story = story.then(4, not_found(ours(), 122));
    assert_eq!(story.open(), [ReviewReason::ProviderLostOrder]);
    assert_eq!(story.name(), StateName::Created);
    let story = story.read(200, ProviderStatus::WaitingForWallet);
    assert_eq!(story.open(), []);
    // A read from before the one that found it proves nothing, and neither does another order's.
    let story = story.then(210, not_found(ours(), 199)).then(211, not_found(other(), 211));
    assert_eq!(story.open(), []);
}

#[test]
fn every_reason_tells_a_person_what_to_do() {
    let reasons = [
        ReviewReason::UnknownCreate,
        ReviewReason::CreateRefused,
        ReviewReason::UnexpectedProviderOrder,
        ReviewReason::SecondProviderOrder,
        ReviewReason::TermsMismatch,
        ReviewReason::AddressChanged,
        ReviewReason::LockChanged,
        ReviewReason::WalletLate,
        ReviewReason::PaymentStuck,
        ReviewReason::Overdue,
        ReviewReason::UnknownStatus,
        ReviewReason::ProviderLostOrder,
        ReviewReason::FundsOnFailed,
        ReviewReason::LateFunds,
        ReviewReason::Reversed,
        ReviewReason::Corrected,
        ReviewReason::AdoptionRefused,
    ];
    let words: std::collections::BTreeSet<_> =
        reasons.iter().map(|reason| reason.what_to_do()).collect();
    assert_eq!(words.len(), reasons.len(), "each its own");
    let withheld: Vec<_> =
        reasons.into_iter().filter(|reason| reason.withholds_address()).collect();
    let expected =
        [ReviewReason::SecondProviderOrder, ReviewReason::TermsMismatch, ReviewReason::LockChanged];
    assert_eq!(withheld, expected);
}

/// Where time never ends an unknown create, somebody must: to acknowledge the question is no answer to it.
#[test]
fn an_unknown_create_that_nothing_ends_is_never_acknowledged_away() {
    let unknown = |window| {
        let mut story = Story::unknown();
        story.policy.provider_order_window = window;
        story.then(400, Input::Woken)
    };
    let mut story = unknown(None);
    for reason in [None, Some(ReviewReason::UnknownCreate)] {
        let refused = story.tell(401, &acknowledge(reason));
        assert_eq!(
            refused,
            orderkeep_core::Outcome::Refused(orderkeep_core::Refusal::StillUnknown)
        );
    }
    assert_eq!(story.open(), [ReviewReason::UnknownCreate]);
    let story = story.then(402, resolve(orderkeep_core::Resolution::NoProviderOrder));
    assert_eq!((story.name(), story.open()), (StateName::Failed, Vec::new()));
    // Where time ends it, nobody has to.
    let mut story = unknown(Some(std::time::Duration::from_secs(3_600)));
    let _ = story.tell(401, &acknowledge(None));
    assert!(story.open().is_empty());
}
