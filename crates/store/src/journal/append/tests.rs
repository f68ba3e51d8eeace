//! How far rows may lag, and that nothing stays behind when they are written.

use bytes::Bytes;
use uuid::Uuid;

use super::*;
use crate::{
    Change, Claim, Commit, EntityId, NewInboxItem, PartitionId, journal::OpenOptions, kv::MemoryKv,
};

fn open(tuning: Tuning) -> Journal {
    let options = OpenOptions {
        tuning,
        new_incarnation: Uuid::from_u128(1),
        restored_from: None,
        guard: None,
        room: None,
    };
    Journal::open(Arc::new(MemoryKv::new()), options).unwrap()
}

fn create(number: u64) -> Step {
    Step::Commit(Commit {
        partition: PartitionId::ONLY,
        change: Some(Change {
            id: EntityId(Uuid::from_u128(u128::from(number) + 1)),
            kind: Kind(1),
            expected: 0,
            events: vec![Bytes::from_static(b"event")],
            view: Some(Bytes::from_static(b"view")),
            labels: vec![Label::from("Locked")],
            wake_up: Some(1),
            claims: vec![Claim::new("key", &[&number.to_string()])],
        }),
        inbox: Vec::new(),
    })
}

fn arrival() -> Step {
    Step::Arrival(NewInboxItem {
        account: "default".to_owned(),
        received_at: 0,
        body: Bytes::from_static(b"{}"),
    })
}

/// Slices of one row cannot keep up with groups of eight: the writer stops and catches up, again and again.
#[test]
fn the_lag_is_bounded() {
    const GROUP: u64 = 8;
    let rows = Tuning {
        lag_rows: 10,
        stop_factor: 2,
        slice_rows: 1,
        slice_bytes: 1,
        ..Tuning::embedded()
    };
    let entries = Tuning { lag_rows: usize::MAX, lag_entries: 10, ..rows.clone() };
    let bytes = Tuning { lag_rows: usize::MAX, lag_bytes: 3_000, ..rows.clone() };
    for tuning in [rows, entries, bytes] {
        let mut journal = open(tuning.clone());
        let mut most = 0;
        for group in 0..30 {
            let steps = (group * GROUP..(group + 1) * GROUP).map(create).collect();
            for outcome in journal.append(steps).unwrap() {
                outcome.unwrap();
            }
            most = most.max(journal.shared.overlay().dirty.len());
        }
        // Twice ten rows (or entries, or bytes of about that many), and the group that came on top.
        assert!((10..=32).contains(&most), "{most} rows lagged with {tuning:?}");
    }
}

/// Whatever was in the overlay has left it when its rows are written: the memory follows the lag, not the store.
#[test]
fn nothing_stays_in_the_overlay() {
    let mut journal = open(Tuning::embedded());
    let steps = (0..20).map(create).chain([arrival(), arrival()]).collect();
    journal.append(steps).unwrap();
    let waiting = {
        let overlay = journal.shared.overlay();
        (overlay.entities.len(), overlay.claims.len(), overlay.items.len())
    };
    assert_eq!(waiting, (20, 20, 2));
    journal.catch_up().unwrap();
    let overlay = journal.shared.overlay();
    assert!(overlay.entities.is_empty() && overlay.claims.is_empty());
    assert!(overlay.items.is_empty() && overlay.dirty.is_empty());
    assert!(overlay.wake_ups.is_empty());
    assert_eq!((overlay.bytes, overlay.watermark, overlay.durable), (0, 22, 22));
}

/// Whoever follows the inbox is answered from memory when it asks for what has no rows yet, and by that alone: what came
/// before has rows, and is not to be missed.
#[cfg(feature = "embedded")]
#[test]
fn what_is_answered_from_memory_is_what_the_rows_would_say() {
    use crate::{InboxDone, InboxSeq};

    let finish = |seq| {
        let disposition = "applied".to_owned();
        let inbox = vec![InboxDone::Finished { seq: InboxSeq(seq), disposition }];
        Step::Commit(Commit { partition: PartitionId::ONLY, change: None, inbox })
    };
    // One row at a time, so that at some moments a part of the items has rows.
    let tuning = Tuning { slice_rows: 1, slice_bytes: 1, ..Tuning::embedded() };
    let mut journal = open(tuning);
    let shared = Arc::clone(journal.shared());
    let mut known = 0;
    let mut compare = || {
        for after in (0..=20).map(InboxSeq) {
            if let Some(fast) = shared.inbox_fast(Some(after), 100).unwrap() {
                assert_eq!(fast, shared.inbox(Some(after), 100).unwrap(), "after {after:?}");
                known += fast.len();
            }
        }
        assert_eq!(shared.inbox_fast(None, 100), Ok(None), "what has rows is not in memory alone");
    };
    journal.append((0..6).map(|_| arrival()).collect()).unwrap();
    compare();
    journal.append(vec![finish(2), finish(5)]).unwrap();
    compare();
    while journal.write_slice(false).unwrap() {
        compare();
    }
    journal.append((0..4).map(|_| arrival()).chain([finish(3)]).collect()).unwrap();
    compare();
    while journal.write_slice(false).unwrap() {
        compare();
    }
    assert!(known > 20, "{known} items were answered from memory");
    let (held, free) = (Claim::new("key", &["7"]), Claim::new("key", &["8"]));
    journal.append(vec![create(7)]).unwrap();
    assert_eq!(shared.holder_fast(&held), shared.by_claim(&held));
    journal.catch_up().unwrap();
    assert_eq!(shared.holder_fast(&held), Ok(None));
    assert!(shared.by_claim(&held).unwrap().is_some() && shared.by_claim(&free).unwrap().is_none());
}
