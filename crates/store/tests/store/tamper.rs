//! Single rows of the engine changed, removed or added behind the store's back: an open or a check finds every one.

use std::{ops::Bound, sync::Arc};

use orderkeep_store::{
    MemoryStore, Store, Tuning,
    conformance::{Model, Operation, World, perform},
    kv::{Batch, Direction, Kv, MemoryKv, Space, Span},
};
use uuid::Uuid;

/// All rows of an engine.
type Rows = Vec<(Space, Vec<u8>, Vec<u8>)>;

fn rows(kv: &dyn Kv) -> Rows {
    let mut rows = Vec::new();
    for space in Space::ALL {
        let pairs = kv.scan(space, &Span::ALL, Direction::Up, usize::MAX).unwrap();
        rows.extend(pairs.into_iter().map(|(key, value)| (space, key.to_vec(), value.to_vec())));
    }
    rows
}

fn engine(rows: &Rows) -> Arc<MemoryKv> {
    let kv = MemoryKv::new();
    let mut batch = Batch::default();
    for (space, key, value) in rows {
        batch.put(*space, key.clone(), value.clone());
    }
    kv.apply(batch).unwrap();
    Arc::new(kv)
}

/// The whole chain is checked at an open only within the tail; here the tail is short, so that both ways are met.
fn tuning() -> Tuning {
    Tuning { tail_records: 2, ..Tuning::embedded() }
}

/// What there is only where retention took the beginning of the journal.
const KEPT: [Space; 4] = [Space::KeptViews, Space::KeptEvents, Space::KeptInbox, Space::Left];

/// A store with every kind of row, everything written, and the whole journal.
async fn written() -> Rows {
    let kv = Arc::new(MemoryKv::new());
    let store = over(Arc::clone(&kv) as Arc<dyn Kv>).unwrap();
    let (world, model) = (&mut World::new(), Model::new());
    lives(&store, world, model).await;
    store.close().await.unwrap();
    rows(&*kv)
}

/// The same, without the beginning of its journal, and some of it again behind it.
async fn retained() -> Rows {
    let kv = Arc::new(MemoryKv::new());
    let store = over(Arc::clone(&kv) as Arc<dyn Kv>).unwrap();
    let world = &mut World::new();
    let mut model = lives(&store, world, Model::new()).await;
    let over = Operation::Advance {
        entity: 0,
        stale: 0,
        events: 0,
        labels: 1,
        wake_up: None,
        claim: Some(0),
        finishes: None,
        view: 9,
    };
    let retain = Operation::Retain { forget: false };
    for operation in [over, retain.clone(), retain] {
        model = perform(world, &model, &store, &operation).await.1;
    }
    lives(&store, world, model).await;
    store.close().await.unwrap();
    rows(&*kv)
}

async fn lives(store: &MemoryStore, world: &mut World, mut model: Model) -> Model {
    for step in 0..8_u8 {
        let advance = Operation::Advance {
            entity: step,
            stale: 0,
            events: step,
            labels: 5,
            wake_up: Some(step.cast_signed()),
            claim: (step < 5).then_some(step),
            finishes: None,
            view: 600 * u16::from(step),
        };
        let hear = Operation::Hear { account: 0, body: 4_000 };
        for operation in [advance, hear] {
            model = perform(world, &model, store, &operation).await.1;
        }
    }
    // Two of them come to rest.
    for entity in 4..6 {
        let rest = Operation::Advance {
            entity,
            stale: 0,
            events: 0,
            labels: 1,
            wake_up: None,
            claim: None,
            finishes: None,
            view: 100,
        };
        model = perform(world, &model, store, &rest).await.1;
    }
    drop(store.check());
    let moves = Operation::Touch { entity: 4, stale: 0, labels: 1, wake_up: Some(3) };
    perform(world, &model, store, &moves).await.1
}

fn over(kv: Arc<dyn Kv>) -> Result<MemoryStore, orderkeep_store::ReadError> {
    MemoryStore::over(kv, Uuid::from_u128(1), tuning())
}

/// Whether an open or a check finds something.
fn noticed(rows: &Rows) -> bool {
    match over(engine(rows)) {
        Err(_) => true,
        Ok(store) => match store.check() {
            Err(_) => true,
            Ok(report) => !report.problems.is_empty(),
        },
    }
}

#[tokio::test]
async fn nothing_is_found_where_nothing_is() {
    let rows = written().await;
    assert!(!noticed(&rows));
    for space in Space::ALL {
        let there = rows.iter().any(|row| row.0 == space);
        assert_eq!(there, !KEPT.contains(&space), "{space:?}");
    }
}

/// Nothing of what is kept of the journal's beginning can be lost or changed unnoticed.
#[tokio::test]
async fn every_change_to_what_is_kept_is_noticed() {
    let rows = retained().await;
    assert!(!noticed(&rows));
    for space in KEPT {
        assert!(rows.iter().any(|row| row.0 == space), "{space:?} is empty");
    }
    let kept = (0..rows.len()).filter(|at| KEPT.contains(&rows[*at].0));
    for at in kept {
        let mut fewer = rows.clone();
        let (space, key, value) = fewer.remove(at);
        assert!(noticed(&fewer), "{space:?} {key:?} is gone");
        for byte in (0..value.len()).step_by(value.len().div_ceil(12).max(1)) {
            let mut changed = rows.clone();
            changed[at].2[byte] ^= 0x04;
            // When somebody left nobody else can know: it is forgotten sooner or later than it should be.
            let unknown = space == Space::Left && byte >= 3;
            assert!(noticed(&changed) || unknown, "{space:?} {key:?} byte {byte}");
        }
    }
}

#[tokio::test]
async fn every_missing_row_is_noticed() {
    let rows = written().await;
    for at in 0..rows.len() {
        let mut fewer = rows.clone();
        let (space, key, _) = fewer.remove(at);
        // Without its watermark a store replays everything, and ends the same.
        let harmless = key == b"watermark";
        assert_eq!(noticed(&fewer), !harmless, "{space:?} {key:?}");
    }
}

#[tokio::test]
async fn every_changed_value_is_noticed() {
    let rows = written().await;
    for at in 0..rows.len() {
        let length = rows[at].2.len();
        // Every byte of the small ones, some of the large ones.
        for byte in (0..length).step_by(length.div_ceil(12).max(1)) {
            let mut changed = rows.clone();
            changed[at].2[byte] ^= 0x04;
            let (space, key, _) = &changed[at];
            // Nobody can know which incarnation is the right one, but the mark. A watermark that is too low is as good
            // as none.
            let free = key == b"meta" || key == b"watermark";
            // The place in the journal that a view row was written at has no meaning once it is complete.
            let unread = (*space == Space::Views && (5..9).contains(&byte))
                || (*space == Space::Moved && byte == 3);
            assert!(noticed(&changed) || free || unread, "{space:?} {key:?} byte {byte}");
        }
    }
}

#[tokio::test]
async fn every_moved_key_is_noticed() {
    let rows = written().await;
    for at in 0..rows.len() {
        let mut moved = rows.clone();
        let (space, key, _) = &mut moved[at];
        let Some(last) = key.last_mut() else { continue };
        *last ^= 0x40;
        let harmless = *space == Space::Meta && rows[at].1 == b"watermark";
        let (space, key) = (*space, key.clone());
        assert!(noticed(&moved) || harmless, "{space:?} {key:?}");
    }
}

/// Rows that claim to be complete further than the journal reaches.
#[tokio::test]
async fn rows_ahead_of_the_journal_are_refused() {
    let rows = written().await;
    let last = rows
        .iter()
        .filter(|row| row.0 == Space::Journal)
        .map(|row| row.1[..8].to_vec())
        .max()
        .unwrap();
    let mut cut = rows.clone();
    cut.retain(|row| !(row.0 == Space::Journal && row.1.starts_with(&last)));
    let Err(error) = over(engine(&cut)) else {
        panic!("it was opened");
    };
    assert!(error.to_string().contains("the journal ends at"), "{error}");
}

/// A record cut out of the middle, further back than an open looks: the check finds it.
#[tokio::test]
async fn a_gap_is_found_by_the_check() {
    let rows = written().await;
    let kv = engine(&rows);
    let second = kv
        .scan(
            Space::Journal,
            &Span { lower: Bound::Included(2_u64.to_be_bytes().to_vec()), upper: Bound::Unbounded },
            Direction::Up,
            1,
        )
        .unwrap();
    let first = second[0].0[..8].to_vec();
    let mut batch = Batch::default();
    for (space, key, _) in &rows {
        if *space == Space::Journal && key.starts_with(&first) {
            batch.remove(*space, key.clone());
        }
    }
    kv.apply(batch).unwrap();
    let store = over(kv).unwrap();
    let problems = store.check().unwrap().problems;
    assert!(problems[0].contains("are missing"), "{problems:?}");
}

/// The end of the chain is checked at every open, so that a store is never opened over a tail that was changed.
#[tokio::test]
async fn a_changed_tail_is_refused_at_once() {
    let rows = written().await;
    let last = rows.iter().rposition(|row| row.0 == Space::Journal).unwrap();
    let mut changed = rows.clone();
    let value = &mut changed[last].2;
    let middle = value.len() / 2;
    value[middle] ^= 0x01;
    let Err(error) = over(engine(&changed)) else {
        panic!("it was opened");
    };
    assert!(error.to_string().contains("the journal's record at entry"), "{error}");
}
