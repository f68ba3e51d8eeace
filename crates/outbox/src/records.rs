//! How endpoints lie in the store.

use orderkeep_driver::{codec, records::PARTITION};
use orderkeep_store::{Change, Commit, EntityId, Kind, Label, ListQuery, Store};

use crate::{Endpoint, OutboxError, log::Log};

/// Webhook endpoints.
const ENDPOINT: Kind = Kind(5);
/// On every endpoint that was not deleted.
const KEPT: &str = "endpoint";
/// Its position moves with every delivery: an entity with a single label is taken for one that rests, and is packed away.
const MOVES: &str = "moves";
/// Makes the endpoint durable as it is, and what was tried since the last time; gives its version.
pub(crate) async fn save(
    store: &dyn Store,
    endpoint: &Endpoint,
    expected: u64,
    log: &Log,
) -> Result<u64, OutboxError> {
    let (events, attempts) = log.events()?;
    let change = Change {
        id: EntityId(endpoint.id.0),
        kind: ENDPOINT,
        expected,
        events,
        view: Some(codec::encode(endpoint)?),
        labels: if endpoint.deleted { Vec::new() } else { vec![KEPT.into(), MOVES.into()] },
        wake_up: None,
        claims: Vec::new(),
    };
    let commit = Commit { partition: PARTITION, change: Some(change), inbox: Vec::new() };
    let version = store.commit(commit).await?.version;
    log.written(attempts);
    Ok(version)
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
