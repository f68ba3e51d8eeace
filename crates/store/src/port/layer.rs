//! A store that stands before another one and changes little of what passes.

use std::{collections::BTreeMap, fmt};

use tokio::sync::watch;

use super::{
    BoxFuture, Claim, Commit, CommitError, Committed, Cursor, Due, Entity, EntityId, Event,
    FeedPage, Health, InboxItem, InboxSeq, Incarnation, Kind, Label, ListQuery, Micros,
    NewInboxItem, PartitionId, Position, ReadError, Retain, Retained, Store, Version,
};
use crate::Backup;

/// Passes everything on to the store below it, but for what an implementation does in its own way.
///
/// Whatever is a `Layer` is a [`Store`]: a probe that takes the time of commits implements `commit` alone. Each method
/// promises what the method of [`Store`] with its name does.
#[expect(missing_docs, reason = "each method is the one of `Store` with its name")]
pub trait Layer: fmt::Debug + Send + Sync + 'static {
    /// The store that everything is passed on to.
    fn below(&self) -> &dyn Store;

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, CommitError>> {
        self.below().commit(commit)
    }

    fn append_inbox(&self, item: NewInboxItem) -> BoxFuture<'_, Result<InboxSeq, CommitError>> {
        self.below().append_inbox(item)
    }

    fn load(&self, id: EntityId) -> BoxFuture<'_, Result<Option<Entity>, ReadError>> {
        self.below().load(id)
    }

    fn by_claim(&self, claim: &Claim) -> BoxFuture<'_, Result<Option<EntityId>, ReadError>> {
        self.below().by_claim(claim)
    }

    fn due(
        &self,
        partition: PartitionId,
        until: Micros,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, ReadError>> {
        self.below().due(partition, until, limit)
    }

    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Vec<Entity>, ReadError>> {
        self.below().list(query)
    }

    fn counts(&self, kind: Kind) -> BoxFuture<'_, Result<BTreeMap<Label, u64>, ReadError>> {
        self.below().counts(kind)
    }

    fn history(
        &self,
        id: EntityId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Event>, ReadError>> {
        self.below().history(id, after, limit)
    }

    fn feed(
        &self,
        after: Option<Cursor>,
        limit: usize,
    ) -> BoxFuture<'_, Result<FeedPage, ReadError>> {
        self.below().feed(after, limit)
    }

    fn head(&self) -> Cursor {
        self.below().head()
    }

    fn inbox(
        &self,
        after: Option<InboxSeq>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InboxItem>, ReadError>> {
        self.below().inbox(after, limit)
    }

    fn inbox_len(&self) -> u64 {
        self.below().inbox_len()
    }

    fn incarnation(&self) -> Incarnation {
        self.below().incarnation()
    }

    fn backup(&self) -> BoxFuture<'_, Result<Backup, ReadError>> {
        self.below().backup()
    }

    fn retain(&self, retain: Retain) -> BoxFuture<'_, Result<Retained, ReadError>> {
        self.below().retain(retain)
    }

    fn has_left(&self, claim: &Claim) -> BoxFuture<'_, Result<bool, ReadError>> {
        self.below().has_left(claim)
    }

    fn durable(&self) -> watch::Receiver<Position> {
        self.below().durable()
    }

    fn health(&self) -> watch::Receiver<Health> {
        self.below().health()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        self.below().close()
    }
}

impl<L: Layer> Store for L {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, CommitError>> {
        Layer::commit(self, commit)
    }

    fn append_inbox(&self, item: NewInboxItem) -> BoxFuture<'_, Result<InboxSeq, CommitError>> {
        Layer::append_inbox(self, item)
    }

    fn load(&self, id: EntityId) -> BoxFuture<'_, Result<Option<Entity>, ReadError>> {
        Layer::load(self, id)
    }

    fn by_claim(&self, claim: &Claim) -> BoxFuture<'_, Result<Option<EntityId>, ReadError>> {
        Layer::by_claim(self, claim)
    }

    fn due(
        &self,
        partition: PartitionId,
        until: Micros,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, ReadError>> {
        Layer::due(self, partition, until, limit)
    }

    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Vec<Entity>, ReadError>> {
        Layer::list(self, query)
    }

    fn counts(&self, kind: Kind) -> BoxFuture<'_, Result<BTreeMap<Label, u64>, ReadError>> {
        Layer::counts(self, kind)
    }

    fn history(
        &self,
        id: EntityId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Event>, ReadError>> {
        Layer::history(self, id, after, limit)
    }

    fn feed(
        &self,
        after: Option<Cursor>,
        limit: usize,
    ) -> BoxFuture<'_, Result<FeedPage, ReadError>> {
        Layer::feed(self, after, limit)
    }

    fn head(&self) -> Cursor {
        Layer::head(self)
    }

    fn inbox(
        &self,
        after: Option<InboxSeq>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InboxItem>, ReadError>> {
        Layer::inbox(self, after, limit)
    }

    fn inbox_len(&self) -> u64 {
        Layer::inbox_len(self)
    }

    fn incarnation(&self) -> Incarnation {
        Layer::incarnation(self)
    }

    fn backup(&self) -> BoxFuture<'_, Result<Backup, ReadError>> {
        Layer::backup(self)
    }

    fn retain(&self, retain: Retain) -> BoxFuture<'_, Result<Retained, ReadError>> {
        Layer::retain(self, retain)
    }

    fn has_left(&self, claim: &Claim) -> BoxFuture<'_, Result<bool, ReadError>> {
        Layer::has_left(self, claim)
    }

    fn durable(&self) -> watch::Receiver<Position> {
        Layer::durable(self)
    }

    fn health(&self) -> watch::Receiver<Health> {
        Layer::health(self)
    }

    fn close(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        Layer::close(self)
    }
}
