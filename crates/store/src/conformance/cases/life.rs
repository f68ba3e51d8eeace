//! Many at once, random histories, closing and opening again.

use tokio::task::JoinSet;

use crate::{
    Commit, CommitError, Health, ReadError,
    conformance::{Model, Operation, Outcome, Snapshot, World, perform},
};

use super::{Factory, KIND, change, commit, done, heard, id, labelled, read};

pub(super) async fn all(factory: &dyn Factory) {
    bears_a_crowd(factory).await;
    agrees_with_the_model(factory).await;
    closes(factory).await;
}

/// More steps at once, and more bytes, than any queue of a store should hold: they wait, and all are done.
async fn bears_a_crowd(factory: &dyn Factory) {
    const CROWD: u32 = 600;
    const BODY: usize = 40 * 1024;
    let store = factory.fresh().await;
    let mut crowd = JoinSet::new();
    for number in 0..CROWD {
        let store = std::sync::Arc::clone(&store);
        crowd.spawn(async move {
            let made = labelled(change(id(number), 0), &["Locked"]);
            store.commit(commit(made)).await?;
            let next = labelled(change(id(number), 1), &["Created"]);
            let Commit { change, .. } = commit(next);
            let seq = store.append_inbox(heard(vec![0; BODY])).await?;
            let inbox = vec![crate::InboxDone::Finished { seq, disposition: "applied".to_owned() }];
            let partition = crate::PartitionId::ONLY;
            store.commit(Commit { partition, change, inbox }).await
        });
    }
    while let Some(outcome) = crowd.join_next().await {
        match outcome {
            Ok(Ok(committed)) => assert_eq!(committed.version, 2),
            other => panic!("one of the crowd was refused: {other:?}"),
        }
    }
    let store = factory.reopen(store).await;
    let counts = read(store.counts(KIND).await);
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [u64::from(CROWD)]);
    assert_eq!(store.inbox_len(), 0);
    let last = read(store.load(id(CROWD - 1)).await);
    assert_eq!(last.map(|entity| entity.version), Some(2));
}

/// A fixed history that meets every kind of operation; the differential tests take random ones.
async fn agrees_with_the_model(factory: &dyn Factory) {
    let mut store = factory.fresh().await;
    let mut world = World::new();
    let mut model = Model::new();
    let mut done = 0;
    for step in 0..120_u8 {
        let operation = operation(step);
        let (found, after, expected) = perform(&mut world, &model, &*store, &operation).await;
        assert_eq!(found, expected, "step {step}: {operation:?}");
        if matches!(found, Outcome::Done { .. }) {
            done += 1;
        }
        model = after;
        if step % 40 == 39 {
            store = factory.reopen(store).await;
            assert_eq!(
                read(Snapshot::read(&*store, &world).await),
                model.snapshot(),
                "after step {step}"
            );
        }
    }
    assert!((40..120).contains(&done), "{done} of 120 were done");
}

/// Steps through the operations in a fixed irregular order.
fn operation(step: u8) -> Operation {
    let mixed = step.wrapping_mul(73).wrapping_add(step / 7);
    match step % 5 {
        0 | 1 => Operation::Advance {
            entity: mixed / 3,
            stale: u8::from(mixed.is_multiple_of(4)),
            events: mixed / 5,
            labels: mixed / 2,
            wake_up: (!mixed.is_multiple_of(3)).then_some((mixed / 2).cast_signed()),
            claim: mixed.is_multiple_of(2).then_some(mixed / 8),
            finishes: mixed.is_multiple_of(6).then_some(mixed / 16),
            view: u16::from(mixed) * 40,
        },
        2 => Operation::Touch {
            entity: mixed / 3,
            stale: u8::from(mixed.is_multiple_of(5)),
            labels: mixed,
            wake_up: mixed.is_multiple_of(2).then_some(mixed.cast_signed()),
        },
        3 => Operation::Hear { account: mixed, body: u16::from(mixed) * 17 },
        _ => Operation::Settle { item: mixed, parks: mixed.is_multiple_of(3) },
    }
}

async fn closes(factory: &dyn Factory) {
    let store = factory.fresh().await;
    done(&*store, change(id(1), 0)).await;
    let health = store.health();
    assert_eq!(*health.borrow(), Health::Running);
    read(store.close().await);
    read(store.close().await);
    assert_eq!(*health.borrow(), Health::Closed);
    assert_eq!(store.commit(commit(change(id(1), 1))).await, Err(CommitError::Closed));
    assert_eq!(store.append_inbox(heard("late")).await, Err(CommitError::Closed));
    assert_eq!(store.load(id(1)).await, Err(ReadError::Closed));
    assert_eq!(store.feed(None, 1).await, Err(ReadError::Closed));
    let store = factory.reopen(store).await;
    assert_eq!(read(store.load(id(1)).await).map(|entity| entity.version), Some(1));
}
