//! A dry run: what is judged again by other rules or settings than it was.

use std::time::Duration;

use crate::fixture::*;
use orderkeep_core::{Event, Input, Order, Policy, ProviderStatus, replay::Difference};

/// Executed with half a coin too little, which asked a person.
fn short() -> Story {
    let seen = read(20, ProviderStatus::Executed).paid("99.5");
    Story::awaiting().observes(20, seen)
}

fn differences(story: &Story, policy: &Policy) -> Vec<Difference> {
    Order::replay(&story.history, policy).expect("a whole history")
}

#[test]
fn what_was_judged_by_the_same_rules_comes_to_the_same() {
    let story = short();
    assert_eq!(differences(&story, &story.policy), []);
    let story = Story::unknown().then(302, Input::Woken).then(LOCK_ENDS + WINDOW, Input::Woken);
    assert_eq!(story.count("failed"), 1);
    assert_eq!(differences(&story, &story.policy), []);
    // Also where the provider's clock was ahead then, and is not now.
    let ahead = Policy { clock_ahead: Duration::from_secs(10), ..policy() };
    let story = Story::with(ahead).then(LOCK_ENDS - 5, Input::Woken);
    assert_eq!((story.count("failed"), differences(&story, &policy())), (1, Vec::new()));
}

#[test]
fn another_setting_says_which_steps_it_changes() {
    let story = short();
    let tolerant = Policy { amount_tolerance: exact("1"), ..policy() };
    let found = differences(&story, &tolerant);
    let [difference] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!(difference.came_to, ["read", "executed", "review_raised"]);
    assert_eq!(difference.comes_to, ["read", "executed"]);
    assert_eq!((difference.version, difference.at), (6, at(20)));

    let story = Story::unknown().then(302, Input::Woken);
    let patient = Policy { unknown_create_review_after: Duration::from_secs(600), ..policy() };
    let found = differences(&story, &patient);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].came_to.as_slice(), found[0].comes_to.is_empty()),
        (&["review_raised"][..], true)
    );
}

/// As if a fault of ours had failed it: the read that was kept says otherwise.
#[test]
fn a_verdict_that_its_evidence_does_not_bear_out_is_found() {
    let mut story = Story::awaiting().read(20, ProviderStatus::Expired);
    for record in &mut story.history {
        if let Event::Read { seen } = &mut record.event
            && seen.status == ProviderStatus::Expired
        {
            **seen = read(20, ProviderStatus::Executed).paid("100");
        }
    }
    let found = differences(&story, &story.policy);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].comes_to.last(), Some(&"executed"));
    assert!(found[0].came_to.contains(&"failed"), "{found:?}");
}

#[test]
fn two_reads_at_one_time_are_two_steps() {
    let story = Story::awaiting()
        .observes(20, read(19, ProviderStatus::Confirming).paid("40"))
        .observes(20, read(20, ProviderStatus::Confirming).paid("100"));
    assert_eq!(story.count("read"), 3);
    assert_eq!(differences(&story, &story.policy), []);
}

/// Webhooks heard at one time are steps of their own, also where one of them left nothing but the state it led to.
#[test]
fn webhooks_heard_at_one_time_are_steps_of_their_own() {
    let wallet = || Input::Observed(claim(10, ProviderStatus::WaitingForWallet));
    let confirming = || Input::Observed(claim(10, ProviderStatus::Confirming));
    let both = Story::created().then(10, wallet()).then(10, confirming());
    assert_eq!((both.count("wallet_requested"), both.count("claimed")), (1, 1));
    assert_eq!(differences(&both, &both.policy), []);
    // What no claim comes to is found all the same, whatever stands beside it.
    let mut more = both.clone();
    let mut stray = more.history.last().unwrap().clone();
    stray.event = Event::Noted { text: "nobody said this".to_owned() };
    more.history.push(stray);
    assert_ne!(differences(&more, &more.policy), []);
}

#[test]
fn half_a_history_is_not_judged() {
    let story = short();
    assert_eq!(Order::replay(&story.history[1..], &story.policy), None);
    assert_eq!(Order::replay(&[], &story.policy), None);
}

#[test]
fn it_is_told_with_the_explanation() {
    let story = short();
    let history: Vec<_> = story
        .history
        .iter()
        .enumerate()
        .map(|(n, record)| (n as u64 + 1, record.clone()))
        .collect();
    let outlook = orderkeep_core::Outlook { wake_up: None, calls: orderkeep_core::Calls::Flowing };
    let told =
        |policy: &Policy| story.order.explain(&history, outlook, at(30), policy).why.join(" ");
    assert!(!told(&story.policy).contains("of today"));
    let tolerant = Policy { amount_tolerance: exact("1"), ..policy() };
    assert!(
        told(&tolerant).contains("event 6 of 2026-03-01T12:00:20Z would come to: read, executed. It came to: read, executed, review_raised."),
        "{}",
        told(&tolerant)
    );
}
