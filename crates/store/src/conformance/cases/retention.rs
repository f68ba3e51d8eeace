//! What is over goes, and nothing else does.

use bytes::Bytes;

use crate::{
    Claim, CommitError, Cursor, EntityId, InboxDone, Label, ListQuery, Micros, PartitionId,
    ReadError, Retain, Retention, Store,
};

use super::{
    Factory, KIND, change, claiming, commit, done, heard, id, labelled, read, settling, touch,
    waking,
};

pub(super) async fn all(factory: &dyn Factory) {
    what_is_over_leaves_and_what_is_not_stays_whole(factory).await;
    nobody_leaves_before_the_time(factory).await;
    a_follower_is_told_what_it_missed(factory).await;
    nothing_goes_that_somebody_must_read(factory).await;
    what_has_left_is_known_for_a_while(factory).await;
    what_waits_in_the_inbox_waits_on(factory).await;
}

const DAY: Micros = 24 * 3_600 * 1_000_000;

fn retention(keep: Micros) -> Retention {
    Retention { keep, tombstones: None, over: vec![(KIND, Some(Label::from("Executed")))] }
}

/// Everything that may go at a time.
async fn retain(store: &dyn Store, retain: Retain) -> u64 {
    let mut left = 0;
    loop {
        let step = read(store.retain(retain.clone()).await);
        left += step.left;
        if !step.more {
            return left;
        }
    }
}

async fn retain_at(store: &dyn Store, now: Micros, keep: Micros) -> u64 {
    retain(store, Retain { now, retention: retention(keep), read: None, needed: Vec::new() }).await
}

fn key(number: u32) -> Claim {
    Claim::new("key", &[&number.to_string()])
}

/// A life of three steps to its end.
async fn life(store: &dyn Store, number: u32) {
    let open = |change| labelled(change, &["Locked", "open"]);
    done(store, claiming(open(change(id(number), 0)), &[key(number)])).await;
    done(store, waking(open(change(id(number), 1)), 5)).await;
    done(store, labelled(change(id(number), 2), &["Executed"])).await;
}

async fn versions(store: &dyn Store, id: EntityId) -> Vec<u64> {
    let mut versions = Vec::new();
    loop {
        let after = versions.last().copied().unwrap_or(0);
        let page = read(store.history(id, after, 2).await);
        if page.is_empty() {
            return versions;
        }
        versions.extend(page.iter().map(|event| event.version));
        for event in page {
            assert_eq!(event.bytes, Bytes::from(format!("event {}", event.version)));
        }
    }
}

async fn what_is_over_leaves_and_what_is_not_stays_whole(factory: &dyn Factory) {
    let mut store = factory.fresh().await;
    for number in 0..20 {
        life(&*store, number).await;
    }
    // One is open, one is over and watched, one is over and under review.
    done(&*store, claiming(labelled(change(id(50), 0), &["Locked", "open"]), &[key(50)])).await;
    done(&*store, waking(labelled(change(id(51), 0), &["Executed"]), 9)).await;
    done(&*store, labelled(change(id(52), 0), &["Executed", "review"])).await;
    done(&*store, change(id(53), 0)).await;
    for round in 0..2 {
        assert_eq!(retain_at(&*store, DAY, 0).await, if round == 0 { 20 } else { 0 });
        for number in 0..20 {
            assert_eq!(read(store.load(id(number)).await), None);
            assert_eq!(read(store.by_claim(&key(number)).await), None);
            assert_eq!(versions(&*store, id(number)).await, Vec::<u64>::new());
        }
        let listed = |label: Option<&str>| {
            store.list(ListQuery {
                kind: KIND,
                label: label.map(Label::from),
                before: None,
                limit: 100,
            })
        };
        assert_eq!(read(listed(None).await).len(), 4);
        assert_eq!(read(listed(Some("Executed")).await).len(), 2);
        assert_eq!(read(store.counts(KIND).await)[&Label::from("Executed")], 2);
        assert_eq!(read(store.by_claim(&key(50)).await), Some(id(50)));
        for number in 50..54 {
            assert_eq!(versions(&*store, id(number)).await, [1]);
        }
        assert_eq!(read(store.due(PartitionId::ONLY, 100, 10).await).len(), 1);
        store = factory.reopen(store).await;
    }
    // It goes on, its history in two places, and leaves in its turn.
    for version in 1..5 {
        done(&*store, labelled(change(id(50), version), &["Locked", "open"])).await;
    }
    assert_eq!(versions(&*store, id(50)).await, [1, 2, 3, 4, 5]);
    retain_at(&*store, DAY, 0).await;
    assert_eq!(versions(&*store, id(50)).await, [1, 2, 3, 4, 5]);
    done(&*store, labelled(touch(id(50), 5), &["Executed"])).await;
    assert_eq!(versions(&*store, id(50)).await, [1, 2, 3, 4, 5]);
    assert_eq!(retain_at(&*store, DAY, 0).await, 1);
    assert_eq!(read(store.load(id(50)).await), None);
}

async fn nobody_leaves_before_the_time(factory: &dyn Factory) {
    let store = factory.fresh().await;
    life(&*store, 1).await;
    assert_eq!(retain_at(&*store, DAY, 30 * DAY).await, 0);
    life(&*store, 2).await;
    assert_eq!(retain_at(&*store, 20 * DAY, 30 * DAY).await, 0);
    assert_eq!(retain_at(&*store, 30 * DAY, 30 * DAY).await, 0);
    assert_eq!(versions(&*store, id(1)).await, [1, 2, 3]);
    // A clock that runs back makes nothing older or younger.
    assert_eq!(retain_at(&*store, 0, 30 * DAY).await, 0);
    assert_eq!(retain_at(&*store, 31 * DAY, 30 * DAY).await, 1);
    assert_eq!(read(store.load(id(1)).await), None);
    assert_eq!(versions(&*store, id(2)).await, [1, 2, 3]);
    let store = factory.reopen(store).await;
    assert_eq!(retain_at(&*store, 50 * DAY, 30 * DAY).await, 1);
}

/// All that a follower is given after a cursor.
async fn follow(store: &dyn Store, mut after: Option<Cursor>) -> (usize, Cursor) {
    let mut seen = 0;
    loop {
        let page = read(store.feed(after, 3).await);
        if page.entries.is_empty() {
            return (seen, page.next);
        }
        seen += page.entries.len();
        after = Some(page.next);
    }
}

async fn a_follower_is_told_what_it_missed(factory: &dyn Factory) {
    let store = factory.fresh().await;
    life(&*store, 1).await;
    let early = read(store.feed(None, 2).await).next;
    let (seen, end) = follow(&*store, None).await;
    assert_eq!(seen, 3);
    // No event: nobody who has seen the one before it misses anything.
    done(&*store, labelled(touch(id(1), 3), &["Executed"])).await;
    retain_at(&*store, DAY, 0).await;
    match store.feed(Some(early), 10).await {
        Err(ReadError::CursorGone { oldest }) => {
            assert_eq!(follow(&*store, Some(oldest)).await, (0, oldest));
        }
        other => panic!("an event is missing, and the answer is {other:?}"),
    }
    assert_eq!(follow(&*store, Some(end)).await, (0, end));
    let store = factory.reopen(store).await;
    life(&*store, 2).await;
    assert!(matches!(store.feed(Some(early), 10).await, Err(ReadError::CursorGone { .. })));
    assert_eq!(follow(&*store, Some(end)).await.0, 3);
    assert_eq!(follow(&*store, None).await.0, 3);
    retain_at(&*store, DAY, 0).await;
    assert_eq!(follow(&*store, None).await.0, 0);
}

async fn nothing_goes_that_somebody_must_read(factory: &dyn Factory) {
    let store = factory.fresh().await;
    life(&*store, 1).await;
    let cursor = read(store.feed(None, 1).await).next;
    life(&*store, 2).await;
    let pinned =
        Retain { now: DAY, retention: retention(0), read: Some(cursor), needed: Vec::new() };
    retain(&*store, pinned.clone()).await;
    assert_eq!(follow(&*store, Some(cursor)).await.0, 5);
    let needed = Retain { read: None, needed: vec![id(2)], ..pinned.clone() };
    assert_eq!(retain(&*store, needed).await, 1);
    assert_eq!(versions(&*store, id(2)).await, [1, 2, 3]);
    // A cursor of another life reads nothing here, and holds nothing.
    let other = Cursor { incarnation: uuid::Uuid::from_u128(1), ..cursor };
    retain(&*store, Retain { read: Some(other), ..pinned }).await;
    assert!(matches!(store.feed(Some(cursor), 10).await, Err(ReadError::CursorGone { .. })));
    assert_eq!(read(store.load(id(2)).await), None);
}

async fn what_has_left_is_known_for_a_while(factory: &dyn Factory) {
    let store = factory.fresh().await;
    life(&*store, 1).await;
    assert!(!read(store.has_left(&key(1)).await));
    assert_eq!(retain_at(&*store, DAY, 0).await, 1);
    let store = factory.reopen(store).await;
    assert!(read(store.has_left(&key(1)).await));
    assert!(!read(store.has_left(&key(2)).await));
    let again = || commit(claiming(change(id(2), 0), &[key(2), key(1)]));
    let claimed = CommitError::Left { claim: Some(key(1)) };
    assert_eq!(store.commit(again()).await, Err(claimed));
    let same = store.commit(commit(change(id(1), 0))).await;
    assert_eq!(same, Err(CommitError::Left { claim: None }));
    assert_eq!(read(store.by_claim(&key(2)).await), None);
    let forgetting = |now| Retain {
        now,
        retention: Retention { tombstones: Some(7 * DAY), ..retention(0) },
        read: None,
        needed: Vec::new(),
    };
    retain(&*store, forgetting(7 * DAY)).await;
    assert!(read(store.has_left(&key(1)).await));
    retain(&*store, forgetting(9 * DAY)).await;
    assert!(!read(store.has_left(&key(1)).await));
    assert!(store.commit(again()).await.is_ok());
    assert!(store.commit(commit(change(id(1), 0))).await.is_ok());
    assert_eq!(versions(&*store, id(1)).await, [1]);
}

async fn what_waits_in_the_inbox_waits_on(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let mut seqs = Vec::new();
    for body in ["first", "second", "third"] {
        seqs.push(store.append_inbox(heard(body)).await.unwrap_or_else(|error| panic!("{error}")));
    }
    let parks = InboxDone::Parked { seq: seqs[1], reason: "no order".to_owned() };
    let finishes = |seq| InboxDone::Finished { seq, disposition: "applied".to_owned() };
    let settled = store.commit(settling(vec![parks, finishes(seqs[0])])).await;
    assert!(settled.is_ok());
    retain_at(&*store, DAY, 0).await;
    let store = factory.reopen(store).await;
    let waiting = read(store.inbox(None, 10).await);
    assert_eq!(waiting.iter().map(|item| item.seq).collect::<Vec<_>>(), seqs[1..]);
    assert_eq!(waiting[0].parked.as_deref(), Some("no order"));
    assert_eq!(waiting[1].body, "third");
    for seq in &seqs[1..] {
        assert!(store.commit(settling(vec![finishes(*seq)])).await.is_ok());
    }
    retain_at(&*store, DAY, 0).await;
    let store = factory.reopen(store).await;
    assert_eq!(store.inbox_len(), 0);
}
