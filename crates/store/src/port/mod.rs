//! The port: what an engine may ask of a store, and what it is promised.
//!
//! Reading order: `entity` (what is stored), `commit` (how it changes), `inbox` (what was heard and is not yet
//! worked off), `feed` (what happened, in order), [`Store`] (the trait).

mod commit;
mod entity;
mod feed;
mod health;
mod inbox;
mod incarnation;
mod layer;
mod retention;

pub use commit::{Change, Commit, CommitError, Committed};
pub use entity::{
    Claim, Due, Entity, EntityId, Event, Kind, Label, ListQuery, Micros, PartitionId, Version,
};
pub use feed::{BadCursor, Cursor, FeedEntry, FeedPage, Position};
pub use health::{Health, ReadError};
pub use inbox::{InboxDone, InboxItem, InboxSeq, NewInboxItem};
pub use incarnation::Incarnation;
pub use layer::Layer;
pub use retention::{Retain, Retained, Retention};

use std::{collections::BTreeMap, fmt, future::Future, pin::Pin};

use tokio::sync::watch;

use crate::Backup;

/// A boxed future, so that the port can be used as `Arc<dyn Store>`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A durable store of entities.
///
/// Every read stops at the durable head: nothing is ever told that a power cut could take back.
/// All methods may be called from many tasks at once; commits of one entity are ordered by its version alone.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Appends one step, whole or not at all. Returns once it survives a power cut.
    ///
    /// # Errors
    /// See [`CommitError`]. After `Halted` the outcome of the step is unknown until the store is opened again.
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, CommitError>>;

    /// Stores what was heard from outside, before anybody works on it. Needs no ownership of a partition.
    /// Returns once it survives a power cut.
    ///
    /// # Errors
    /// As [`Store::commit`]; never `Conflict` or `Claimed`.
    fn append_inbox(&self, item: NewInboxItem) -> BoxFuture<'_, Result<InboxSeq, CommitError>>;

    /// One entity, or `None`.
    fn load(&self, id: EntityId) -> BoxFuture<'_, Result<Option<Entity>, ReadError>>;

    /// The entity that holds a claim, or `None`.
    fn by_claim(&self, claim: &Claim) -> BoxFuture<'_, Result<Option<EntityId>, ReadError>>;

    /// Wake-ups due at or before `until`, earliest first, at most `limit`.
    /// Costs by what is due, never by what is stored.
    fn due(
        &self,
        partition: PartitionId,
        until: Micros,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, ReadError>>;

    /// Entities that carry a label (or all of a kind), by id, newest first, at most `limit`. One snapshot.
    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Vec<Entity>, ReadError>>;

    /// How many entities carry each label.
    fn counts(&self, kind: Kind) -> BoxFuture<'_, Result<BTreeMap<Label, u64>, ReadError>>;

    /// The events of one entity after `after` (exclusive), oldest first, at most `limit`.
    fn history(
        &self,
        id: EntityId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Event>, ReadError>>;

    /// The events of all entities after a cursor (`None`: from the oldest kept), in commit order per partition.
    fn feed(
        &self,
        after: Option<Cursor>,
        limit: usize,
    ) -> BoxFuture<'_, Result<FeedPage, ReadError>>;

    /// Where the feed ends now: what is committed later comes after it.
    fn head(&self) -> Cursor {
        let position = *self.durable().borrow();
        Cursor { incarnation: self.incarnation().id, position, offset: u32::MAX }
    }

    /// Inbox items that are not worked off yet, after `after` (exclusive), oldest first, at most `limit`.
    fn inbox(
        &self,
        after: Option<InboxSeq>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InboxItem>, ReadError>>;

    /// How many inbox items are not worked off yet.
    fn inbox_len(&self) -> u64;

    /// Which life of the store this is; does not change while it is open.
    fn incarnation(&self) -> Incarnation;

    /// Begins a copy of everything that is durable now, while the store goes on; see [`crate::restore`] for the way back.
    ///
    /// # Errors
    /// The store has stopped.
    fn backup(&self) -> BoxFuture<'_, Result<Backup, ReadError>>;

    /// Lets go of some of what is over, as the retention says; commits wait no longer for it than for a group of theirs.
    /// Call it now and then, and again while there is more. A store that keeps everything has nothing to do.
    ///
    /// # Errors
    /// The store has stopped.
    fn retain(&self, retain: Retain) -> BoxFuture<'_, Result<Retained, ReadError>> {
        drop(retain);
        Box::pin(std::future::ready(Ok(Retained::default())))
    }

    /// Whether the entity that held a claim has left, and is still known to have been there.
    fn has_left(&self, claim: &Claim) -> BoxFuture<'_, Result<bool, ReadError>> {
        let _ = claim;
        Box::pin(std::future::ready(Ok(false)))
    }

    /// The durable head, to wait on.
    fn durable(&self) -> watch::Receiver<Position>;

    /// The store's health, to wait on. Once `Halted` it stays so until the store is opened again.
    fn health(&self) -> watch::Receiver<Health>;

    /// Stops the writer after what is queued, writes the views and releases the folder. Idempotent.
    fn close(&self) -> BoxFuture<'_, Result<(), ReadError>>;
}
