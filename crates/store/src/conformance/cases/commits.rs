//! A commit is whole, guarded by its version and its claims, and durable when it returns.

use tokio::task::JoinSet;

use crate::{Change, Claim, CommitError, Entity, InboxDone, Label, PartitionId};

use super::{
    Factory, KIND, change, claiming, commit, done, heard, id, labelled, read, touch, waking,
};

pub(super) async fn all(factory: &dyn Factory) {
    counts_versions_and_positions(factory).await;
    keeps_the_whole_change(factory).await;
    takes_several_events(factory).await;
    refuses_another_version(factory).await;
    lets_one_of_many_win(factory).await;
    gives_a_claim_once(factory).await;
    lets_one_of_many_claim(factory).await;
    touches_without_events(factory).await;
    is_whole_or_absent(factory).await;
}

async fn counts_versions_and_positions(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let mut before = store.durable().borrow().0;
    for expected in 0..5 {
        let committed = match store.commit(commit(change(id(1), expected))).await {
            Ok(committed) => committed,
            Err(error) => panic!("commit {expected} was refused: {error}"),
        };
        assert_eq!(committed.version, expected + 1, "one event, one version");
        assert!(committed.position.0 > before, "positions grow");
        assert!(
            *store.durable().borrow() >= committed.position,
            "a commit returns at or below the durable head"
        );
        before = committed.position.0;
    }
}

async fn keeps_the_whole_change(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let claim = Claim::new("order", &["a", "b"]);
    let full = waking(labelled(change(id(1), 0), &["Locked", "review"]), -5);
    done(&*store, claiming(full, std::slice::from_ref(&claim))).await;
    let expected = Entity {
        id: id(1),
        kind: KIND,
        partition: PartitionId::ONLY,
        version: 1,
        view: "view 1".into(),
        labels: vec![Label::from("Locked"), Label::from("review")],
        wake_up: Some(-5),
    };
    assert_eq!(read(store.load(id(1)).await), Some(expected));
    assert_eq!(read(store.load(id(2)).await), None);
    assert_eq!(read(store.by_claim(&claim).await), Some(id(1)));
}

async fn takes_several_events(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let several =
        Change { events: vec!["one".into(), "two".into(), "three".into()], ..change(id(1), 0) };
    assert_eq!(done(&*store, several).await, 3);
    assert_eq!(done(&*store, change(id(1), 3)).await, 4);
    let events = read(store.history(id(1), 0, 10).await);
    let found: Vec<(u64, &[u8])> =
        events.iter().map(|event| (event.version, &event.bytes[..])).collect();
    let expected: [(u64, &[u8]); 4] = [(1, b"one"), (2, b"two"), (3, b"three"), (4, b"event 4")];
    assert_eq!(found, expected);
}

async fn refuses_another_version(factory: &dyn Factory) {
    let store = factory.fresh().await;
    done(&*store, change(id(1), 0)).await;
    for wrong in [0, 2, 17] {
        let refused = Change { events: vec!["never".into()], ..change(id(1), wrong) };
        assert_eq!(
            store.commit(commit(refused)).await,
            Err(CommitError::Conflict { id: id(1), expected: wrong, found: 1 })
        );
    }
    let absent = store.commit(commit(touch(id(2), 3))).await;
    assert_eq!(absent, Err(CommitError::Conflict { id: id(2), expected: 3, found: 0 }));
    assert_eq!(read(store.history(id(1), 0, 10).await).len(), 1);
}

async fn lets_one_of_many_win(factory: &dyn Factory) {
    let store = factory.fresh().await;
    done(&*store, change(id(1), 0)).await;
    let mut racing = JoinSet::new();
    for _ in 0..16 {
        let store = std::sync::Arc::clone(&store);
        racing.spawn(async move { store.commit(commit(change(id(1), 1))).await });
    }
    let mut won = 0;
    while let Some(outcome) = racing.join_next().await {
        match outcome {
            Ok(Ok(committed)) => {
                assert_eq!(committed.version, 2);
                won += 1;
            }
            Ok(Err(CommitError::Conflict { found: 2, .. })) => {}
            other => panic!("neither won nor beaten: {other:?}"),
        }
    }
    assert_eq!(won, 1, "exactly one of the racers commits");
}

async fn gives_a_claim_once(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let mine = Claim::new("key", &["a", "bc"]);
    let other = Claim::new("key", &["ab", "c"]);
    done(&*store, claiming(change(id(1), 0), std::slice::from_ref(&mine))).await;
    let taken = claiming(change(id(2), 0), std::slice::from_ref(&mine));
    assert_eq!(
        store.commit(commit(taken)).await,
        Err(CommitError::Claimed { claim: mine.clone(), holder: id(1) })
    );
    assert_eq!(read(store.load(id(2)).await), None);
    // Again for who has it, and the parts do not run into each other.
    done(&*store, claiming(change(id(1), 1), std::slice::from_ref(&mine))).await;
    assert_eq!(read(store.by_claim(&other).await), None);
    done(&*store, claiming(change(id(2), 0), std::slice::from_ref(&other))).await;
    assert_eq!(read(store.by_claim(&other).await), Some(id(2)));
    assert_eq!(read(store.by_claim(&mine).await), Some(id(1)));
}

async fn lets_one_of_many_claim(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let claim = Claim::new("key", &["one"]);
    let mut racing = JoinSet::new();
    for number in 0..16 {
        let store = std::sync::Arc::clone(&store);
        let change = claiming(change(id(number), 0), std::slice::from_ref(&claim));
        racing.spawn(async move { (id(number), store.commit(commit(change)).await) });
    }
    let mut won = Vec::new();
    let mut told = Vec::new();
    while let Some(outcome) = racing.join_next().await {
        match outcome {
            Ok((id, Ok(_))) => won.push(id),
            Ok((_, Err(CommitError::Claimed { holder, .. }))) => told.push(holder),
            other => panic!("neither won nor beaten: {other:?}"),
        }
    }
    assert_eq!(won.len(), 1, "exactly one of the racers gets the claim");
    assert!(told.iter().all(|holder| *holder == won[0]));
    assert_eq!(read(store.by_claim(&claim).await), Some(won[0]));
}

async fn touches_without_events(factory: &dyn Factory) {
    let store = factory.fresh().await;
    done(&*store, waking(labelled(change(id(1), 0), &["Locked", "review"]), 50)).await;
    let version = done(&*store, waking(labelled(touch(id(1), 1), &["Locked"]), 70)).await;
    assert_eq!(version, 1, "a touch leaves the version");
    let entity = read(store.load(id(1)).await);
    let found = entity.map(|entity| (entity.version, entity.view, entity.labels, entity.wake_up));
    assert_eq!(found, Some((1, "view 1".into(), vec![Label::from("Locked")], Some(70))));
    assert_eq!(read(store.history(id(1), 0, 10).await).len(), 1);
    assert_eq!(read(store.feed(None, 10).await).entries.len(), 1);
    let due = read(store.due(PartitionId::ONLY, 100, 10).await);
    assert_eq!(due.iter().map(|due| due.at).collect::<Vec<_>>(), [70]);
    // The next step goes on from the same version.
    assert_eq!(done(&*store, change(id(1), 1)).await, 2);
}

async fn is_whole_or_absent(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let claim = Claim::new("key", &["taken"]);
    done(&*store, claiming(change(id(1), 0), std::slice::from_ref(&claim))).await;
    let seq = match store.append_inbox(heard("a")).await {
        Ok(seq) => seq,
        Err(error) => panic!("the inbox refused: {error}"),
    };
    let mut refused = commit(claiming(
        waking(labelled(change(id(2), 0), &["Locked"]), 1),
        &[Claim::new("key", &["free"]), claim],
    ));
    refused.inbox.push(InboxDone::Finished { seq, disposition: "applied".to_owned() });
    assert!(matches!(store.commit(refused).await, Err(CommitError::Claimed { .. })));
    assert_eq!(read(store.load(id(2)).await), None);
    assert_eq!(read(store.by_claim(&Claim::new("key", &["free"])).await), None);
    assert_eq!(store.inbox_len(), 1);
    assert_eq!(read(store.inbox(None, 10).await).len(), 1);
    assert!(read(store.due(PartitionId::ONLY, 100, 10).await).is_empty());
    assert!(read(store.counts(KIND).await).is_empty());
}
