//! Nobody is forgotten: an order of which nothing new is ever heard comes to its end, or a person is asked, within the
//! age that its situation has. The clock goes from wake-up to wake-up; nothing else moves it.

use std::time::Duration;

use crate::{
    fixture::*,
    samples::{now_in, order_in},
};
use orderkeep_core::{Due, Input, Outcome, Policy, Timestamp, table::Situation};

/// What its reads bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// What the last one said.
    TheSame,
    /// Nothing, while those of others are answered.
    Nothing,
}

/// What an order comes to that is left alone, and how many seconds after its first wake-up.
fn left_alone(mut story: Story, start: i64, reads: Reads) -> (String, u64) {
    let mut now = at(start);
    for _ in 0..20_000 {
        if let Some(review) = story.order.open_reviews().next() {
            return (review.reason.name().to_owned(), now.since(at(start)).as_secs());
        }
        if story.name().is_end() {
            return (story.name().to_string(), now.since(at(start)).as_secs());
        }
        let wake_up = story.order.wake_up(now, &story.policy).expect("a wake-up");
        now = now.max(wake_up.at);
        let input = match story.order.due(now, &story.policy) {
            Due::Tick => Input::Woken,
            Due::Fetch(_) => read_of(&story, reads, now),
            // The budget never has room, and no lock is ever given: the engine looks again when the margin has passed.
            Due::Create => {
                now = story.order.last_send(&story.policy).plus(Duration::from_micros(1));
                Input::Woken
            }
            Due::Lock | Due::Nothing => continue,
        };
        if let Outcome::Moved(step) = story.order.step(&input, now, &story.policy) {
            story.order = step.next;
        }
    }
    panic!("forgotten: {:#?}", story.order)
}

fn read_of(story: &Story, reads: Reads, now: Timestamp) -> Input {
    let said = story.order.state.bound().and_then(|bound| bound.last_read.clone());
    match (reads, said) {
        (Reads::TheSame, Some(mut seen)) => {
            seen.source = orderkeep_core::Source::Confirmed { read_started_at: now };
            Input::Observed(*seen)
        }
        (Reads::Nothing, _) | (_, None) => Input::Woken,
    }
}

/// Every situation before the end: what it comes to, within how many seconds.
#[rustfmt::skip]
const AGES: [(Situation, &str, u64); 14] = [
    // Nothing was sent when the lock's margin passes: it ends.
    (Situation::NotSent, "Failed", 900),
    (Situation::Held, "create_refused", 0),
    (Situation::InFlight, "unknown_create", 30 + 300),
    (Situation::Unknown, "unknown_create", 300),
    (Situation::PostAgain, "unknown_create", 900 + 300),
    (Situation::InFlightAgain, "unknown_create", 30 + 300),
    (Situation::Exposed, "exposure_possible", 0),
    (Situation::Relocking, "relock_late", 600),
    (Situation::Created, "wallet_late", 600),
    (Situation::WaitingForWallet, "wallet_late", 600),
    // A quarter of an hour after its deadline.
    (Situation::Unpaid, "overdue", 3_600 + 900),
    (Situation::PartlyPaid, "overdue", 3_600 + 900),
    (Situation::Paid, "overdue", 3_600 + 900),
    (Situation::Overpaid, "overdue", 3_600 + 900),
];

#[test]
fn an_order_that_is_left_alone_ends_or_asks_within_its_age() {
    let open = Situation::ALL.iter().filter(|situation| !order_in(**situation).name().is_end());
    assert_eq!(open.count(), AGES.len(), "every situation before the end has an age");
    for (situation, comes_to, age) in AGES {
        for reads in [Reads::TheSame, Reads::Nothing] {
            let (came_to, after) = left_alone(order_in(situation), now_in(situation), reads);
            assert_eq!(came_to, comes_to, "{situation:?}, {reads:?}");
            // What is read is noticed by the next poll.
            assert!(after <= age + 60, "{situation:?}, {reads:?}: {after} s");
        }
    }
}

/// A payment has an age of its own, which counts where the deadline is far away or none was named.
#[test]
fn a_payment_that_is_left_alone_asks_within_its_own_age() {
    for (amount, comes_to, age) in [("0", "overdue", 86_400), ("40", "payment_stuck", 7_200)] {
        for reads in [Reads::TheSame, Reads::Nothing] {
            let mut seen = read(20, orderkeep_core::ProviderStatus::Confirming).paid(amount);
            seen.expires_at = None;
            let mut story = Story::created().observes(20, seen);
            story.policy = Policy { unpaid_review_after: Duration::from_secs(86_400), ..policy() };
            let (came_to, after) = left_alone(story, 20, reads);
            assert_eq!(came_to, comes_to, "{amount}, {reads:?}");
            assert!((age - 60..=age + 60).contains(&after), "{amount}, {reads:?}: {after} s");
        }
    }
}

/// A fresh lock that does not come asks once, goes on trying, and answers the question by coming.
#[test]
fn a_fresh_lock_that_does_not_come_asks_and_answers_by_coming() {
    let over = LOCK_ENDS;
    let story = order_in(Situation::Relocking);
    let asks = over + 600;
    assert_eq!(story.order.due(at(asks - 1), &story.policy), Due::Lock);
    assert_eq!(story.order.due(at(asks), &story.policy), Due::Tick);
    let story = story.then(asks, Input::Woken);
    assert_eq!(story.open(), [orderkeep_core::ReviewReason::RelockLate]);
    assert_eq!(story.order.due(at(asks + 30), &story.policy), Due::Lock);
    let acknowledged = story.clone().then(asks + 1, acknowledge(None)).then(asks + 2, Input::Woken);
    assert!(acknowledged.open().is_empty());
    let came = story.clone().then(asks + 40, locked_again(fresh(asks + 40, "105")));
    assert!(came.open().is_empty() && !came.name().is_end());
    let cancelled = story.then(asks + 40, cancel());
    assert!(cancelled.open().is_empty() && cancelled.name().is_end());
}
