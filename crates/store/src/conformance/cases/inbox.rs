//! What was heard stays until a commit works it off.

use crate::{Commit, CommitError, InboxDone, InboxItem, InboxSeq, Store};

use super::{Factory, change, commit, heard, id, read, settling};

pub(super) async fn all(factory: &dyn Factory) {
    keeps_what_was_heard(factory).await;
    lets_go_what_is_finished(factory).await;
    keeps_what_is_parked(factory).await;
    finishes_with_a_change(factory).await;
    finishes_once(factory).await;
}

async fn hear(store: &dyn Store, body: &'static str) -> InboxSeq {
    match store.append_inbox(heard(body)).await {
        Ok(seq) => seq,
        Err(error) => panic!("the inbox refused: {error}"),
    }
}

fn finished(seq: InboxSeq) -> InboxDone {
    InboxDone::Finished { seq, disposition: "applied".to_owned() }
}

async fn settle(store: &dyn Store, done: InboxDone) {
    if let Err(error) = store.commit(settling(vec![done.clone()])).await {
        panic!("{done:?} was refused: {error}");
    }
}

fn waiting(seq: InboxSeq, body: &'static str, parked: Option<&str>) -> InboxItem {
    InboxItem {
        seq,
        account: "default".to_owned(),
        received_at: 1_700_000_000_000_000,
        body: body.into(),
        parked: parked.map(str::to_owned),
    }
}

async fn keeps_what_was_heard(factory: &dyn Factory) {
    let store = factory.fresh().await;
    assert_eq!(store.inbox_len(), 0);
    let a = hear(&*store, "a").await;
    let b = hear(&*store, "b").await;
    let store = factory.reopen(store).await;
    let c = hear(&*store, "c").await;
    assert!(a < b && b < c, "numbers grow in the order of arrival");
    let all = [waiting(a, "a", None), waiting(b, "b", None), waiting(c, "c", None)];
    assert_eq!(read(store.inbox(None, 10).await), all);
    assert_eq!(read(store.inbox(None, 2).await), all[..2]);
    assert_eq!(read(store.inbox(Some(a), 10).await), all[1..]);
    assert!(read(store.inbox(Some(c), 10).await).is_empty());
    assert!(
        read(store.inbox(Some(InboxSeq(u64::MAX)), 10).await).is_empty(),
        "nothing comes after the last number"
    );
    assert!(read(store.inbox(None, 0).await).is_empty());
    assert_eq!(store.inbox_len(), 3);
}

async fn lets_go_what_is_finished(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let a = hear(&*store, "a").await;
    let b = hear(&*store, "b").await;
    settle(&*store, finished(a)).await;
    assert_eq!(read(store.inbox(None, 10).await), [waiting(b, "b", None)]);
    let store = factory.reopen(store).await;
    assert_eq!(read(store.inbox(None, 10).await), [waiting(b, "b", None)]);
    settle(&*store, finished(b)).await;
    assert_eq!(store.inbox_len(), 0);
    let store = factory.reopen(store).await;
    assert!(read(store.inbox(None, 10).await).is_empty());
    assert_eq!(store.inbox_len(), 0);
}

async fn keeps_what_is_parked(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let a = hear(&*store, "a").await;
    let parked = |reason: &str| InboxDone::Parked { seq: a, reason: reason.to_owned() };
    settle(&*store, parked("no such order yet")).await;
    let store = factory.reopen(store).await;
    assert_eq!(read(store.inbox(None, 10).await), [waiting(a, "a", Some("no such order yet"))]);
    settle(&*store, parked("still none")).await;
    assert_eq!(read(store.inbox(None, 10).await), [waiting(a, "a", Some("still none"))]);
    assert_eq!(store.inbox_len(), 1);
    settle(&*store, finished(a)).await;
    assert_eq!(store.inbox_len(), 0);
}

async fn finishes_with_a_change(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let a = hear(&*store, "a").await;
    let both = Commit { inbox: vec![finished(a)], ..commit(change(id(1), 0)) };
    match store.commit(both).await {
        Ok(committed) => assert_eq!(committed.version, 1),
        Err(error) => panic!("refused: {error}"),
    }
    let store = factory.reopen(store).await;
    assert_eq!(store.inbox_len(), 0);
    assert!(read(store.load(id(1)).await).is_some());
}

async fn finishes_once(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let a = hear(&*store, "a").await;
    let twice = store.commit(settling(vec![finished(a), finished(a)])).await;
    assert_eq!(twice, Err(CommitError::InboxGone(a)));
    settle(&*store, finished(a)).await;
    let again = Commit { inbox: vec![finished(a)], ..commit(change(id(1), 0)) };
    assert_eq!(
        store.commit(again).await,
        Err(CommitError::InboxGone(a)),
        "a change must not happen twice for one item"
    );
    assert_eq!(read(store.load(id(1)).await), None);
    let never = InboxSeq(a.0 + 1_000);
    assert_eq!(
        store.commit(settling(vec![finished(never)])).await,
        Err(CommitError::InboxGone(never))
    );
}
