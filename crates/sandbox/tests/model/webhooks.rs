//! Deliveries: the schedule of tries, and when they end.

use orderkeep_sandbox::{DeliveryOutcome, WebhookDue};

use crate::bench::{Bench, START};

/// The address comes at 1.5 s, and its webhook is the only one of an unpaid order's first quarter of an hour.
const FIRST: i64 = START + 1_500;

/// Answers every try of the first delivery with a refusal until one number of tries; returns when each was due.
fn tries_until(bench: &mut Bench, delivered_at_try: u32) -> Vec<(u32, i64)> {
    let lock = bench.lock("840");
    bench.model.create_order(bench.now, lock).unwrap();
    let mut tries = Vec::new();
    while let Some(at) = bench.model.next_due().filter(|&at| at < START + 800_000) {
        bench.now = at;
        for due in bench.model.advance(at) {
            tries.push((due.attempt, at - FIRST));
            bench.model.webhook_answered(at, due.delivery, due.attempt >= delivered_at_try);
        }
    }
    tries
}

#[test]
fn five_tries_and_then_never_again() {
    let mut bench = Bench::usual();
    let tries = tries_until(&mut bench, 6);
    // 8, 16, 32 and 64 s, each after the failure before.
    assert_eq!(tries, [(1, 0), (2, 8_000), (3, 24_000), (4, 56_000), (5, 120_000)]);
    let delivery = &bench.model.ledger().deliveries[0];
    assert_eq!((delivery.tries, delivery.outcome), (5, DeliveryOutcome::GivenUp));
    assert_eq!(bench.model.summary().deliveries_given_up, 1);
}

#[test]
fn a_delivered_webhook_is_not_tried_again() {
    let mut bench = Bench::usual();
    assert_eq!(tries_until(&mut bench, 3), [(1, 0), (2, 8_000), (3, 24_000)]);
    let delivery = &bench.model.ledger().deliveries[0];
    assert_eq!((delivery.tries, delivery.outcome), (3, DeliveryOutcome::Delivered));
}

#[test]
fn the_wait_runs_from_the_failure_not_from_the_try() {
    let mut bench = Bench::usual();
    let lock = bench.lock("840");
    bench.model.create_order(bench.now, lock).unwrap();
    let due = bench.model.advance(FIRST);
    // The receiver took five seconds to fail.
    bench.model.webhook_answered(FIRST + 5_000, due[0].delivery, false);
    assert_eq!(bench.model.next_due(), Some(FIRST + 13_000));
}

#[test]
fn a_try_under_way_is_not_handed_out_twice() {
    let mut bench = Bench::usual();
    let lock = bench.lock("840");
    bench.model.create_order(bench.now, lock).unwrap();
    assert_eq!(bench.model.advance(FIRST).len(), 1);
    assert_eq!(bench.model.advance(FIRST + 60_000), Vec::<WebhookDue>::new());
}

#[test]
fn a_bounded_hand_out_keeps_the_rest_due() {
    let mut bench = Bench::usual();
    for _ in 0..5 {
        let lock = bench.lock("840");
        bench.model.create_order(bench.now, lock).unwrap();
    }
    assert_eq!(bench.model.advance_some(FIRST, 2).len(), 2);
    assert_eq!(bench.model.next_due(), Some(FIRST));
    assert_eq!(bench.model.advance_some(FIRST, 2).len(), 2);
    assert_eq!(bench.model.advance_some(FIRST, 2).len(), 1);
}

#[test]
fn an_answer_for_an_unknown_or_finished_delivery_changes_nothing() {
    let mut bench = Bench::usual();
    bench.payable();
    let before = bench.model.ledger();
    bench.model.webhook_answered(bench.now, 0, false);
    bench.model.webhook_answered(bench.now, 999, true);
    assert_eq!(bench.model.ledger(), before);
}
