//! What cannot be stored is refused with a reason, and leaves nothing behind.

use bytes::Bytes;

use crate::{Change, Claim, Commit, CommitError, Kind, Label, NewInboxItem, limits};

use super::{
    Factory, KIND, change, claiming, commit, done, heard, id, labelled, read, settling, touch,
};

pub(super) async fn all(factory: &dyn Factory) {
    refuses_what_makes_no_sense(factory).await;
    refuses_what_is_too_large(factory).await;
    takes_what_is_just_not_too_large(factory).await;
    keeps_the_kind(factory).await;
}

async fn refuses_what_makes_no_sense(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let no_view = Change { view: None, ..change(id(1), 0) };
    let no_event = Change { events: Vec::new(), ..change(id(1), 0) };
    let senseless: [(&str, Commit); 6] = [
        ("nothing to do", settling(Vec::new())),
        ("events without a view", commit(no_view)),
        ("a view without events", commit(no_event)),
        ("a touch of nothing", commit(touch(id(1), 0))),
        ("an empty label", commit(labelled(change(id(1), 0), &[""]))),
        ("an empty claim", commit(claiming(change(id(1), 0), &[Claim(Vec::new())]))),
    ];
    for (what, senseless) in senseless {
        let refused = store.commit(senseless).await;
        assert!(matches!(refused, Err(CommitError::Invalid(_))), "{what}: {refused:?}");
    }
    assert_eq!(read(store.load(id(1)).await), None);
    assert!(read(store.feed(None, 10).await).entries.is_empty());
}

async fn refuses_what_is_too_large(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let long = "x".repeat(Label::MAX_BYTES + 1);
    let many: Vec<String> = (0..=Label::MAX_PER_ENTITY).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let heavy =
        Change { events: vec![Bytes::from(vec![7; limits::ENTRY_BYTES])], ..change(id(1), 0) };
    let eventful = Change { events: vec![Bytes::new(); limits::EVENTS + 1], ..change(id(1), 0) };
    let too_large = [
        ("a long label", labelled(change(id(1), 0), &[&long])),
        ("many labels", labelled(change(id(1), 0), &many)),
        ("a long claim", claiming(change(id(1), 0), &[Claim(vec![1; Claim::MAX_BYTES + 1])])),
        ("a heavy event", heavy),
        ("many events", eventful),
    ];
    for (what, too_large) in too_large {
        let refused = store.commit(commit(too_large)).await;
        assert!(matches!(refused, Err(CommitError::TooLarge(_))), "{what}: {refused:?}");
    }
    let body = heard(vec![7; limits::INBOX_BODY_BYTES + 1]);
    let account = NewInboxItem { account: "x".repeat(limits::ACCOUNT_BYTES + 1), ..heard("a") };
    for item in [body, account] {
        let refused = store.append_inbox(item).await;
        assert!(matches!(refused, Err(CommitError::TooLarge(_))), "{refused:?}");
    }
    assert_eq!(store.inbox_len(), 0);
    assert_eq!(read(store.load(id(1)).await), None);
}

async fn takes_what_is_just_not_too_large(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let label = "x".repeat(Label::MAX_BYTES);
    let claim = Claim(vec![0xff; Claim::MAX_BYTES]);
    let event = Bytes::from(vec![3; limits::ENTRY_BYTES / 2 - Claim::MAX_BYTES]);
    let view = Bytes::from(vec![4; limits::ENTRY_BYTES / 2]);
    let full = Change {
        events: vec![event.clone()],
        view: Some(view.clone()),
        ..claiming(labelled(change(id(1), 0), &[&label]), std::slice::from_ref(&claim))
    };
    done(&*store, full).await;
    let body = Bytes::from(vec![5; limits::INBOX_BODY_BYTES]);
    assert!(store.append_inbox(heard(body.clone())).await.is_ok());
    // A small one over a large one, and a large one over a small one.
    done(&*store, labelled(change(id(1), 1), &[&label])).await;
    let large_again = Change { view: Some(view.clone()), ..change(id(1), 2) };
    done(&*store, labelled(large_again, &[&label])).await;
    let store = factory.reopen(store).await;
    let entity = read(store.load(id(1)).await);
    assert_eq!(entity.map(|entity| entity.view), Some(view));
    let events = read(store.history(id(1), 0, 10).await);
    assert_eq!(events.len(), 3);
    assert_eq!(events[0].bytes, event);
    assert_eq!(read(store.by_claim(&claim).await), Some(id(1)));
    assert_eq!(read(store.inbox(None, 10).await)[0].body, body);
    assert_eq!(read(store.counts(KIND).await)[&Label(label)], 1);
}

async fn keeps_the_kind(factory: &dyn Factory) {
    let store = factory.fresh().await;
    done(&*store, change(id(1), 0)).await;
    let other = Change { kind: Kind(KIND.0 + 1), ..change(id(1), 1) };
    let refused = store.commit(commit(other)).await;
    assert!(matches!(refused, Err(CommitError::Invalid(_))), "{refused:?}");
    assert_eq!(done(&*store, change(id(1), 1)).await, 2);
}
