//! What is over goes, with the beginning of the journal; what stays is whole, and so are copies of it. A retention that
//! forgets something is noticed.

use std::{fs, io::Write as _, sync::Arc};

use bytes::Bytes;
use orderkeep_store::{
    Backend, Change, Claim, Commit, EmbeddedStore, EntityId, Kind, Label, MemoryStore, PartitionId,
    Retain, Retention, Store, Tuning,
    conformance::{Model, Operation, Outcome, Snapshot, World, perform},
    export, import,
    kv::{Direction, Kv, MemoryKv, Space, Span, Write},
    restore,
    testing::ForgetfulKv,
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    crash::script,
    folder::config as in_folder,
    support::{over, tiny},
};

const DAY: i64 = 24 * 3_600 * 1_000_000;
const KIND: Kind = Kind(1);

fn id(number: u64) -> EntityId {
    EntityId(Uuid::from_u128(u128::from(number) << 64 | 7))
}

/// The next step of an entity; `ends`: it is over after it.
fn step(number: u64, expected: u64, ends: bool) -> Commit {
    let labels = if ends { &["Executed"][..] } else { &["Locked", "open"] };
    let change = Change {
        id: id(number),
        kind: KIND,
        expected,
        events: vec![Bytes::from(format!("event {} of {number}", expected + 1))],
        view: Some(Bytes::from(format!(
            "state {expected} of {number}, {}",
            "and so on ".repeat(20)
        ))),
        labels: labels.iter().copied().map(Label::from).collect(),
        wake_up: (!ends).then_some(1),
        claims: vec![Claim::new("key", &[&number.to_string()])],
    };
    Commit { partition: PartitionId::ONLY, change: Some(change), inbox: Vec::new() }
}

/// Everything that may go at a time; gives how many left.
async fn retain(store: &dyn Store, now: i64) -> u64 {
    let retention = Retention {
        keep: 30 * DAY,
        tombstones: Some(60 * DAY),
        over: vec![(KIND, Some(Label::from("Executed")))],
    };
    let mut left = 0;
    loop {
        let retain = Retain { now, retention: retention.clone(), read: None, needed: Vec::new() };
        let step = store.retain(retain).await.unwrap();
        left += step.left;
        if !step.more {
            return left;
        }
    }
}

fn rows(kv: &dyn Kv, space: Space) -> usize {
    kv.scan(space, &Span::ALL, Direction::Up, usize::MAX).unwrap().len()
}

/// Bytes of every map.
fn sizes(kv: &dyn Kv) -> Vec<(Space, usize)> {
    let size = |space| {
        let rows = kv.scan(space, &Span::ALL, Direction::Up, usize::MAX).unwrap();
        rows.iter().map(|(key, value)| key.len() + value.len()).sum()
    };
    Space::ALL.into_iter().map(|space| (space, size(space))).collect()
}

/// A year in which eight orders a day run through and one waits all the time, looked at once a day: it keeps its whole
/// history, and the store is as large at the end as after the first months.
#[tokio::test]
async fn one_order_parked_for_a_year_keeps_its_history_and_not_the_journal_of_the_year() {
    const A_DAY: u64 = 8;
    let kv: Arc<dyn Kv> = Arc::new(MemoryKv::new());
    let tuning = Tuning { seal_entities: 16, merge_tables: 3, ..tiny() };
    let mut store = over(Arc::clone(&kv), tuning.clone());
    let (mut left, mut early) = (0, None);
    for day in 0..365_u64 {
        store.commit(step(0, day, false)).await.unwrap();
        for number in 1 + day * A_DAY..=(day + 1) * A_DAY {
            for version in 0..3 {
                store.commit(step(number, version, version == 2)).await.unwrap();
            }
        }
        left += retain(&store, day.cast_signed() * DAY).await;
        if day == 120 {
            early = Some((sizes(&*kv), rows(&*kv, Space::Journal)));
        }
        if day % 90 == 0 {
            store = over(Arc::clone(&kv), tuning.clone());
        }
    }
    let (sizes_then, journal) = early.unwrap();
    let (sizes_now, journal_now) = (sizes(&*kv), rows(&*kv, Space::Journal));
    assert!(journal_now <= journal + journal / 10, "{journal} records, then {journal_now}");
    let total = |sizes: &[(Space, usize)]| sizes.iter().map(|(_, bytes)| bytes).sum::<usize>();
    let (then, now) = (total(&sizes_then), total(&sizes_now));
    assert!(now <= then + then / 4, "{sizes_then:?}, then {sizes_now:?}");
    assert!(left >= A_DAY * 330, "only {left} left");
    let mut events = Vec::new();
    while events.len() < 365 {
        let page = store.history(id(0), events.len() as u64, 100).await.unwrap();
        assert!(!page.is_empty(), "only {} events", events.len());
        events.extend(page);
    }
    for (number, event) in (1..).zip(&events) {
        assert_eq!(event.bytes, Bytes::from(format!("event {number} of 0")));
    }
    assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
    let kept: u64 = store.counts(KIND).await.unwrap().values().sum();
    assert_eq!(kept - 2, 365 * A_DAY - left);
}

/// Runs a script; what differs from the model at its end, if anything does.
async fn difference(kv: Arc<dyn Kv>, script: &[Operation]) -> Option<String> {
    let store = over(kv, tiny());
    let (mut world, mut model) = (World::new(), Model::new());
    for operation in script {
        let (found, after, expected) = perform(&mut world, &model, &store, operation).await;
        if found != expected {
            return Some(format!("{operation:?} gave {found:?} instead of {expected:?}"));
        }
        if matches!(found, Outcome::Done { .. }) {
            model = after;
        }
    }
    let problems = store.check().unwrap().problems;
    if !problems.is_empty() {
        return Some(problems.join("; "));
    }
    match Snapshot::read(&store, &world).await {
        Ok(found) if found == model.snapshot() => None,
        Ok(found) => Some(format!("{found:?}")),
        Err(error) => Some(error.to_string()),
    }
}

/// The twins that must fail: a retention that does not copy histories, states or what waits, or forgets who left.
#[tokio::test]
async fn a_retention_that_forgets_something_is_noticed() {
    let claims_again = Operation::Advance {
        entity: 5,
        stale: 0,
        events: 0,
        labels: 3,
        wake_up: None,
        claim: Some(1),
        finishes: None,
        view: 0,
    };
    let script = [script(), vec![claims_again]].concat();
    assert_eq!(difference(Arc::new(ForgetfulKv::new(|_| false)), &script).await, None);
    for space in [Space::KeptEvents, Space::KeptViews, Space::KeptInbox, Space::Left] {
        let forgets = move |write: &Write| write.space == space && write.value.is_some();
        // What cannot be read back may as well halt it.
        let found = difference(Arc::new(ForgetfulKv::new(forgets)), &script).await;
        assert!(found.is_some(), "nobody noticed that {space:?} was forgotten");
    }
}

/// A history with retention in it, in a folder; and what it shows.
async fn filled(folder: &TempDir, backend: Backend) -> (EmbeddedStore, World, Model) {
    let store = EmbeddedStore::open(in_folder(folder).backend(backend)).unwrap();
    let (mut world, mut model) = (World::new(), Model::new());
    let tail = script().into_iter().filter(|op| !matches!(op, Operation::Retain { .. })).take(9);
    for operation in script().into_iter().chain(tail) {
        let (found, after, expected) = perform(&mut world, &model, &store, &operation).await;
        assert_eq!(found, expected, "{operation:?}");
        if matches!(found, Outcome::Done { .. }) {
            model = after;
        }
    }
    (store, world, model)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_a_store_without_its_beginning_is_whole() {
    for backend in Backend::ALL {
        let folder = tempfile::tempdir().unwrap();
        let (store, world, model) = filled(&folder, backend).await;
        let file = folder.path().join("backup");
        let mut backup = store.backup().await.unwrap();
        // It goes on meanwhile, as far as it may.
        let held = Retention { keep: 0, tombstones: None, over: Vec::new() };
        let retain =
            || Retain { now: i64::MAX, retention: held.clone(), read: None, needed: Vec::new() };
        store.retain(retain()).await.unwrap();
        let mut written = fs::File::create(&file).unwrap();
        while let Some(chunk) = backup.next().await {
            written.write_all(&chunk.unwrap()).unwrap();
        }
        let target = orderkeep_store::EmbeddedConfig {
            path: folder.path().join("restored"),
            ..in_folder(&folder).backend(backend)
        };
        let made = restore(&file, &target, |_, _| {}).unwrap();
        assert_eq!(made.check.problems, Vec::<String>::new());
        let copy = EmbeddedStore::open(target.clone()).unwrap();
        assert_eq!(Snapshot::read(&copy, &world).await.unwrap(), model.snapshot());
        assert_eq!(copy.check().await.unwrap().problems, Vec::<String>::new());
        copy.close().await.unwrap();
        // Every byte that is changed, and every cut, is noticed before anything is made of it.
        let bytes = fs::read(&file).unwrap();
        for at in (0..bytes.len()).step_by(101) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x20;
            let whole = orderkeep_store::verify_backup(&changed[..], |_| {});
            assert!(whole.is_err(), "byte {at} of {}", bytes.len());
            let whole = orderkeep_store::verify_backup(&bytes[..at], |_| {});
            assert!(whole.is_err(), "cut at {at} of {}", bytes.len());
        }
        store.close().await.unwrap();
    }
}

/// The base stands still as long as it is copied, however long that takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_goes_while_a_copy_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(in_folder(&folder).backend(Backend::Redb)).unwrap();
    let mut noise = 1_u64;
    for number in 0..60 {
        let mut step = step(number, 0, true);
        // Nothing that could be packed: more than a copy has on its way at once.
        let mut word = || {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (noise >> 33).to_le_bytes()
        };
        let event: Vec<u8> = (0..10_000).flat_map(|_| word()[..4].to_vec()).collect();
        step.change.as_mut().unwrap().events = vec![event.into()];
        store.commit(step).await.unwrap();
    }
    retain(&store, 0).await;
    let mut backup = store.backup().await.unwrap();
    assert_eq!(retain(&store, 31 * DAY).await, 0);
    let mut bytes = Vec::new();
    while let Some(chunk) = backup.next().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    assert_eq!(orderkeep_store::verify_backup(&bytes[..], |_| {}).unwrap().entries, 60);
    // Its thread has ended, or is about to.
    let mut left = 0;
    while left < 60 {
        left += retain(&store, 31 * DAY).await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn lines_of_a_store_without_its_beginning_are_whole() {
    for (from, to) in [(Backend::Sled, Backend::Redb), (Backend::Redb, Backend::Sled)] {
        let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let (store, world, model) = filled(&one, from).await;
        store.close().await.unwrap();
        drop(store);
        let (source, target) = (in_folder(&one).backend(from), in_folder(&two).backend(to));
        let mut lines = Vec::new();
        let exported = export(&source, &mut lines, &mut |_, _| {}).unwrap();
        let text = String::from_utf8(lines.clone()).unwrap();
        assert!(text.contains(r#"{"kept":{"entity":"#) && text.contains(r#"{"kept":{"left":"#));
        let imported = import(&target, &mut &lines[..], &mut |_, _| {}).unwrap();
        assert_eq!(imported, exported);
        let copy = EmbeddedStore::open(target.clone()).unwrap();
        assert_eq!(Snapshot::read(&copy, &world).await.unwrap(), model.snapshot());
        assert_eq!(copy.check().await.unwrap().problems, Vec::<String>::new());
        copy.close().await.unwrap();
        drop(copy);
        let mut again = Vec::new();
        export(&target, &mut again, &mut |_, _| {}).unwrap();
        let again = String::from_utf8(again).unwrap();
        let middle = |text: &str| -> Vec<String> {
            text.lines()
                .skip(1)
                .filter(|line| !line.starts_with("{\"end\""))
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(middle(&again), middle(&text));
        // A line that is missing is noticed, and nothing is made of the rest.
        let third = TempDir::new().unwrap();
        let without: String = text
            .split_inclusive('\n')
            .enumerate()
            .filter(|(number, _)| *number != 2)
            .map(|(_, line)| line)
            .collect();
        let target = in_folder(&third).backend(to);
        assert!(import(&target, &mut without.as_bytes(), &mut |_, _| {}).is_err());
        assert!(!target.path.exists());
    }
}

/// What is known of the journal's beginning is held against the rows at every open.
#[tokio::test]
async fn a_base_that_cannot_be_is_damage() {
    let kv = Arc::new(MemoryKv::new());
    let store = over(Arc::clone(&kv) as Arc<dyn Kv>, tiny());
    for number in 0..40 {
        for version in 0..3 {
            let mut step = step(number, version, version == 2 && number % 2 == 0);
            // Some rest and are not over: a block of those that left stays for them.
            if let Some(change) = &mut step.change
                && version == 2
                && number % 4 == 2
            {
                change.labels = vec![Label::from("Failed")];
            }
            store.commit(step).await.unwrap();
        }
    }
    retain(&store, 0).await;
    assert!(retain(&store, 31 * DAY).await > 0);
    store.close().await.unwrap();
    let damaged = |change: &dyn Fn(&MemoryKv)| {
        let copy = MemoryKv::new();
        let mut batch = orderkeep_store::kv::Batch::default();
        for space in Space::ALL {
            for (key, value) in kv.scan(space, &Span::ALL, Direction::Up, usize::MAX).unwrap() {
                batch.put(space, key.to_vec(), value.to_vec());
            }
        }
        copy.apply(batch).unwrap();
        change(&copy);
        let opened = MemoryStore::over(Arc::new(copy), Uuid::from_u128(0xfeed), tiny());
        match opened {
            Ok(store) => store.check().unwrap().problems.first().cloned(),
            Err(error) => Some(error.to_string()),
        }
    };
    assert_eq!(damaged(&|_| {}), None);
    for space in [
        Space::KeptViews,
        Space::KeptEvents,
        Space::Left,
        Space::Moved,
        Space::Sealed,
        Space::Views,
    ] {
        for place in [0, usize::MAX] {
            for flips in [false, true] {
                let found = damaged(&|copy| {
                    let mut rows = copy.scan(space, &Span::ALL, Direction::Up, usize::MAX).unwrap();
                    let (key, value) = rows.swap_remove(place.min(rows.len() - 1));
                    let mut batch = orderkeep_store::kv::Batch::default();
                    if flips {
                        let mut value = value.to_vec();
                        let last = value.len() - 1;
                        value[last] ^= 0x55;
                        batch.put(space, key.to_vec(), value);
                    } else {
                        batch.remove(space, key.to_vec());
                    }
                    copy.apply(batch).unwrap();
                });
                // When somebody left is nowhere else: a day more or less is no damage that can be seen.
                let unseen = space == Space::Left && flips;
                assert!(found.is_some() || unseen, "{space:?} {place} {flips}");
            }
        }
    }
    let gone = damaged(&|copy| {
        let mut batch = orderkeep_store::kv::Batch::default();
        batch.remove(Space::Meta, b"base".to_vec());
        copy.apply(batch).unwrap();
    });
    assert!(gone.is_some());
}
