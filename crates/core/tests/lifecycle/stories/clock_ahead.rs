//! The provider's clock is ahead of ours: a lock ends as much sooner, and where that decided, the history says so.

use std::time::Duration;

use super::failed;
use crate::fixture::*;
use orderkeep_core::{Due, FailReason, Input, Policy};

fn ahead(seconds: u64) -> Policy {
    Policy { clock_ahead: Duration::from_secs(seconds), ..policy() }
}

fn events_after(story: &Story) -> Vec<&str> {
    story.history[1..].iter().map(|record| record.event.name()).collect()
}

#[test]
fn an_end_that_the_wider_margin_decided_says_so() {
    // (the clock is ahead by, told at, what is on record)
    let cases: [(u64, i64, &[&str]); 4] = [
        (0, LOCK_ENDS - 1, &["failed"]),
        (10, LOCK_ENDS - 11, &["margin_widened", "failed"]),
        (10, LOCK_ENDS - 2, &["margin_widened", "failed"]),
        // By our own clock it was too late as well.
        (10, LOCK_ENDS - 1, &["failed"]),
    ];
    for (seconds, told, expected) in cases {
        let story = Story::with(ahead(seconds));
        assert_eq!(story.order.due(at(told), &story.policy), Due::Tick, "{seconds} {told}");
        let story = story.then(told, Input::Woken);
        assert_eq!(failed(&story), Some(&FailReason::LockExpired));
        assert_eq!(events_after(&story), expected, "{seconds} {told}");
    }
    let story = Story::with(ahead(10));
    assert_eq!(story.order.due(at(LOCK_ENDS - 12), &story.policy), Due::Create);
    // A leave that comes late is as good as the clock.
    let story = story.then(LOCK_ENDS - 11, permit());
    assert_eq!(events_after(&story), ["margin_widened", "failed"]);
}

#[test]
fn a_fresh_lock_that_the_wider_margin_brought_about_says_so() {
    let mut story = Story::with_relock();
    story.policy = ahead(10);
    let story = story.then(LOCK_ENDS - 5, Input::Woken);
    let names: Vec<_> = story.history.iter().map(|record| record.event.name()).collect();
    assert_eq!(names[names.len() - 2..], ["margin_widened", "relock_wanted"]);
    // One that is over by the provider's clock is of no use either.
    let now = LOCK_ENDS + 60;
    let mut useless = fresh(now, "100");
    useless.expires_at = at(now + 11);
    assert_eq!(story.clone().then(now, locked_again(useless.clone())).count("relocked"), 0);
    useless.expires_at = at(now + 12);
    assert_eq!(story.then(now, locked_again(useless)).count("relocked"), 1);
}

#[test]
fn it_is_told_in_words() {
    let story = Story::with(ahead(10)).then(LOCK_ENDS - 5, Input::Woken);
    let history: Vec<_> = story
        .history
        .iter()
        .enumerate()
        .map(|(n, record)| (n as u64 + 1, record.clone()))
        .collect();
    let outlook = orderkeep_core::Outlook { wake_up: None, calls: orderkeep_core::Calls::Flowing };
    let said = story.order.explain(&history, outlook, at(LOCK_ENDS), &story.policy);
    let words = &said.evidence[1].said;
    assert!(words.contains("clock is 10 s ahead of ours"), "{words}");
}
