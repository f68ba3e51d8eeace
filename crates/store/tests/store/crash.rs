//! Power cuts at every single operation of the engine.
//!
//! A script runs on an engine that dies at its n-th operation, for every n there is, before and after it, with and without
//! the batches that were not synced. What is found afterwards must be what the acknowledged steps made, with the one
//! that was under way whole or not at all; and the rows must agree with the journal.

use std::sync::Arc;

use orderkeep_store::{
    MemoryStore, Store, Tuning,
    conformance::{Model, Operation, Outcome, Snapshot, World, perform},
    testing::{Death, DyingKv, Moment},
};

use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use crate::{
    differential::operation,
    support::{over, tiny},
};

/// Creations, steps of two entities in turn, claims, touches and an inbox that is parked, finished and left: long
/// enough for slices of every kind to ride along.
pub(crate) fn script() -> Vec<Operation> {
    let advance = |entity, labels, wake_up, claim, finishes, view| Operation::Advance {
        entity,
        stale: 0,
        events: entity,
        labels,
        wake_up,
        claim,
        finishes,
        view,
    };
    let mut script = Vec::new();
    for round in 0..4_u8 {
        script.extend([
            // Several steps before its row is written, so that rows get ahead of the watermark.
            advance(0, 1, None, None, None, 0),
            advance(0, 2, None, None, None, 0),
            advance(0, round, Some(round.cast_signed()), Some(round), None, 10),
            Operation::Hear { account: round, body: 4_000 },
            advance(1, 1 << (round % 4), None, None, None, 5_000),
            Operation::Settle { item: round, parks: true },
            advance(2 + round, 3, Some(-1), None, None, 0),
            Operation::Touch { entity: 0, stale: 0, labels: 8, wake_up: Some(100) },
            Operation::Hear { account: 0, body: 10 },
            advance(1, 15, Some(4), None, Some(2 * round), 0),
            Operation::Touch { entity: 1, stale: 1, labels: 0, wake_up: None },
            // One comes to rest; those of the rounds before come back.
            Operation::Touch { entity: 2 + round, stale: 0, labels: 1, wake_up: None },
            advance(1 + round, 1 << round, None, None, None, 50),
            // What is over leaves, and the rest goes on without the beginning of the journal.
            Operation::Retain { forget: round == 2 },
        ]);
    }
    script
}

/// What the harness has seen when the power went.
struct Seen {
    world: World,
    /// After everything that was acknowledged.
    acknowledged: Model,
    /// As well with the step that was under way.
    under_way: Option<Model>,
    heard_unanswered: bool,
    /// Retention was under way.
    retaining: Option<Operation>,
}

async fn run(store: &dyn Store, script: &[Operation]) -> Seen {
    let mut seen = Seen {
        world: World::new(),
        acknowledged: Model::new(),
        under_way: None,
        heard_unanswered: false,
        retaining: None,
    };
    for operation in script {
        let (found, after, expected) =
            perform(&mut seen.world, &seen.acknowledged, store, operation).await;
        if found == Outcome::Stopped {
            seen.under_way = Some(after);
            seen.heard_unanswered = matches!(operation, Operation::Hear { .. });
            seen.retaining =
                matches!(operation, Operation::Retain { .. }).then(|| operation.clone());
            return seen;
        }
        assert_eq!(found, expected, "{operation:?}");
        if matches!(found, Outcome::Done { .. }) {
            seen.acknowledged = after;
        }
    }
    seen
}

/// Whether a store holds what it must; the difference if it does not.
async fn verdict(store: &MemoryStore, seen: &mut Seen) -> Result<(), String> {
    let report = store.check().unwrap();
    if !report.problems.is_empty() {
        return Err(report.problems.join("; "));
    }
    if seen.heard_unanswered {
        // It may have arrived without an answer; then it has a number that nobody was told.
        for item in store.inbox(None, 1_000).await.unwrap() {
            if seen.world.ordinal(item.seq).is_none() {
                seen.world.adopt(item.seq);
            }
        }
    }
    if let Some(operation) = seen.retaining.take() {
        // It is many steps; what was not done is done now, and all of it as if nothing had been.
        perform(&mut seen.world, &seen.acknowledged, store, &operation).await;
        seen.acknowledged = seen.under_way.take().unwrap_or_default();
    }
    let found = Snapshot::read(store, &seen.world).await.unwrap();
    let whole = seen.under_way.as_ref().map(Model::snapshot);
    if found == seen.acknowledged.snapshot() || Some(&found) == whole.as_ref() {
        Ok(())
    } else {
        Err(format!("found {found:?}\nacknowledged {:?}", seen.acknowledged.snapshot()))
    }
}

/// Dies once and looks; `Ok(None)` when the script ends before its death.
async fn die(
    kv: DyingKv,
    tuning: &Tuning,
    script: &[Operation],
    death: Death,
) -> Option<Result<(), String>> {
    let kv = Arc::new(kv);
    kv.die(death);
    let Ok(store) = MemoryStore::over(
        Arc::clone(&kv) as Arc<dyn orderkeep_store::kv::Kv>,
        uuid::Uuid::from_u128(1),
        tuning.clone(),
    ) else {
        // Died while it was made: it is made again.
        return Some(look(&kv, tuning, &mut nothing()).await);
    };
    let mut seen = run(&store, script).await;
    if seen.under_way.is_none() && store.close().await.is_ok() {
        return None;
    }
    Some(look(&kv, tuning, &mut seen).await)
}

fn nothing() -> Seen {
    Seen {
        world: World::new(),
        acknowledged: Model::new(),
        under_way: None,
        heard_unanswered: false,
        retaining: None,
    }
}

async fn look(kv: &DyingKv, tuning: &Tuning, seen: &mut Seen) -> Result<(), String> {
    let found = Arc::new(kv.revive());
    verdict(&over(found, tuning.clone()), seen).await
}

/// Every death there is; gives how many were survived and how many were not.
async fn every_death(make: fn() -> DyingKv, tuning: &Tuning) -> (usize, Vec<String>) {
    let mut survived = 0;
    let mut lost = Vec::new();
    for moment in [Moment::Before, Moment::After] {
        for keep in [0, usize::MAX] {
            for at in 0.. {
                let death = Death { at, moment, keep };
                match die(make(), tuning, &script(), death).await {
                    None => break,
                    Some(Ok(())) => survived += 1,
                    Some(Err(why)) => lost.push(format!("{death:?}: {why}")),
                }
            }
        }
    }
    (survived, lost)
}

/// A torn write.
///
/// A step is there whole or not at all: its events, the state, the claims, the wake-up and the webhooks it works off are
/// one commit.
#[tokio::test]
async fn f2_a_torn_write() {
    for tuning in [tiny(), Tuning::embedded()] {
        let (survived, lost) = every_death(DyingKv::new, &tuning).await;
        assert!(lost.is_empty(), "{} deaths: {}", lost.len(), lost[0]);
        assert!(survived > 300, "only {survived} deaths were tried");
    }
}

/// The twin that must fail: with syncs that do nothing the same harness sees losses at nearly every point.
#[tokio::test]
async fn a_lying_sync_is_noticed() {
    let (_, lost) = every_death(DyingKv::lying, &tiny()).await;
    assert!(lost.len() > 50, "only {} losses were noticed", lost.len());
}

/// Deaths one after the other on the same image: what a recovery leaves behind must itself survive.
#[tokio::test]
async fn recoveries_may_die_as_well() {
    let mut tried = 0;
    for first in (2..62).step_by(7) {
        for second in 0..12 {
            let kv = Arc::new(DyingKv::new());
            kv.die(Death { at: first, moment: Moment::After, keep: 1 });
            let store = over(Arc::clone(&kv) as Arc<dyn orderkeep_store::kv::Kv>, tiny());
            let mut seen = run(&store, &script()).await;
            let again = Arc::new(kv.revive());
            again.die(Death { at: second, moment: Moment::Before, keep: 0 });
            let store = MemoryStore::over(
                Arc::clone(&again) as Arc<dyn orderkeep_store::kv::Kv>,
                uuid::Uuid::from_u128(1),
                tiny(),
            );
            // Writes every row, or dies on the way.
            if let Ok(store) = store {
                let _ = store.close().await;
            }
            let found = look(&again, &tiny(), &mut seen).await;
            assert_eq!(found, Ok(()), "first {first}, second {second}");
            tried += 1;
        }
    }
    assert_eq!(tried, 108);
}

/// Random histories, each with a random death.
#[test]
fn random_histories_die_anywhere() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 400;
    }
    let moment = prop_oneof![Just(Moment::Before), Just(Moment::After)];
    let deaths = (vec(operation(), 1..80), 2..200_u64, moment, 0..3_usize);
    TestRunner::new(config)
        .run(&deaths, |(script, at, moment, keep)| {
            let death = Death { at, moment, keep };
            match runtime.block_on(die(DyingKv::new(), &tiny(), &script, death)) {
                None | Some(Ok(())) => Ok(()),
                Some(Err(why)) => Err(TestCaseError::fail(why)),
            }
        })
        .unwrap();
}
