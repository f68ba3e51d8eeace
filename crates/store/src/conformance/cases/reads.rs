//! Reads by time, by label and by entity: in order, in pages, and of the present state only.

use std::collections::BTreeMap;

use crate::{Change, Due, Kind, Label, ListQuery, PartitionId, Store};

use super::{Factory, KIND, change, done, id, labelled, read, touch, waking};

pub(super) async fn all(factory: &dyn Factory) {
    gives_due_in_order(factory).await;
    moves_wake_ups(factory).await;
    lists_newest_first(factory).await;
    keeps_labels_and_kinds_apart(factory).await;
    counts_what_carries_a_label(factory).await;
    pages_histories(factory).await;
}

async fn gives_due_in_order(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let times = [500, -3, 7, i64::MAX, i64::MIN, 7, 0, 100];
    for (number, at) in (0..).zip(times) {
        done(&*store, waking(change(id(number), 0), at)).await;
    }
    done(&*store, change(id(90), 0)).await;
    let due = |number, at| Due { at, id: id(number) };
    let expected = [
        due(4, i64::MIN),
        due(1, -3),
        due(6, 0),
        due(2, 7),
        due(5, 7),
        due(7, 100),
        due(0, 500),
        due(3, i64::MAX),
    ];
    let mut store = store;
    for _ in 0..2 {
        let only = PartitionId::ONLY;
        assert_eq!(read(store.due(only, i64::MAX, 100).await), expected);
        assert_eq!(read(store.due(only, 7, 100).await), expected[..5], "until is inclusive");
        assert_eq!(read(store.due(only, 6, 100).await), expected[..3]);
        assert_eq!(read(store.due(only, i64::MAX, 2).await), expected[..2]);
        assert!(read(store.due(only, i64::MAX, 0).await).is_empty());
        assert!(read(store.due(PartitionId(1), i64::MAX, 9).await).is_empty());
        store = factory.reopen(store).await;
    }
}

async fn moves_wake_ups(factory: &dyn Factory) {
    let store = factory.fresh().await;
    for number in 0..3 {
        done(&*store, waking(change(id(number), 0), 10)).await;
    }
    let store = factory.reopen(store).await;
    done(&*store, waking(change(id(0), 1), 20)).await;
    done(&*store, change(id(1), 1)).await;
    done(&*store, waking(touch(id(2), 1), 5)).await;
    let expected = [Due { at: 5, id: id(2) }, Due { at: 20, id: id(0) }];
    assert_eq!(read(store.due(PartitionId::ONLY, 1_000, 10).await), expected);
    let store = factory.reopen(store).await;
    assert_eq!(read(store.due(PartitionId::ONLY, 1_000, 10).await), expected);
}

async fn ids(
    store: &dyn Store,
    label: Option<&str>,
    before: Option<u32>,
    limit: usize,
) -> Vec<crate::EntityId> {
    let query =
        ListQuery { kind: KIND, label: label.map(Label::from), before: before.map(id), limit };
    read(store.list(query).await).into_iter().map(|entity| entity.id).collect()
}

async fn lists_newest_first(factory: &dyn Factory) {
    let store = factory.fresh().await;
    // Not in the order of their ids, and some of them only before the store is opened again.
    for number in [5, 1, 9, 3] {
        done(&*store, labelled(change(id(number), 0), &["Locked"])).await;
    }
    let store = factory.reopen(store).await;
    for number in [4, 8, 2] {
        done(&*store, labelled(change(id(number), 0), &["Locked"])).await;
    }
    done(&*store, labelled(change(id(3), 1), &["Created"])).await;
    let numbers = |numbers: &[u32]| numbers.iter().copied().map(id).collect::<Vec<_>>();
    assert_eq!(ids(&*store, None, None, 100).await, numbers(&[9, 8, 5, 4, 3, 2, 1]));
    assert_eq!(ids(&*store, Some("Locked"), None, 100).await, numbers(&[9, 8, 5, 4, 2, 1]));
    assert_eq!(ids(&*store, Some("Created"), None, 9).await, numbers(&[3]));
    assert_eq!(ids(&*store, Some("Locked"), Some(5), 2).await, numbers(&[4, 2]));
    assert_eq!(ids(&*store, None, Some(6), 2).await, numbers(&[5, 4]));
    assert!(ids(&*store, None, Some(1), 9).await.is_empty());
    assert!(ids(&*store, None, None, 0).await.is_empty());
    assert!(ids(&*store, Some("nobody"), None, 9).await.is_empty());
}

async fn keeps_labels_and_kinds_apart(factory: &dyn Factory) {
    let store = factory.fresh().await;
    done(&*store, labelled(change(id(1), 0), &["ab"])).await;
    done(&*store, labelled(change(id(2), 0), &["abc"])).await;
    done(&*store, labelled(change(id(3), 0), &["a"])).await;
    let other = Change { kind: Kind(KIND.0 + 1), ..labelled(change(id(4), 0), &["ab"]) };
    done(&*store, other).await;
    let mut store = store;
    for _ in 0..2 {
        assert_eq!(ids(&*store, Some("ab"), None, 9).await, [id(1)]);
        assert_eq!(ids(&*store, None, None, 9).await, [id(3), id(2), id(1)]);
        let counted = read(store.counts(Kind(KIND.0 + 1)).await);
        assert_eq!(counted, BTreeMap::from([(Label::from("ab"), 1)]));
        store = factory.reopen(store).await;
    }
}

async fn counts_what_carries_a_label(factory: &dyn Factory) {
    let store = factory.fresh().await;
    for number in 0..4 {
        done(&*store, labelled(change(id(number), 0), &["Locked"])).await;
    }
    done(&*store, labelled(change(id(0), 1), &["Created", "review"])).await;
    let store = factory.reopen(store).await;
    done(&*store, labelled(touch(id(0), 2), &["Created"])).await;
    done(&*store, labelled(change(id(1), 1), &["Created"])).await;
    let expected = BTreeMap::from([(Label::from("Locked"), 2), (Label::from("Created"), 2)]);
    assert_eq!(read(store.counts(KIND).await), expected);
    let store = factory.reopen(store).await;
    assert_eq!(read(store.counts(KIND).await), expected);
    assert!(read(store.counts(Kind(200)).await).is_empty());
}

async fn pages_histories(factory: &dyn Factory) {
    let store = factory.fresh().await;
    for expected in 0..10 {
        done(&*store, change(id(1), expected)).await;
        done(&*store, change(id(2), expected)).await;
    }
    let store = factory.reopen(store).await;
    for expected in 10..20 {
        done(&*store, change(id(1), expected)).await;
    }
    let mut seen = Vec::new();
    loop {
        let after = seen.last().copied().unwrap_or(0);
        let page = read(store.history(id(1), after, 3).await);
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 3);
        for event in page {
            assert_eq!(event.bytes, format!("event {}", event.version));
            seen.push(event.version);
        }
    }
    assert_eq!(seen, (1..=20).collect::<Vec<u64>>());
    assert_eq!(read(store.history(id(2), 9, 100).await).len(), 1);
    assert!(read(store.history(id(2), 10, 100).await).is_empty());
    assert!(read(store.history(id(2), u64::MAX, 100).await).is_empty());
    assert!(read(store.history(id(2), 0, 0).await).is_empty());
    assert!(read(store.history(id(77), 0, 100).await).is_empty());
}
