//! Answers of the create.

use super::create;
use crate::fixture::*;
use orderkeep_core::state::Create;
use orderkeep_core::{AnswerClass, StateName};

#[test]
fn a_code_in_an_ambiguous_answer_decides_nothing() {
    let story =
        Story::in_flight().then(2, answered(1, refused(AnswerClass::Ambiguous, Some("P462"))));
    assert!(matches!(create(&story), Create::Unknown { .. }));
}

#[test]
fn a_late_acceptance_settles_an_earlier_refusal() {
    let story = Story::in_flight()
        .then(2, answered(1, refused(AnswerClass::Definite, Some("P403"))))
        .then(3, answered(1, accepted(ours())));
    assert_eq!(story.name(), StateName::Created);
    assert!(story.open().is_empty());
}
