//! The shortest way through both embedded stores.

use std::sync::Arc;

use bytes::Bytes;
use orderkeep_store::{
    Change, Claim, Commit, EntityId, Kind, Label, ListQuery, MemoryStore, NewInboxItem,
    PartitionId, SledConfig, SledStore, Store,
};
use uuid::Uuid;

fn create(id: EntityId) -> Commit {
    Commit {
        partition: PartitionId::ONLY,
        change: Some(Change {
            id,
            kind: Kind(1),
            expected: 0,
            events: vec![Bytes::from_static(b"made")],
            view: Some(Bytes::from_static(b"state")),
            labels: vec![Label::from("Locked")],
            wake_up: Some(5),
            claims: vec![Claim::new("key", &["a", "b"])],
        }),
        inbox: Vec::new(),
    }
}

async fn walk(store: Arc<dyn Store>) -> EntityId {
    let id = EntityId(Uuid::now_v7());
    let committed = store.commit(create(id)).await.unwrap();
    assert_eq!((committed.version, committed.position.0), (1, 1));
    let item = NewInboxItem {
        account: "default".to_owned(),
        received_at: 9,
        body: Bytes::from_static(b"{}"),
    };
    assert_eq!(store.append_inbox(item).await.unwrap().0, 2);
    look(&*store, id).await;
    id
}

async fn look(store: &dyn Store, id: EntityId) {
    let entity = store.load(id).await.unwrap().unwrap();
    assert_eq!(entity.view, "state");
    assert_eq!(store.by_claim(&Claim::new("key", &["a", "b"])).await.unwrap(), Some(id));
    assert_eq!(store.due(PartitionId::ONLY, 5, 10).await.unwrap()[0].id, id);
    let query =
        ListQuery { kind: Kind(1), label: Some(Label::from("Locked")), before: None, limit: 10 };
    assert_eq!(store.list(query).await.unwrap(), vec![entity]);
    assert_eq!(store.counts(Kind(1)).await.unwrap()[&Label::from("Locked")], 1);
    assert_eq!(store.history(id, 0, 10).await.unwrap()[0].bytes, "made");
    assert_eq!(store.feed(None, 10).await.unwrap().entries[0].bytes, "made");
    assert_eq!(store.inbox(None, 10).await.unwrap()[0].body, "{}");
    assert_eq!(store.inbox_len(), 1);
}

#[tokio::test]
async fn memory() {
    let store = MemoryStore::new();
    let again = store.reopen().unwrap();
    let store = Arc::new(again);
    let id = walk(store.clone()).await;
    look(&store.reopen().unwrap(), id).await;
}

#[tokio::test]
async fn sled() {
    let folder = tempfile::tempdir().unwrap();
    let config = SledConfig::new(folder.path().join("store"));
    let store = Arc::new(SledStore::open(config.clone()).unwrap());
    let id = walk(store.clone()).await;
    assert_eq!(store.check().await.unwrap().problems, Vec::<String>::new());
    store.close().await.unwrap();
    drop(store);
    let store = SledStore::open(config.clone()).unwrap();
    look(&store, id).await;
    drop(store);
    let store = SledStore::open(config).unwrap();
    look(&store, id).await;
}
