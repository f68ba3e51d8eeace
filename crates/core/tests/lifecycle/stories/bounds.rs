//! Texts are bounded.

use crate::fixture::*;
use orderkeep_core::{Input, Outcome, Refusal, Resolution};

#[test]
fn a_reference_and_a_resolution_are_bounded() {
    let policy = policy();
    let mut long = submit();
    long.reference = Some("x".repeat(2_001));
    let id = "0195a000-0000-7000-8000-000000000001".parse().unwrap();
    let refused = orderkeep_core::Order::submit(id, long, at(0), &policy).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "reference: at most 2000 bytes was agreed, 2001 bytes was found"
    );
    let outcome = Story::unknown().tell(
        3,
        &Input::Command(orderkeep_core::Command::Resolve {
            author: author(),
            resolution: Resolution::NoProviderOrder,
            note: "x".repeat(2_001),
        }),
    );
    assert!(matches!(outcome, Outcome::Refused(Refusal::BadText(_))), "{outcome:?}");
}
