//! The feed: every event once, in the order of the commits, resumable anywhere.

use uuid::Uuid;

use crate::{Change, Cursor, FeedEntry, Position, ReadError, Store};

use super::{Factory, KIND, change, commit, done, heard, id, labelled, read, touch};

pub(super) async fn all(factory: &dyn Factory) {
    follows_the_commits(factory).await;
    stays_where_nothing_is_new(factory).await;
    refuses_cursors_of_others(factory).await;
    tells_only_what_is_durable(factory).await;
    has_a_head(factory).await;
}

/// Two entities, several events in one commit, and steps without events in between.
async fn write(store: &dyn Store) {
    let several =
        Change { events: vec!["1a".into(), "1b".into(), "1c".into()], ..change(id(1), 0) };
    done(store, several).await;
    assert!(store.append_inbox(heard("not for the feed")).await.is_ok());
    done(store, change(id(2), 0)).await;
    done(store, labelled(touch(id(2), 1), &["review"])).await;
    done(store, change(id(1), 3)).await;
}

fn told(entries: &[FeedEntry]) -> Vec<(crate::EntityId, u64, String)> {
    entries
        .iter()
        .map(|entry| {
            assert_eq!(entry.kind, KIND);
            let text = String::from_utf8_lossy(&entry.bytes).into_owned();
            (entry.id, entry.version, text)
        })
        .collect()
}

async fn follows_the_commits(factory: &dyn Factory) {
    let store = factory.fresh().await;
    write(&*store).await;
    let expected = [
        (id(1), 1, "1a".to_owned()),
        (id(1), 2, "1b".to_owned()),
        (id(1), 3, "1c".to_owned()),
        (id(2), 1, "event 1".to_owned()),
        (id(1), 4, "event 4".to_owned()),
    ];
    let whole = read(store.feed(None, 100).await);
    assert_eq!(told(&whole.entries), expected);
    let store = factory.reopen(store).await;
    // From every entry on, in pages of every size; a cursor survives its text and the end of the process.
    for (seen, entry) in (1..).zip(&whole.entries) {
        for size in 1..=5 {
            let mut cursor: Cursor = match entry.cursor.to_string().parse() {
                Ok(cursor) => cursor,
                Err(error) => panic!("{}: {error}", entry.cursor),
            };
            let mut rest = Vec::new();
            loop {
                let page = read(store.feed(Some(cursor), size).await);
                assert!(page.entries.len() <= size);
                if page.entries.is_empty() {
                    assert_eq!(page.next, cursor);
                    break;
                }
                assert_eq!(
                    Some(page.next),
                    page.entries.last().map(|last| last.cursor),
                    "a page ends where the next one starts"
                );
                cursor = page.next;
                rest.extend(page.entries);
            }
            assert_eq!(told(&rest), expected[seen..], "after entry {seen}");
        }
    }
}

async fn stays_where_nothing_is_new(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let empty = read(store.feed(None, 10).await);
    assert!(empty.entries.is_empty());
    let again = read(store.feed(Some(empty.next), 10).await);
    assert_eq!(again, empty);
    write(&*store).await;
    assert_eq!(read(store.feed(Some(empty.next), 10).await).entries.len(), 5);
    assert!(read(store.feed(None, 0).await).entries.is_empty());
}

async fn refuses_cursors_of_others(factory: &dyn Factory) {
    let store = factory.fresh().await;
    write(&*store).await;
    let page = read(store.feed(None, 10).await);
    let foreign = Cursor { incarnation: Uuid::from_u128(0x77), ..page.next };
    let beyond = Cursor { position: Position(page.next.position.0 + 1_000), ..page.next };
    for cursor in [foreign, beyond] {
        match store.feed(Some(cursor), 10).await {
            Err(ReadError::CursorGone { oldest }) => {
                assert_eq!(read(store.feed(Some(oldest), 10).await), page);
            }
            other => panic!("{cursor} was taken: {other:?}"),
        }
    }
}

async fn tells_only_what_is_durable(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let mut head = store.durable();
    for expected in 0..20 {
        let committing = {
            let store = std::sync::Arc::clone(&store);
            tokio::spawn(async move { store.commit(commit(change(id(1), expected))).await })
        };
        if head.changed().await.is_err() {
            panic!("the durable head is gone while the store is open");
        }
        let durable = *head.borrow_and_update();
        let page = read(store.feed(None, 100).await);
        assert_eq!(
            page.entries.len() as u64,
            expected + 1,
            "the head was announced before it could be read"
        );
        assert!(page.next.position <= durable);
        match committing.await {
            Ok(Ok(committed)) => assert_eq!(committed.position, durable),
            other => panic!("{other:?}"),
        }
    }
}

async fn has_a_head(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let before = store.head();
    write(&*store).await;
    assert_eq!(read(store.feed(Some(before), 10).await).entries.len(), 5, "from an empty store on");
    let head = store.head();
    assert!(read(store.feed(Some(head), 10).await).entries.is_empty());
    let store = factory.reopen(store).await;
    done(&*store, change(id(1), 4)).await;
    let new = read(store.feed(Some(head), 10).await).entries;
    assert_eq!(told(&new), [(id(1), 5, "event 5".to_owned())]);
}
