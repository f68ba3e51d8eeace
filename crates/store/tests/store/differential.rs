//! The same random history through every backend: all of them do what the model says, and show what it shows.

use std::sync::Arc;

use orderkeep_store::{
    Backend, Store, Tuning,
    conformance::{Factory, Model, Operation, Outcome, Snapshot, World, perform},
};
use proptest::{collection::vec, option, prelude::*, test_runner::TestRunner};

use crate::support::{Engines, Folders, tiny};

/// What happens, or that the store is opened again.
#[derive(Debug, Clone)]
enum Act {
    Do(Operation),
    Reopen,
}

/// Any operation; mostly ones that are done.
pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    let stale = prop_oneof![9 => Just(0_u8), 1 => 1..3_u8];
    let advance = (
        any::<u8>(),
        stale.clone(),
        any::<u8>(),
        any::<u8>(),
        option::of(any::<i8>()),
        option::weighted(0.3, any::<u8>()),
        option::weighted(0.2, any::<u8>()),
        prop_oneof![4 => 0..200_u16, 1 => 0..12_000_u16],
    )
        .prop_map(|(entity, stale, events, labels, wake_up, claim, finishes, view)| {
            Operation::Advance { entity, stale, events, labels, wake_up, claim, finishes, view }
        });
    let touch = (any::<u8>(), stale, any::<u8>(), option::of(any::<i8>())).prop_map(
        |(entity, stale, labels, wake_up)| Operation::Touch { entity, stale, labels, wake_up },
    );
    let hear =
        (any::<u8>(), 0..9_000_u16).prop_map(|(account, body)| Operation::Hear { account, body });
    let settle =
        (any::<u8>(), any::<bool>()).prop_map(|(item, parks)| Operation::Settle { item, parks });
    let retain = any::<bool>().prop_map(|forget| Operation::Retain { forget });
    prop_oneof![12 => advance, 4 => touch, 4 => hear, 4 => settle, 1 => retain]
}

fn history(length: usize) -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![12 => operation().prop_map(Act::Do), 1 => Just(Act::Reopen)];
    vec(act, 1..length)
}

async fn agrees(factory: &dyn Factory, acts: &[Act]) -> Result<(), TestCaseError> {
    let mut store = factory.fresh().await;
    let mut world = World::new();
    let mut model = Model::new();
    for act in acts {
        match act {
            Act::Do(operation) => {
                let (found, after, expected) =
                    perform(&mut world, &model, &*store, operation).await;
                prop_assert_eq!(&found, &expected, "{:?}", operation);
                if matches!(found, Outcome::Done { .. }) {
                    model = after;
                }
            }
            Act::Reopen => store = factory.reopen(store).await,
        }
    }
    compare(&store, &world, &model).await?;
    let store = factory.reopen(store).await;
    compare(&store, &world, &model).await
}

async fn compare(
    store: &Arc<dyn Store>,
    world: &World,
    model: &Model,
) -> Result<(), TestCaseError> {
    let found = Snapshot::read(&**store, world).await.unwrap();
    prop_assert_eq!(found, model.snapshot());
    Ok(())
}

/// Runs random histories through each of the stores; more of them with PROPTEST_CASES.
fn run(factories: &[&dyn Factory], cases: u32, length: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    let mut runner = TestRunner::new(config);
    let all = |acts: Vec<Act>| {
        factories.iter().try_for_each(|factory| runtime.block_on(agrees(*factory, &acts)))
    };
    runner.run(&history(length), all).unwrap();
}

#[test]
fn memory() {
    run(&[&Engines::new(Tuning::embedded(), false)], 60, 120);
}

#[test]
fn memory_with_rows_close_behind() {
    run(&[&Engines::new(tiny(), false)], 200, 120);
}

/// Each history through all of them: what each shows is compared with the same model, so with each other.
#[test]
fn every_backend_shows_the_same() {
    let memory = Engines::new(tiny(), false);
    let sled = Folders::new(Backend::Sled, tiny());
    let redb = Folders::new(Backend::Redb, tiny());
    run(&[&memory, &sled, &redb], 16, 60);
}
