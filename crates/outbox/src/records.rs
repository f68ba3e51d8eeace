//! How endpoints lie in the store.

use bytes::Bytes;
use orderkeep_driver::{codec, records::PARTITION};
use orderkeep_store::{Change, Commit, EntityId, Kind, Label, ListQuery, Store};

use crate::{Endpoint, OutboxError};

/// Webhook endpoints.
const ENDPOINT: Kind = Kind(5);
/// On every endpoint that was not deleted.
const KEPT: &str = "endpoint";
/// Its position moves with every delivery: an entity with a single label is taken for one that rests, and is packed away.
const MOVES: &str = "moves";
/// The view is the whole record; its history says only that it changed.
const CHANGED: &[u8] = &[1];

/// Makes the endpoint durable as it is; gives its version.
pub(crate) async fn save(
    store: &dyn Store,
    endpoint: &Endpoint,
    expected: u64,
) -> Result<u64, OutboxError> {
    let change = Change {
        id: EntityId(endpoint.id.0),
        kind: ENDPOINT,
        expected,
        events: vec![Bytes::from_static(CHANGED)],
        view: Some(codec::encode(endpoint)?),
        labels: if endpoint.deleted { Vec::new() } else { vec![KEPT.into(), MOVES.into()] },
        wake_up: None,
        claims: Vec::new(),
    };
    let commit = Commit { partition: PARTITION, change: Some(change), inbox: Vec::new() };
    Ok(store.commit(commit).await?.version)
}

/// All endpoints, each with its version.
pub(crate) async fn all(store: &dyn Store) -> Result<Vec<(Endpoint, u64)>, OutboxError> {
    let query = ListQuery {
        kind: ENDPOINT,
        label: Some(Label::from(KEPT)),
        before: None,
        limit: crate::outbox::ENDPOINTS_MAX,
    };
    let page = store.list(query).await?;
    page.iter().map(|entity| Ok((codec::decode(&entity.view)?, entity.version))).collect()
}
