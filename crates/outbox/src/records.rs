//! How endpoints lie in the store.

use bytes::Bytes;
use orderkeep_driver::{
    codec::{self, Record},
    records::PARTITION,
};
use orderkeep_store::{Change, Commit, EntityId, Kind, Label, ListQuery, Store};
use serde::{Deserialize, Serialize};

use crate::{Delivery, Endpoint, OutboxError, log::Log};

/// Webhook endpoints.
const ENDPOINT: Kind = Kind(5);
/// On every endpoint that was not deleted.
const KEPT: &str = "endpoint";
/// Its position moves with every delivery: an entity with a single label is taken for one that rests, and is packed away.
const MOVES: &str = "moves";
/// An endpoint is what it is now: its history says only that it changed.
const CHANGED: &[u8] = &[1];

/// An endpoint as it lies in the store.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub(crate) endpoint: Endpoint,
    /// What was tried last, the newest first.
    pub(crate) log: Vec<Delivery>,
    /// Increased by every change.
    #[serde(skip)]
    pub(crate) version: u64,
}

impl Record for Stored {
    const WHAT: &'static str = "webhook endpoint";
    /// 2: the log.
    const SCHEMA: u16 = 2;

    fn added_since(schema: u16) -> &'static [u8] {
        if schema < 2 { &[0] } else { &[] }
    }
}

/// Makes the endpoint durable as it is, and what was tried since the last time; gives its version.
pub(crate) async fn save(
    store: &dyn Store,
    endpoint: &Endpoint,
    expected: u64,
    log: &Log,
) -> Result<u64, OutboxError> {
    let snapshot = log.snapshot();
    let stored =
        Stored { endpoint: endpoint.clone(), log: snapshot.attempts.clone(), version: expected };
    let change = Change {
        id: EntityId(endpoint.id.0),
        kind: ENDPOINT,
        expected,
        events: vec![Bytes::from_static(CHANGED)],
        view: Some(codec::encode(&stored)?),
        labels: if endpoint.deleted { Vec::new() } else { vec![KEPT.into(), MOVES.into()] },
        wake_up: None,
        claims: Vec::new(),
    };
    let commit = Commit { partition: PARTITION, change: Some(change), inbox: Vec::new() };
    let version = store.commit(commit).await?.version;
    log.written(&snapshot);
    Ok(version)
}

/// All endpoints.
pub(crate) async fn all(store: &dyn Store) -> Result<Vec<Stored>, OutboxError> {
    let query = ListQuery {
        kind: ENDPOINT,
        label: Some(Label::from(KEPT)),
        before: None,
        limit: crate::outbox::ENDPOINTS_MAX,
    };
    let page = store.list(query).await?;
    page.iter()
        .map(|entity| Ok(Stored { version: entity.version, ..codec::decode(&entity.view)? }))
        .collect()
}
