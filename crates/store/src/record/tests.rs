//! The bytes on the disk. They may never change: a store that was written by any version is read by every later one.
//!
//! The fixtures were written once, by the version in their folder's name. A new schema version gets a new folder beside
//! the old one; an old folder is never written again.

use std::{fmt::Debug, sync::Arc};

use bytes::Bytes;
use proptest::prelude::*;
use uuid::Uuid;

use super::{journal::InboxEntry, *};
use crate::{Claim, EntityId, InboxSeq, Incarnation, Kind, Label, PartitionId};

fn id() -> EntityId {
    EntityId(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001))
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            other => panic!("{other} is no hex digit"),
        })
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is written today is the fixture, and the fixture reads as what was written.
fn golden<R: Record + Debug + PartialEq>(fixture: &str, record: &R) {
    let bytes = unhex(fixture);
    assert_eq!(hex(&encode(record).unwrap()), hex(&bytes), "{}", R::KIND);
    assert_eq!(&decode::<R>(&bytes).unwrap(), record, "{}", R::KIND);
}

fn journal() -> JournalRecord {
    JournalRecord {
        chain: [0xc5; 16],
        first: 300,
        entries: vec![
            Entry::Commit {
                change: Some(ChangeEntry {
                    id: id(),
                    kind: Kind(7),
                    partition: PartitionId(0),
                    before: 2,
                    events: vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")],
                    view: Some(NewView::Whole(Bytes::from_static(b"view"))),
                    labels: vec![Label::from("Locked"), Label::from("review")],
                    wake_up: Some(-1),
                    claims: vec![Claim::new("key", &["a", "bc"])],
                }),
                inbox: vec![
                    InboxEntry::Finished { seq: InboxSeq(4), disposition: "applied".to_owned() },
                    InboxEntry::Parked { seq: InboxSeq(70_000), reason: "no order".to_owned() },
                ],
            },
            Entry::Arrival {
                account: "default".to_owned(),
                received_at: 1_700_000_000_000_000,
                body: Bytes::from_static(b"{}"),
            },
            Entry::Commit { change: None, inbox: Vec::new() },
        ],
    }
}

fn view() -> ViewRow {
    ViewRow {
        seq: 301,
        kind: Kind(7),
        partition: PartitionId(0),
        version: 4,
        wake_up: Some(1_700_000_000_000_000),
        labels: vec![Label::from("Locked")],
        view: Bytes::from_static(b"view"),
        claims: vec![Claim::new("key", &["a", "bc"])].into(),
    }
}

fn at_rest() -> SealedEntity {
    let spans = vec![HistorySpan { first: 1, events: 4, seq: 301 }];
    SealedEntity { id: id(), row: ViewRow { wake_up: None, ..view() }, spans }
}

fn index() -> Vec<IndexEntry> {
    let entry = |shared, rest, block| IndexEntry { shared, rest: Bytes::from_static(rest), block };
    vec![entry(0, b"c12345678", 0), entry(4, b"45678", 300)]
}

#[test]
fn every_kind_has_its_bytes() {
    let JournalRecord { first, entries, .. } = journal();
    let sealed = seal([0x11; 16], first, entries).unwrap();
    let fixture = unhex(include_str!("../../fixtures/v2/journal.hex"));
    assert_eq!(hex(&sealed.bytes), hex(&fixture));
    assert_eq!(open(&fixture).unwrap(), JournalRecord { chain: sealed.chain, ..journal() });
    golden(include_str!("../../fixtures/v3/view.hex"), &view());
    golden(include_str!("../../fixtures/v1/claim.hex"), &ClaimRow { holder: id() });
    let span = |first, events, seq| HistorySpan { first, events, seq };
    golden(
        include_str!("../../fixtures/v1/history.hex"),
        &HistoryRow { spans: vec![span(1, 2, 300), span(3, 1, 70_000)] },
    );
    golden(
        include_str!("../../fixtures/v1/inbox.hex"),
        &InboxRow {
            account: "default".to_owned(),
            received_at: 5,
            body: Bytes::from_static(b"{}"),
            parked: Some("no order".to_owned()),
        },
    );
    let first = Incarnation { id: id().0, restored_from: None };
    golden(
        include_str!("../../fixtures/v4/backup.hex"),
        &BackupHeader { incarnation: first, seq: 301, chain: [0xc5; 16], base: base() },
    );
    let restored = Incarnation { id: id().0, restored_from: Some(Uuid::from_u128(7)) };
    golden(include_str!("../../fixtures/v2/meta.hex"), &MetaRow { incarnation: restored });
    golden(include_str!("../../fixtures/v1/watermark.hex"), &WatermarkRow { seq: 301 });
    golden(include_str!("../../fixtures/v1/count.hex"), &CountRow { entities: 12 });
    golden(
        include_str!("../../fixtures/v1/mark.hex"),
        &MarkRecord { generation: 9, incarnation: id().0, seq: 301, chain: [0xc5; 16] },
    );
}

#[test]
fn what_is_sealed_has_its_bytes() {
    let block = BlockRecord::seal(&[at_rest()]).unwrap();
    let fixture = unhex(include_str!("../../fixtures/v3/block.hex"));
    assert_eq!(hex(&block), hex(&fixture));
    assert_eq!(BlockRecord::open(&fixture).unwrap(), [at_rest()]);
    let row = IndexRow::seal(index()).unwrap();
    let fixture = unhex(include_str!("../../fixtures/v3/index.hex"));
    assert_eq!(hex(&row), hex(&fixture));
    assert_eq!(IndexRow::open(&fixture).unwrap(), index());
    let filter = FilterRecord::seal(&[1, u64::MAX - 1]);
    let fixture = unhex(include_str!("../../fixtures/v3/filter.hex"));
    assert_eq!(hex(&filter), hex(&fixture));
    assert_eq!(FilterRecord::open(&fixture).unwrap(), [1, u64::MAX - 1]);
    let table = |level, number, gone, first, last| TableEntry { level, number, gone, first, last };
    let tables = vec![table(0, 9, 0, 1, 7), table(1, 8, 3, 0, 300)];
    golden(
        include_str!("../../fixtures/v4/tables.hex"),
        &TablesRow { tables, blocks: 301, gone: vec![(0, 5)] },
    );
    golden(
        include_str!("../../fixtures/v4/moved.hex"),
        &MovedRow { seq: 301, wake_up: None, left: true },
    );
}

fn base() -> BaseRow {
    let (fed, fed_events, entities, items, left) = (199, 2, 3, 1, 4);
    BaseRow { seq: 200, chain: [0xb5; 16], fed, fed_events, entities, items, left }
}

fn waiting() -> InboxRow {
    InboxRow {
        account: "default".to_owned(),
        received_at: 5,
        body: Bytes::from_static(b"{}"),
        parked: Some("no order".to_owned()),
    }
}

/// The checksums were computed apart from this program.
#[test]
fn what_is_kept_has_its_bytes() {
    golden(include_str!("../../fixtures/v4/base.hex"), &base());
    golden(include_str!("../../fixtures/v4/left.hex"), &LeftRow { at: 7 });
    golden(include_str!("../../fixtures/v4/times.hex"), &TimesRow { marks: vec![(7, 300)] });
    let fixture = unhex(include_str!("../../fixtures/v4/kept-view.hex"));
    assert_eq!(hex(&KeptView::seal(view()).unwrap()), hex(&fixture));
    assert_eq!(KeptView::open(&fixture).unwrap(), view());
    let fixture = unhex(include_str!("../../fixtures/v4/kept-item.hex"));
    assert_eq!(hex(&KeptItem::seal(waiting()).unwrap()), hex(&fixture));
    assert_eq!(KeptItem::open(&fixture).unwrap(), waiting());
    let events = [Bytes::from_static(b"one"), Bytes::from_static(b"two")];
    let fixture = unhex(include_str!("../../fixtures/v4/kept-events.hex"));
    assert_eq!(hex(&KeptEvents::seal(&events).unwrap()), hex(&fixture));
    assert_eq!(KeptEvents::open(&fixture).unwrap(), events);
    let part = Part::Left { hash: Bytes::from_static(b"\x0a\xff"), at: 7 };
    let fixture = unhex(include_str!("../../fixtures/v4/part.hex"));
    let (bytes, chain) = PartRecord::seal([0x11; 16], &part).unwrap();
    assert_eq!(hex(&bytes), hex(&fixture));
    assert_eq!(PartRecord::open([0x11; 16], &fixture).unwrap(), (part, chain));
    assert!(PartRecord::open([0x12; 16], &fixture).is_err(), "a part that follows another one");
}

#[test]
fn a_changed_byte_of_what_is_sealed_is_noticed() {
    let block = BlockRecord::seal(&[at_rest()]).unwrap();
    let row = IndexRow::seal(index()).unwrap();
    let filter = FilterRecord::seal(&[1, u64::MAX - 1]);
    type Unreadable = fn(&[u8]) -> bool;
    let kept = KeptView::seal(view()).unwrap();
    let events = KeptEvents::seal(&[Bytes::from_static(b"one")]).unwrap();
    let item = KeptItem::seal(waiting()).unwrap();
    let unreadable: [(&[u8], Unreadable); 6] = [
        (&kept, |bytes| KeptView::open(bytes).is_err()),
        (&events, |bytes| KeptEvents::open(bytes).is_err()),
        (&item, |bytes| KeptItem::open(bytes).is_err()),
        (&block, |bytes| BlockRecord::open(bytes).is_err()),
        (&row, |bytes| IndexRow::open(bytes).is_err()),
        (&filter, |bytes| FilterRecord::open(bytes).is_err()),
    ];
    for (bytes, unreadable) in unreadable {
        assert!(!unreadable(bytes));
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[at] ^= 0x10;
            assert!(unreadable(&changed), "byte {at} of {}", hex(bytes));
            assert!(unreadable(&bytes[..at]), "only {at} bytes of {}", hex(bytes));
        }
    }
}

/// What version 1 wrote is read as what it meant.
#[test]
fn old_versions_are_read() {
    let first = Incarnation { id: id().0, restored_from: None };
    let old = unhex(include_str!("../../fixtures/v1/meta.hex"));
    assert_eq!(decode::<MetaRow>(&old).unwrap(), MetaRow { incarnation: first });
    let old = unhex(include_str!("../../fixtures/v1/journal.hex"));
    assert_eq!(open(&old).unwrap(), journal());
    let old = unhex(include_str!("../../fixtures/v2/backup.hex"));
    let header =
        BackupHeader { incarnation: first, seq: 301, chain: [0xc5; 16], base: BaseRow::default() };
    assert_eq!(decode::<BackupHeader>(&old).unwrap(), header);
    let any = |(level, number)| TableEntry { level, number, gone: 0, first: 0, last: u64::MAX };
    let old = unhex(include_str!("../../fixtures/v3/tables.hex"));
    let tables =
        TablesRow { tables: [(0, 9), (1, 8)].map(any).to_vec(), blocks: 300, gone: Vec::new() };
    assert_eq!(decode::<TablesRow>(&old).unwrap(), tables);
    let old = unhex("01 01 00 fb 2d 01 00");
    assert_eq!(
        decode::<MovedRow>(&old).unwrap(),
        MovedRow { seq: 301, wake_up: None, left: false }
    );
    let old = unhex(include_str!("../../fixtures/v1/view.hex"));
    assert_eq!(decode::<ViewRow>(&old).unwrap(), ViewRow { claims: Arc::default(), ..view() });
}

/// A group that repeats itself, and a view against the one before it.
fn repetitive() -> Vec<Entry> {
    let JournalRecord { mut entries, .. } = journal();
    if let Some(Entry::Commit { change: Some(change), .. }) = entries.first_mut() {
        change.events = vec![Bytes::from(b"the same words again and again ".repeat(8)); 3];
        change.view = Some(NewView::after(&before(), Bytes::from(after())));
    }
    entries
}

fn before() -> Vec<u8> {
    (0..200_u8).map(|byte| byte.wrapping_mul(37)).collect()
}

fn after() -> Vec<u8> {
    [&before()[..90], b"new", &before()[90..]].concat()
}

/// Frames of zstd and blocks of LZ4 may be written otherwise by a later library; what one has written is read for ever.
#[test]
fn what_was_packed_once_is_unpacked_for_ever() {
    let record = open(&unhex(include_str!("../../fixtures/v2/packed.hex"))).unwrap();
    let Some(Entry::Commit { change: Some(change), .. }) = record.entries.first() else {
        panic!("{record:?}")
    };
    let Some(patch @ NewView::Patch { .. }) = &change.view else { panic!("{change:?}") };
    assert_eq!(patch.whole(&before()).unwrap(), after());
    assert_eq!(change.events.len(), 3);
    assert!(change.events.iter().all(|event| event.starts_with(b"the same words again")));
    let sealed = seal([0x11; 16], record.first, repetitive()).unwrap();
    assert!(sealed.bytes.len() < 400, "{}", hex(&sealed.bytes));
    let again = open(&sealed.bytes).unwrap();
    assert_eq!(again.entries.len(), record.entries.len());
}

/// The checksum over the previous one and the record, computed apart from this program.
#[test]
fn the_chain_is_the_one_of_the_disk() {
    let mut old = unhex(include_str!("../../fixtures/v1/journal.hex"));
    let chain = chain_of([0x11; 16], &old);
    assert_eq!(hex(&chain), include_str!("../../fixtures/v1/chain.hex").trim());
    old[HEADER_BYTES..HEADER_BYTES + 16].copy_from_slice(&chain);
    assert_eq!(open(&old).unwrap().chain, chain);
    let JournalRecord { first, entries, .. } = journal();
    let Sealed { bytes: sealed, chain, .. } = seal([0x11; 16], first, entries).unwrap();
    assert_eq!(hex(&chain), include_str!("../../fixtures/v2/chain.hex").trim());
    assert_eq!(open(&sealed).unwrap().chain, chain);
    assert_eq!(chain_of([0x11; 16], &sealed), chain);
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        let in_the_checksum = (HEADER_BYTES..HEADER_BYTES + 16).contains(&at);
        assert_eq!(chain_of([0x11; 16], &changed) == chain, in_the_checksum);
    }
    assert_ne!(chain_of([0x12; 16], &sealed), chain);
}

#[test]
fn a_newer_record_is_refused() {
    let mut bytes = encode(&view()).unwrap();
    bytes[1..3].copy_from_slice(&3_u16.to_le_bytes());
    let error = decode::<ViewRow>(&bytes).unwrap_err();
    assert_eq!(error, RecordError::Newer { kind: "view", found: 3, newest: 2 });
    assert_eq!(
        error.to_string(),
        "view record: schema version 3, this program reads 1 to 2; use the newer program"
    );
    bytes[0] = 9;
    assert_eq!(decode::<ViewRow>(&bytes), Err(RecordError::Codec { kind: "view", found: 9 }));
}

#[test]
fn damage_is_an_error() {
    let bytes = encode(&view()).unwrap();
    for length in 0..bytes.len() {
        assert!(decode::<ViewRow>(&bytes[..length]).is_err(), "{length}");
    }
    let longer = [&bytes[..], b"x"].concat();
    assert!(matches!(decode::<ViewRow>(&longer), Err(RecordError::Malformed { .. })));
    // A view that says it is 2^62 bytes long must not be made room for.
    let huge = [&[1, 1, 0, 1, 7, 0, 4, 0, 0][..], &[0xfd; 9]].concat();
    assert!(matches!(decode::<ViewRow>(&huge), Err(RecordError::Malformed { .. })));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(tail in prop::collection::vec(any::<u8>(), 0..300)) {
        let bytes = [&[1, 1, 0][..], &tail].concat();
        let _ = open(&bytes);
        let _ = open(&[&[1, 2, 0][..], &tail].concat());
        let _ = decode::<ViewRow>(&bytes);
        let _ = BlockRecord::open(&bytes);
        let _ = IndexRow::open(&bytes);
        let _ = FilterRecord::open(&bytes);
        let _ = decode::<HistoryRow>(&bytes);
        let _ = decode::<InboxRow>(&bytes);
        let _ = decode::<MarkRecord>(&bytes);
    }
}
