//! Entities at rest: sealed, merged, found by everything that leads to them, changed again, and never lost.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use orderkeep_store::{
    Change, Claim, Commit, CommitError, Entity, EntityId, Event, Kind, Label, ListQuery,
    MemoryStore, PartitionId, Store, Tuning,
    kv::{Direction, Kv, MemoryKv, Space, Span},
    testing::{Death, DyingKv, ForgetfulKv, Moment},
};
use uuid::Uuid;

use crate::support::{over, tiny};

const KIND: Kind = Kind(1);
const STATES: [&str; 3] = ["Locked", "Executed", "Failed"];

/// What is known to be stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Known {
    entities: BTreeMap<EntityId, (Entity, Vec<Event>)>,
    claims: BTreeMap<Claim, EntityId>,
}

fn id(number: u64) -> EntityId {
    // Neither in the order of the numbers nor far from it.
    EntityId(Uuid::from_u128((u128::from(number) ^ 5) << 64 | 7 << 62 | u128::from(number)))
}

fn claim(number: u64, what: &str) -> Claim {
    Claim::new("key", &[&number.to_string(), what])
}

/// One step of an entity; `rests`: it is at its end after it.
#[derive(Debug, Clone, Copy)]
struct Act {
    number: u64,
    rests: bool,
    review: bool,
    claims: Option<&'static str>,
}

/// Lives that overlap: each is made, goes on, and ends; one in seven is changed after its end, some stay open, some end
/// under review.
fn script(entities: u64) -> Vec<Act> {
    let act = |number, rests| Act { number, rests, review: false, claims: None };
    let mut script = Vec::new();
    for turn in 0..entities + 12 {
        if turn < entities {
            script.push(Act { claims: Some("ours"), ..act(turn, false) });
        }
        if let Some(number) = turn.checked_sub(3).filter(|number| *number < entities) {
            script.push(Act { claims: Some("theirs"), ..act(number, number % 5 == 0) });
        }
        if let Some(number) = turn.checked_sub(6).filter(|number| *number < entities)
            && number % 11 != 3
        {
            script.push(Act { review: number % 9 == 2, ..act(number, true) });
        }
        if let Some(number) = turn.checked_sub(12).filter(|number| number % 7 == 1) {
            script.push(Act { claims: Some("late"), ..act(number, number % 2 == 0) });
        }
    }
    script
}

fn commit(known: &Known, act: Act) -> (Commit, Known) {
    let Act { number, rests, review, claims } = act;
    let id = id(number);
    let before = known.entities.get(&id);
    let version = before.map_or(0, |(entity, _)| entity.version);
    let state = STATES[if rests { 1 + usize::from(number % 4 == 1) } else { 0 }];
    let mut labels = vec![Label::from(state)];
    labels.extend((!rests).then(|| Label::from("open")));
    labels.extend(review.then(|| Label::from("review")));
    let event = Bytes::from(format!("event {version} of {number}"));
    let entity = Entity {
        id,
        kind: KIND,
        partition: PartitionId::ONLY,
        version: version + 1,
        view: Bytes::from(format!("view {version} of {number} {}", "so ".repeat(30))),
        labels,
        // What has ended is watched for a while.
        wake_up: (!rests || number % 3 == 0).then_some(number.cast_signed()),
    };
    let claims: Vec<Claim> = claims.iter().map(|what| claim(number, what)).collect();
    let change = Change {
        id,
        kind: KIND,
        expected: version,
        events: vec![event.clone()],
        view: Some(entity.view.clone()),
        labels: entity.labels.clone(),
        wake_up: entity.wake_up,
        claims: claims.clone(),
    };
    let mut after = known.clone();
    let mut events = before.map_or_else(Vec::new, |(_, events)| events.clone());
    events.push(Event { version: version + 1, bytes: event });
    after.entities.insert(id, (entity, events));
    after.claims.extend(claims.into_iter().map(|claim| (claim, id)));
    let commit = Commit { partition: PartitionId::ONLY, change: Some(change), inbox: Vec::new() };
    (commit, after)
}

/// Everything that a store shows of what is known, or of what could be.
async fn shown(store: &MemoryStore, entities: u64) -> Known {
    let mut shown = Known::default();
    for number in 0..entities {
        if let Some(entity) = store.load(id(number)).await.unwrap() {
            let events = store.history(id(number), 0, 100).await.unwrap();
            let tail = store.history(id(number), 1, 100).await.unwrap();
            assert_eq!(tail, events[1..]);
            shown.entities.insert(id(number), (entity, events));
        }
        for what in ["ours", "theirs", "late"] {
            if let Some(holder) = store.by_claim(&claim(number, what)).await.unwrap() {
                shown.claims.insert(claim(number, what), holder);
            }
        }
    }
    shown
}

async fn list(store: &MemoryStore, label: Option<&str>, limit: usize) -> Vec<Entity> {
    let mut listed: Vec<Entity> = Vec::new();
    loop {
        let query = ListQuery {
            kind: KIND,
            label: label.map(Label::from),
            before: listed.last().map(|entity| entity.id),
            limit,
        };
        let page = store.list(query).await.unwrap();
        if page.is_empty() {
            return listed;
        }
        listed.extend(page);
    }
}

async fn agrees(store: &MemoryStore, known: &Known, entities: u64) {
    assert_eq!(&shown(store, entities).await, known);
    for label in
        [None, Some("Locked"), Some("Executed"), Some("Failed"), Some("open"), Some("review")]
    {
        let carries =
            |entity: &Entity| label.is_none_or(|label| entity.labels.contains(&Label::from(label)));
        let expected: Vec<Entity> = known
            .entities
            .values()
            .rev()
            .map(|(entity, _)| entity.clone())
            .filter(carries)
            .collect();
        for limit in [1, 7, 1_000] {
            assert_eq!(list(store, label, limit).await, expected, "{label:?} by {limit}");
        }
        if let Some(label) = label {
            let counts = store.counts(KIND).await.unwrap();
            let count = counts.get(&Label::from(label)).copied().unwrap_or(0);
            assert_eq!(count, expected.len() as u64, "{label}");
        }
    }
    let due = store.due(PartitionId::ONLY, i64::MAX, 1_000).await.unwrap();
    let open = known.entities.values().filter(|(entity, _)| entity.wake_up.is_some()).count();
    assert_eq!(due.len(), open);
}

async fn run(store: &MemoryStore, script: &[Act]) -> Known {
    let mut known = Known::default();
    for act in script {
        let (commit, after) = commit(&known, *act);
        store.commit(commit).await.unwrap();
        known = after;
    }
    known
}

fn rows(kv: &dyn Kv, space: Space) -> Vec<Vec<u8>> {
    let pairs = kv.scan(space, &Span::ALL, Direction::Up, usize::MAX).unwrap();
    pairs.into_iter().map(|(key, _)| key.to_vec()).collect()
}

/// The tables of the index, named or not.
fn tables(kv: &dyn Kv) -> usize {
    let mut names: Vec<Vec<u8>> =
        rows(kv, Space::SealedIndex).iter().map(|key| key[..5].to_vec()).collect();
    names.dedup();
    names.len()
}

#[tokio::test]
async fn what_is_at_rest_is_found_by_everything_that_leads_to_it() {
    const ENTITIES: u64 = 150;
    let small = Tuning { merge_tables: 8, merge_keys: 64, ..tiny() };
    let at_once = Tuning { seal_entities: 100, lag_rows: 150, ..Tuning::embedded() };
    for tuning in [tiny(), small, at_once] {
        let kv = Arc::new(MemoryKv::new());
        let store = over(Arc::clone(&kv) as Arc<dyn Kv>, tuning.clone());
        let known = run(&store, &script(ENTITIES)).await;
        agrees(&store, &known, ENTITIES).await;
        let report = store.check().unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
        agrees(&store, &known, ENTITIES).await;
        let store = store.reopen().unwrap();
        agrees(&store, &known, ENTITIES).await;
        assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
        // Rows are of those that are open, or have come back, or are under review.
        let rows_of_views = rows(&*kv, Space::Views).len();
        assert!(rows_of_views < 75, "{rows_of_views}");
        assert!(!rows(&*kv, Space::Sealed).is_empty());
        let tables = tables(&*kv);
        assert!(tables < 24, "{tables} tables: they are not merged");
    }
}

/// A claim of an entity at rest is as taken as any.
#[tokio::test]
async fn a_sealed_claim_is_refused() {
    let store = over(Arc::new(MemoryKv::new()), tiny());
    let known = run(&store, &script(40)).await;
    store.check().unwrap();
    let (mut commit, _) =
        commit(&known, Act { number: 99, rests: false, review: false, claims: Some("ours") });
    let taken = claim(5, "theirs");
    commit.change.as_mut().unwrap().claims.push(taken.clone());
    let refused = store.commit(commit).await;
    assert_eq!(refused, Err(CommitError::Claimed { claim: taken, holder: id(5) }));
}

/// Only where it is to be looked at again is moved, and then it is not: it stays sealed.
#[tokio::test]
async fn a_moved_wake_up_is_no_change() {
    const ENTITIES: u64 = 40;
    let kv = Arc::new(MemoryKv::new());
    let store = over(Arc::clone(&kv) as Arc<dyn Kv>, tiny());
    let mut known = run(&store, &script(ENTITIES)).await;
    store.check().unwrap();
    let before = rows(&*kv, Space::Views);
    for wake_up in [Some(7), Some(900), None, Some(3), None] {
        for (entity, _) in known.entities.values_mut() {
            if before.iter().any(|key| key.starts_with(entity.id.0.as_bytes())) {
                continue;
            }
            let change = Change {
                id: entity.id,
                kind: KIND,
                expected: entity.version,
                events: Vec::new(),
                view: None,
                labels: entity.labels.clone(),
                wake_up,
                claims: Vec::new(),
            };
            let partition = PartitionId::ONLY;
            store
                .commit(Commit { partition, change: Some(change), inbox: Vec::new() })
                .await
                .unwrap();
            entity.wake_up = wake_up;
        }
        agrees(&store, &known, ENTITIES).await;
        assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
        agrees(&store, &known, ENTITIES).await;
        assert_eq!(rows(&*kv, Space::Views), before);
    }
    let store = store.reopen().unwrap();
    agrees(&store, &known, ENTITIES).await;
}

/// What keeps changing under one label is sealed once at most, and grows no block with every change.
#[tokio::test]
async fn what_comes_back_keeps_its_row() {
    let kv = Arc::new(MemoryKv::new());
    let store = over(Arc::clone(&kv) as Arc<dyn Kv>, tiny());
    let mut known = Known::default();
    for _ in 0..50 {
        for number in 0..4 {
            let act = Act { number, rests: true, review: false, claims: None };
            let (commit, after) = commit(&known, act);
            store.commit(commit).await.unwrap();
            known = after;
        }
    }
    store.check().unwrap();
    let blocks = rows(&*kv, Space::Sealed).len();
    assert!((1..=4).contains(&blocks), "{blocks}");
    agrees(&store, &known, 4).await;
}

/// The power goes at every operation, before and after it: nothing that was acknowledged is missing anywhere.
#[tokio::test]
async fn no_power_cut_loses_what_is_at_rest() {
    const ENTITIES: u64 = 24;
    let script = script(ENTITIES);
    let mut at = 0;
    'deaths: loop {
        for moment in [Moment::Before, Moment::After] {
            let kv = Arc::new(DyingKv::new());
            kv.die(Death { at, moment, keep: usize::from(at % 3 == 0) });
            let opened =
                MemoryStore::over(Arc::clone(&kv) as Arc<dyn Kv>, Uuid::from_u128(0xfeed), tiny());
            let mut known = Known::default();
            let mut under_way = None;
            if let Ok(store) = opened {
                for act in &script {
                    let (commit, after) = commit(&known, *act);
                    if store.commit(commit).await.is_err() {
                        under_way = Some(after);
                        break;
                    }
                    known = after;
                }
                if under_way.is_none() {
                    break 'deaths;
                }
            }
            let kv = Arc::new(kv.revive());
            let store = over(Arc::clone(&kv) as Arc<dyn Kv>, tiny());
            let found = shown(&store, ENTITIES).await;
            assert!(
                found == known || Some(&found) == under_way.as_ref(),
                "at {at} {moment:?}: {found:?}\ninstead of {known:?}"
            );
            let report = store.check().unwrap();
            assert_eq!(report.problems, Vec::<String>::new(), "at {at} {moment:?}");
            agrees(&store, &found, ENTITIES).await;
        }
        at += 1;
    }
    assert!(at > 100, "only {at} operations");
}

/// Leaves out a row of the index that `which` names: the first one, or all of them.
fn forgetting(all: bool, which: fn(level: u8, is_filter: bool) -> bool) -> Arc<dyn Kv> {
    let forgot = AtomicBool::new(false);
    Arc::new(ForgetfulKv::new(move |write| {
        let [level, _, _, _, _, rest @ ..] = &write.key[..] else { return false };
        let is_filter = rest.first() == Some(&0xff);
        write.space == Space::SealedIndex
            && write.value.is_some()
            && which(*level, is_filter)
            && (all || !forgot.swap(true, Ordering::Relaxed))
    }))
}

/// The twins that must fail: a seal and a merge that forget some keys, a merge that forgets a table's filter, a seal that
/// forgets a block. What leads to an entity is missed by whoever looks, and the check names it.
#[tokio::test]
async fn a_seal_or_a_merge_that_forgets_something_is_noticed() {
    const ENTITIES: u64 = 60;
    let blocks = ForgetfulKv::new({
        let forgot = AtomicBool::new(false);
        move |write| {
            write.space == Space::Sealed
                && write.value.is_some()
                && !forgot.swap(true, Ordering::Relaxed)
        }
    });
    let twins: [(&str, Arc<dyn Kv>); 4] = [
        ("a seal forgets keys", forgetting(false, |level, is_filter| level == 0 && !is_filter)),
        ("a merge forgets keys", forgetting(false, |level, is_filter| level == 1 && !is_filter)),
        (
            "merges forget their filters",
            forgetting(true, |level, is_filter| level > 0 && is_filter),
        ),
        ("a seal forgets a block", Arc::new(blocks)),
    ];
    for (twin, kv) in twins {
        let Ok(store) = MemoryStore::over(Arc::clone(&kv), Uuid::from_u128(0xfeed), tiny()) else {
            panic!("{twin}: a new store opens")
        };
        let mut known = Known::default();
        let mut halted = false;
        for act in script(ENTITIES) {
            let (commit, after) = commit(&known, act);
            if store.commit(commit).await.is_err() {
                // It met what was forgotten, and stopped.
                halted = true;
                break;
            }
            known = after;
        }
        if halted {
            continue;
        }
        let reopened = MemoryStore::over(kv, Uuid::from_u128(0xfeed), tiny());
        let noticed = match &reopened {
            Err(_) => true,
            Ok(store) => !store.check().unwrap().problems.is_empty(),
        };
        assert!(noticed, "{twin}, and no check says so");
    }
}
