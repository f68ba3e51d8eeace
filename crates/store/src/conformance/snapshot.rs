//! Everything that can be read of a store.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{
    Claim, Cursor, Due, Entity, EntityId, Event, Kind, Label, ListQuery, Micros, PartitionId,
    ReadError, Store, Version,
};

use super::World;

/// Pages of the reads: small, so that every read is cut somewhere.
const PAGE: usize = 3;

/// What a store shows of the [`World`], without what backends are free to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub(super) entities: BTreeMap<EntityId, Option<Entity>>,
    pub(super) histories: BTreeMap<EntityId, Vec<Event>>,
    pub(super) claims: BTreeMap<Claim, Option<EntityId>>,
    pub(super) lists: BTreeMap<(Kind, Option<Label>), Vec<Entity>>,
    pub(super) counts: BTreeMap<Kind, BTreeMap<Label, u64>>,
    pub(super) due: Vec<Due>,
    /// By ordinal, in the order that the store gives.
    pub(super) inbox: Vec<(Option<usize>, Item)>,
    pub(super) inbox_len: u64,
    pub(super) feed: Vec<Followed>,
    pub(super) left: BTreeMap<Claim, bool>,
}

/// A waiting inbox item without its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) account: String,
    pub(super) received_at: Micros,
    pub(super) body: Bytes,
    pub(super) parked: Option<String>,
}

/// An entry of the feed without its cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Followed {
    pub(super) id: EntityId,
    pub(super) kind: Kind,
    pub(super) version: Version,
    pub(super) bytes: Bytes,
}

impl Snapshot {
    /// Reads everything, page by page.
    ///
    /// # Errors
    /// The first read that fails.
    pub async fn read(store: &dyn Store, world: &World) -> Result<Self, ReadError> {
        let mut entities = BTreeMap::new();
        let mut histories = BTreeMap::new();
        for id in World::ids() {
            entities.insert(id, store.load(id).await?);
            histories.insert(id, history(store, id).await?);
        }
        let mut claims = BTreeMap::new();
        let mut left = BTreeMap::new();
        for claim in World::claims() {
            left.insert(claim.clone(), store.has_left(&claim).await?);
            let holder = store.by_claim(&claim).await?;
            claims.insert(claim, holder);
        }
        let mut lists = BTreeMap::new();
        let mut counts = BTreeMap::new();
        for kind in World::kinds() {
            counts.insert(kind, store.counts(kind).await?);
            lists.insert((kind, None), list(store, kind, None).await?);
            for label in World::labels() {
                let listed = list(store, kind, Some(label.clone())).await?;
                lists.insert((kind, Some(label)), listed);
            }
        }
        Ok(Self {
            entities,
            histories,
            claims,
            lists,
            counts,
            due: store.due(PartitionId::ONLY, Micros::MAX, usize::MAX).await?,
            inbox: inbox(store, world).await?,
            inbox_len: store.inbox_len(),
            feed: feed(store).await?,
            left,
        })
    }
}

async fn history(store: &dyn Store, id: EntityId) -> Result<Vec<Event>, ReadError> {
    let mut events = Vec::new();
    loop {
        let after = events.last().map_or(0, |event: &Event| event.version);
        let page = store.history(id, after, PAGE).await?;
        if page.is_empty() {
            return Ok(events);
        }
        events.extend(page);
    }
}

async fn list(
    store: &dyn Store,
    kind: Kind,
    label: Option<Label>,
) -> Result<Vec<Entity>, ReadError> {
    let mut entities = Vec::new();
    loop {
        let query = ListQuery {
            kind,
            label: label.clone(),
            before: entities.last().map(|entity: &Entity| entity.id),
            limit: PAGE,
        };
        let page = store.list(query).await?;
        if page.is_empty() {
            return Ok(entities);
        }
        entities.extend(page);
    }
}

async fn inbox(store: &dyn Store, world: &World) -> Result<Vec<(Option<usize>, Item)>, ReadError> {
    let mut items = Vec::new();
    let mut after = None;
    loop {
        let page = store.inbox(after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(items);
        };
        after = Some(last.seq);
        items.extend(page.into_iter().map(|item| {
            let ordinal = world.ordinal(item.seq);
            let item = Item {
                account: item.account,
                received_at: item.received_at,
                body: item.body,
                parked: item.parked,
            };
            (ordinal, item)
        }));
    }
}

async fn feed(store: &dyn Store) -> Result<Vec<Followed>, ReadError> {
    let mut followed = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = store.feed(after, PAGE).await?;
        if page.entries.is_empty() {
            return Ok(followed);
        }
        after = Some(page.next);
        followed.extend(page.entries.into_iter().map(|entry| Followed {
            id: entry.id,
            kind: entry.kind,
            version: entry.version,
            bytes: entry.bytes,
        }));
    }
}
