//! When an order is looked at, and what is due then.

use crate::fixture::*;
use orderkeep_core::{
    AnswerClass, CreateAnswer, Due, Input, Order, Policy, ProviderStatus, Resolution, WakeUp,
};
use std::time::Duration;

const DAY: i64 = 86_400;

/// How many seconds after `now` it is looked at, and by how much that may be put off.
fn wait(story: &Story, now: i64) -> (Duration, Duration) {
    let WakeUp { at: then, spread } = story.order.wake_up(at(now), &story.policy).unwrap();
    (then.since(at(now)), spread)
}

fn seconds(story: &Story, now: i64) -> u64 {
    wait(story, now).0.as_secs()
}

fn due(story: &Story, now: i64) -> Due {
    story.order.due(at(now), &story.policy)
}

#[test]
fn a_new_order_is_due_at_once_and_ends_at_its_margin() {
    let story = Story::new();
    assert_eq!(story.order.wake_up(at(0), &story.policy), Some(WakeUp::exactly(at(0))));
    assert_eq!(due(&story, 0), Due::Create);
    assert_eq!(due(&story, LOCK_ENDS - 2), Due::Create);
    assert_eq!(due(&story, LOCK_ENDS - 1), Due::Tick);
    assert!(story.order.may_still_send(at(LOCK_ENDS - 2), &story.policy));
    assert!(!story.order.may_still_send(at(LOCK_ENDS - 1), &story.policy));
}

/// The caller's own time for a fresh lock is over after its last moment, not in it.
#[test]
fn a_fresh_lock_is_taken_until_the_callers_time_is_over() {
    let mut body = submit_with_relock();
    let until = LOCK_ENDS + 60;
    body.relock.as_mut().unwrap().until = Some(at(until));
    let mut story = Story::submitting(body);
    let _ = story.tell(LOCK_ENDS, &Input::Woken);
    let due = [LOCK_ENDS, until, until + 1].map(|now| due(&story, now));
    assert_eq!(due, [Due::Lock, Due::Lock, Due::Tick]);
}

#[test]
fn a_create_that_was_not_sent_waits_longer_each_time_and_never_past_the_margin() {
    let mut story = Story::new();
    let mut now = 1;
    let mut waits = Vec::new();
    for attempt in 1..=6 {
        let _ = story.tell(now, &permit());
        let _ = story.tell(now, &answered(attempt, not_sent()));
        waits.push(wait(&story, now).0.as_millis());
        assert_eq!(due(&story, now), Due::Nothing);
        now += 10;
    }
    assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 8_000]);
    let asked = CreateAnswer::Refused {
        class: AnswerClass::Throttled,
        code: None,
        why: "too many".to_owned(),
        retry_after: Some(Duration::from_secs(600)),
    };
    let story = story.then(400, permit()).then(400, answered(7, asked));
    // Ten minutes were asked for, and the lock ends before.
    let margin = story.order.wake_up(at(400), &story.policy).unwrap().at;
    assert_eq!(margin, at(LOCK_ENDS - 2).plus(Duration::from_micros(1)));
    assert_eq!(due(&story, LOCK_ENDS - 1), Due::Tick);
}

#[test]
fn a_held_create_wakes_up_only_for_its_end() {
    let story =
        Story::in_flight().then(2, answered(1, refused(AnswerClass::Definite, Some("P403"))));
    assert_eq!(due(&story, 3), Due::Nothing);
    assert_eq!(seconds(&story, 3), 895);
}

#[test]
fn an_unknown_create_asks_then_ends_then_is_looked_at_daily() {
    let story = Story::unknown();
    assert_eq!(seconds(&story, 2), 300);
    let story = story.then(302, Input::Woken);
    let end = LOCK_ENDS + WINDOW;
    assert_eq!(seconds(&story, 302), u64::try_from(end - 302).unwrap());
    let without = Policy { provider_order_window: None, ..Policy::default() };
    let story = Story::with(without)
        .then(1, permit())
        .then(2, answered(1, refused(AnswerClass::Ambiguous, None)))
        .then(400, Input::Woken);
    assert_eq!(seconds(&story, 400), 86_400);
}

#[test]
fn an_address_is_asked_for_often_at_first() {
    let story = Story::created();
    assert_eq!(due(&story, 3), Due::Fetch(ours()));
    // A quarter of the age, between two seconds and thirty.
    let waits: Vec<_> = [2, 10, 42, 82, 2_000].iter().map(|now| seconds(&story, *now)).collect();
    assert_eq!(waits, [2, 2, 10, 20, 30]);
    assert_eq!(wait(&story, 82).1, Duration::from_secs(4), "spread by a fifth");
}

#[test]
fn a_payment_is_asked_for_and_the_deadline_is_never_slept_over() {
    let story = Story::awaiting();
    assert_eq!([10, 90, 170, 2_000].map(|now| seconds(&story, now)), [15, 20, 40, 60]);
    let near = wait(&story, PAY_BY - 20).0;
    assert_eq!(near, Duration::from_millis(20_001));
    // After it, what the provider decides is asked for closely, then less so.
    assert_eq!([0, 60, 600].map(|late| seconds(&story, PAY_BY + late)), [10, 15, 30]);
}

#[test]
fn what_was_paid_is_followed_closely() {
    let story = Story::awaiting().observes(100, read(100, ProviderStatus::Confirming).paid("40"));
    assert_eq!([100, 180, 1_000].map(|now| seconds(&story, now)), [10, 20, 30]);
    // A fall waits for its second read.
    let story = story.read(2_000, ProviderStatus::AwaitingPayment);
    assert_eq!(seconds(&story, 2_000), 10);
}

#[test]
fn a_claim_is_read_at_once_and_then_less_and_less_often() {
    let mut story = Story::awaiting();
    let _ = story.tell(20, &Input::Observed(claim(20, ProviderStatus::Executed).paid("100")));
    let told = story.last_step().unwrap().wake_up;
    assert_eq!(told, Some(WakeUp::exactly(at(20))), "a crash does not lose the read");
    let waits: Vec<_> = [20, 21, 24, 40, 200].iter().map(|now| wait(&story, *now).0).collect();
    assert_eq!(waits, [100, 500, 2_000, 10_000, 30_000].map(Duration::from_millis));
    let story = story.read(30, ProviderStatus::AwaitingPayment);
    assert!(story.order.hint.is_none());
    assert_eq!(seconds(&story, 30), 15);
}

#[test]
fn an_ended_order_is_watched_for_a_week() {
    let story = Story::awaiting().observes(20, read(20, ProviderStatus::Executed).paid("100"));
    assert_eq!(seconds(&story, 20), 900);
    assert_eq!(seconds(&story, 20 + DAY), 21_600);
    assert_eq!(due(&story, 20 + 7 * DAY), Due::Fetch(ours()));
    assert_eq!(due(&story, 21 + 7 * DAY), Due::Nothing);
    assert_eq!(story.order.wake_up(at(20 + 7 * DAY), &story.policy), None);
    // What never was at the provider is not watched.
    let cancelled = Story::new().then(2, cancel());
    assert_eq!(cancelled.order.wake_up(at(3), &cancelled.policy), None);
    assert_eq!(due(&cancelled, 3), Due::Nothing);
}

#[test]
fn a_claim_after_the_watch_is_still_read() {
    let late = 30 * DAY;
    let story = Story::awaiting()
        .observes(20, read(20, ProviderStatus::Executed).paid("100"))
        .observes(late, claim(late, ProviderStatus::Reversed));
    assert_eq!(due(&story, late), Due::Fetch(ours()));
    assert!(story.order.wake_up(at(late), &story.policy).is_some());
}

#[test]
fn an_adoption_comes_before_everything() {
    let mut story = Story::unknown();
    let _ = story.tell(3, &adopt(other()));
    assert_eq!(due(&story, 3), Due::Fetch(other()));
    assert_eq!(story.last_step().unwrap().wake_up, Some(WakeUp::exactly(at(3))));
    let story = Story::new().then(1, adopt(other()));
    assert_eq!(due(&story, 2), Due::Fetch(other()), "nothing is posted meanwhile");
    // Given up, it is gone with the order's own life.
    let ended = Story::unknown().then(3, resolve(Resolution::NoProviderOrder));
    assert_eq!(due(&ended, 4), Due::Nothing);
}

#[test]
fn a_lock_that_is_over_at_the_submit_fails_on_record() {
    let step = submitted(at(LOCK_ENDS), &policy());
    let names: Vec<_> = step.events.iter().map(|record| record.event.name()).collect();
    assert_eq!(names, ["submitted", "failed"]);
    assert_eq!(step.wake_up, None);
    assert_eq!(Order::fold(&step.events).as_ref(), Ok(&step.next));
}
