//! A wish to cancel.

use super::{create, failed, funds};
use crate::fixture::*;
use orderkeep_core::state::Create;
use orderkeep_core::{AnswerClass, FailReason, Funds, Outcome, Refusal};

#[test]
fn a_create_that_turns_out_not_sent_is_not_sent_again_once_somebody_cancelled() {
    for answer in [
        not_sent(),
        refused(AnswerClass::Throttled, None),
        refused(AnswerClass::Denied, None),
        refused(AnswerClass::Definite, Some("P403")),
    ] {
        let story = Story::in_flight().then(2, cancel()).then(3, answered(1, answer.clone()));
        assert_eq!(failed(&story), Some(&FailReason::Cancelled), "{answer:?}");
        assert_eq!(*funds(&story), Funds::None);
        assert_eq!(story.intents(), 1);
        assert!(story.open().is_empty(), "nobody is asked about an order that ended as wished");
    }
}

#[test]
fn a_cancel_takes_the_permission_to_post_again_back() {
    let story = Story::unknown().then(3, post_again(lock())).then(4, cancel());
    assert!(matches!(create(&story), Create::Unknown { attempt: 1, .. }));
    let mut story = story.then(5, permit());
    assert_eq!(story.intents(), 1);
    let again = story.tell(6, &post_again(lock()));
    assert!(matches!(again, Outcome::Refused(Refusal::CreateNotDue(_))), "{again:?}");
}

#[test]
fn cancelling_a_refused_create_settles_the_question_about_it() {
    let story = Story::in_flight()
        .then(2, answered(1, refused(AnswerClass::Definite, Some("P403"))))
        .then(3, cancel());
    assert_eq!(failed(&story), Some(&FailReason::Cancelled));
    assert!(story.open().is_empty());
}
