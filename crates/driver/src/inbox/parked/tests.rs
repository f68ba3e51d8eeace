//! When strangers are asked about, and when they are given up.

use orderkeep_core::ProviderOrderId;
use uuid::Uuid;

use super::*;

const KEEP: Duration = Duration::from_secs(3_600);
const GRACE: Duration = Duration::from_secs(120);

fn key(name: &str) -> Key {
    ("main".parse().unwrap(), ProviderOrderId::new(name).unwrap())
}

const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn waits(seq: u64, name: &str, heard_at: Timestamp) -> Waits {
    Waits { seq: InboxSeq(seq), key: key(name), heard_at, likely: false }
}

fn ended(parked: &mut ParkedOrders, name: &str, found: Found, now: Timestamp) -> Then {
    parked.ended(&key(name), &[], found, now, (KEEP, GRACE))
}

fn seqs(of: &[u64]) -> Vec<InboxSeq> {
    of.iter().map(|seq| InboxSeq(*seq)).collect()
}

#[test]
fn many_webhooks_of_one_order_are_one_read() {
    let mut parked = ParkedOrders::default();
    parked.park(waits(1, "p", at(0)), at(0));
    assert_eq!(
        parked.begin(at(0), true),
        Some(ToRead { key: key("p"), webhooks: seqs(&[1]), likely: false })
    );
    for seq in 2..6 {
        parked.park(waits(seq, "p", at(1)), at(1));
    }
    assert_eq!(parked.begin(at(10_000_000), true), None, "it is being read");
    assert_eq!(parked.next_at(true), None);
}

#[test]
fn what_came_while_it_was_read_is_told_apart() {
    let mut parked = ParkedOrders::default();
    parked.park(waits(1, "p", at(0)), at(0));
    parked.begin(at(0), true).unwrap();
    parked.park(waits(2, "p", at(1)), at(1));
    let order = OrderId(Uuid::nil());
    let then = parked.ended(&key("p"), &seqs(&[1]), Found::Ours(order), at(2), (KEEP, GRACE));
    assert_eq!(then, Then::HandOver { order, told: seqs(&[1]), late: seqs(&[2]) });
    assert_eq!(parked.next_at(true), None);
}

#[test]
fn reads_of_a_stranger_come_less_and_less_often() {
    let mut parked = ParkedOrders::default();
    parked.park(waits(1, "p", at(0)), at(0));
    let mut times = Vec::new();
    let mut now = at(0);
    for _ in 0..6 {
        parked.begin(now, true).unwrap();
        assert_eq!(ended(&mut parked, "p", Found::NotOurs, now), Then::Wait);
        // What is said about a stranger brings no read.
        parked.park(waits(9, "p", now), now);
        now = parked.next_at(true).unwrap();
        times.push(now.as_micros() / 1_000);
    }
    assert_eq!(times, [250, 750, 1_750, 3_750, 7_750, 15_750]);
}

#[test]
fn a_word_about_what_may_be_ours_brings_a_read_soon_and_no_storm_of_them() {
    let mut parked = ParkedOrders::default();
    parked.park(waits(1, "p", at(0)), at(0));
    for tries in 0..12 {
        let now = at(tries * 100_000);
        parked.begin(now, true).unwrap();
        assert_eq!(ended(&mut parked, "p", Found::NoAnswer, now), Then::Wait);
        let wait = parked.next_at(true).unwrap().since(now);
        assert!(wait <= Duration::from_secs(30), "{wait:?}");
    }
    let last = 11 * 100_000;
    parked.park(waits(2, "p", at(last + 1)), at(last + 1));
    assert_eq!(parked.next_at(true), Some(at(last + 250)));
}

#[test]
fn only_what_a_read_has_shown_not_to_be_ours_is_given_up() {
    let mut parked = ParkedOrders::default();
    // Heard long ago, by a process that is gone.
    parked.park(waits(1, "p", at(0)), at(8_000_000));
    for second in 0..5 {
        let now = at(8_000_000 + second * 60_000);
        parked.begin(now, true).unwrap();
        assert_eq!(ended(&mut parked, "p", Found::NoAnswer, now), Then::Wait);
    }
    let now = at(9_000_000);
    parked.begin(now, true).unwrap();
    assert_eq!(ended(&mut parked, "p", Found::NotOurs, now), Then::GiveUp(seqs(&[1])));
}

#[test]
fn what_the_provider_does_not_find_yet_is_no_stranger() {
    let mut parked = ParkedOrders::default();
    parked.park(waits(1, "new", at(0)), at(0));
    parked.begin(at(0), true).unwrap();
    assert_eq!(ended(&mut parked, "new", Found::Nothing, at(0)), Then::Wait);
    // A stranger has come and gone; when there are too many, it goes and the other stays.
    parked.park(waits(2, "stranger", at(1)), at(1));
    parked.begin(at(1), true).unwrap();
    assert_eq!(ended(&mut parked, "stranger", Found::NotOurs, at(1)), Then::Wait);
    for seq in 3..=10_000 {
        let given_up = parked.park(waits(seq, &format!("p-{seq}"), at(2)), at(2));
        assert_eq!(given_up, [], "{seq}");
    }
    assert_eq!(parked.park(waits(10_001, "one-more", at(3)), at(3)), seqs(&[2]));
    assert_eq!(parked.park(waits(10_002, "and-more", at(3)), at(3)), []);
}

#[test]
fn those_that_name_a_lock_of_ours_go_first() {
    let mut parked = ParkedOrders::default();
    parked.park(waits(1, "a", at(0)), at(0));
    parked.park(Waits { likely: true, ..waits(2, "b", at(5)) }, at(5));
    parked.park(waits(3, "c", at(5)), at(5));
    assert_eq!(parked.begin(at(5), false).unwrap().key, key("b"));
    assert_eq!(parked.begin(at(5), false), None);
    // It is said later of one that waits already.
    parked.park(Waits { likely: true, ..waits(4, "c", at(6)) }, at(6));
    assert_eq!(parked.begin(at(6), false).unwrap().key, key("c"));
    assert_eq!(parked.begin(at(6), true).unwrap().key, key("a"));
}

#[test]
fn the_last_webhooks_of_an_order_stay() {
    let mut parked = ParkedOrders::default();
    for seq in 1..=8 {
        assert_eq!(parked.park(waits(seq, "p", at(0)), at(0)), []);
    }
    assert_eq!(parked.park(waits(9, "p", at(0)), at(0)), seqs(&[1]));
}
