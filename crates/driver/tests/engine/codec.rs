//! Orders as bytes: those of every schema are pinned here as literal data.

use std::collections::BTreeMap;

use orderkeep_core::{
    AccountId, Cause, Event, EventRecord, IdempotencyKey, Metadata, Order, OrderId, Policy, Submit,
    Terms,
};
use orderkeep_driver::codec::{self, CodecError};

use crate::world::{at, terms};

/// The order below, as schema 1 wrote it: nothing was there of claims written down and of fresh locks.
const PINNED_1: &str = concat!(
    "010100100195a0000000700080000000000000010764656661756c74056b65792d310109696e766f",
    "6963652037066c6f636b2d3103313030047573646307706f6c79676f6e04302e3834010365757201",
    "023834fd0066218fea970c00fd00205e6bea970c00fd00205e6bea970c0001000000fd00205e6bea",
    "970c00000000000000000000",
);

/// As schema 2 wrote it: no claims, no fresh lock allowed, no earlier locks.
fn pinned_2() -> String {
    format!("010200{}000000", &PINNED_1[6..])
}

/// As schema 3 writes it, with `cart`: `17` as its metadata.
fn pinned() -> String {
    format!("010300{}000000{CART_17}", &PINNED_1[6..])
}

/// One entry: a name of 4 bytes, a text of 2.
const CART_17: &str = "010463617274023137";

/// The event below, and the lock of the order.
const EVENT: &str = "010200fd80a47c6bea970c0001036f70730401096e6f20616e73776572";
const LOCK: &str = concat!(
    "010100066c6f636b2d3103313030047573646307706f6c79676f6e04302e3834010365757201",
    "023834fd0066218fea970c00",
);

/// The event that the order begins with, as schema 1 wrote it.
const SUBMITTED_1: &str = concat!(
    "010100fd00205e6bea970c000000100195a0000000700080000000000000010764656661756c74056b65792d31",
    "066c6f636b2d3103313030047573646307706f6c79676f6e04302e3834010365757201023834",
    "fd0066218fea970c000109696e766f6963652037",
);

/// As schema 2 writes it.
fn submitted_2() -> String {
    format!("010200{}{CART_17}", &SUBMITTED_1[6..])
}

fn cart_17() -> Metadata {
    Metadata::new(BTreeMap::from([("cart".to_owned(), "17".to_owned())])).unwrap()
}

/// The order, and the event that it begins with.
fn submitted(metadata: Metadata) -> (Order, EventRecord) {
    let id: OrderId = "0195a000-0000-7000-8000-000000000001".parse().unwrap();
    let submit = Submit {
        account: AccountId::main(),
        key: IdempotencyKey::new("key-1").unwrap(),
        terms: terms("lock-1"),
        reference: Some("invoice 7".to_owned()),
        relock: None,
        metadata,
    };
    let step = Order::submit(id, submit, at(0), &Policy::default()).unwrap();
    (step.next, step.events[0].clone())
}

fn order() -> Order {
    submitted(cart_17()).0
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// An older or newer version.
///
/// Records of every older version are read; a newer one is refused with a clear error, never misread.
#[test]
fn f15_an_older_or_newer_version() {
    assert_eq!(hex(&codec::encode(&order()).unwrap()), pinned());
    let (order, first) = submitted(cart_17());
    assert_eq!(codec::decode::<Order>(&unhex(&pinned())).unwrap(), order);
    assert_eq!(hex(&codec::encode(&first).unwrap()), submitted_2());
    assert_eq!(codec::decode::<EventRecord>(&unhex(&submitted_2())).unwrap(), first);
    let (order, first) = submitted(Metadata::default());
    for bytes in [PINNED_1, &pinned_2()] {
        assert_eq!(codec::decode::<Order>(&unhex(bytes)).unwrap(), order);
    }
    assert_eq!(codec::decode::<EventRecord>(&unhex(SUBMITTED_1)).unwrap(), first);
    // Of all other events, the bytes are the same.
    let older = EVENT.replacen("010200", "010100", 1);
    let read = |bytes: &str| codec::decode::<EventRecord>(&unhex(bytes)).unwrap();
    assert_eq!(read(&older), read(EVENT));
}

#[test]
fn a_newer_schema_or_codec_is_refused_and_says_what_to_do() {
    for (place, value, schema, codec_number) in [(1, 4, 4, 1), (2, 1, 259, 1), (0, 2, 3, 2)] {
        let mut bytes = unhex(&pinned());
        bytes[place] = value;
        let refused = codec::decode::<Order>(&bytes).unwrap_err();
        let newer = CodecError::Newer { what: "order", codec: codec_number, schema, reads: 3 };
        assert_eq!(refused, newer);
        assert!(refused.to_string().contains("run the version that wrote it, or a later one"));
    }
}

/// Zeroed bytes look like a version of their own; taking them for an old one would read damage as an order.
#[test]
fn schema_0_is_damage_and_no_older_version() {
    let mut bytes = unhex(&pinned());
    bytes[1] = 0;
    let refused = codec::decode::<Order>(&bytes).unwrap_err();
    assert!(matches!(&refused, CodecError::Damaged { what: "order", .. }), "{refused:?}");
    assert!(refused.to_string().contains("schema 0"), "{refused}");
}

#[test]
fn what_is_cut_short_or_too_long_is_refused() {
    for whole in [PINNED_1, &pinned_2(), &pinned()] {
        refused_cut_short_or_too_long::<Order>(whole);
    }
    let older = EVENT.replacen("010200", "010100", 1);
    for whole in [SUBMITTED_1, &submitted_2(), EVENT, &older] {
        refused_cut_short_or_too_long::<EventRecord>(whole);
    }
}

fn refused_cut_short_or_too_long<T: codec::Record + std::fmt::Debug>(whole: &str) {
    let whole = unhex(whole);
    for length in 0..whole.len() {
        let refused = codec::decode::<T>(&whole[..length]);
        assert!(matches!(refused, Err(CodecError::Damaged { .. })), "{length}: {refused:?}");
    }
    let mut longer = whole;
    longer.push(0);
    assert!(matches!(codec::decode::<T>(&longer), Err(CodecError::Damaged { .. })));
}

#[test]
fn the_bytes_of_events_and_locks_are_pinned_too() {
    let order = order();
    let event = EventRecord {
        at: at(1),
        cause: Cause::Command("ops".parse().unwrap()),
        event: Event::CreateUnknown { attempt: 1, why: "no answer".to_owned() },
    };
    for (what, written, pinned) in [
        ("event", hex(&codec::encode(&event).unwrap()), EVENT),
        ("lock", hex(&codec::encode(&order.terms).unwrap()), LOCK),
    ] {
        assert_eq!(written, pinned, "{what}");
    }
    assert_eq!(codec::decode::<EventRecord>(&unhex(EVENT)).unwrap(), event);
    assert_eq!(codec::decode::<Terms>(&unhex(LOCK)).unwrap(), order.terms);
}

/// A damaged length asks for more than any record has: refused, without asking for the memory.
#[test]
fn a_length_beyond_the_limit_is_refused() {
    // The head of an event, and a text that says it has 2^62 bytes.
    let mut bytes = unhex(EVENT);
    let text = bytes.windows(3).position(|window| window == b"ops").unwrap() - 1;
    bytes.splice(text..=text, [0xfd, 0, 0, 0, 0, 0, 0, 0, 0x40]);
    let refused = codec::decode::<EventRecord>(&bytes).unwrap_err().to_string();
    assert!(refused.contains("damaged event") && refused.contains("LimitExceeded"), "{refused}");
}
