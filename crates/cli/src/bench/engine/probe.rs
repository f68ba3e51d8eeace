//! A store that takes the time of every commit and passes everything on.
//!
//! As the *early twin* it says that a webhook is stored before it is, which a benchmark must notice.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use orderkeep::store::{
    Backup, BoxFuture, Claim, Commit, CommitError, Committed, Cursor, Due, Entity, EntityId, Event,
    FeedPage, Health, InboxItem, InboxSeq, Incarnation, Kind, Label, ListQuery, Micros,
    NewInboxItem, PartitionId, Position, ReadError, Store, Version,
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Durations, counted as they come.
#[derive(Debug, Clone)]
pub(super) struct Times(Arc<Mutex<Histogram<u64>>>);

impl Times {
    pub(super) fn new() -> Option<Self> {
        // From a microsecond to a minute, to three digits.
        let histogram = Histogram::new_with_bounds(1, 60_000_000, 3).ok()?;
        Some(Self(Arc::new(Mutex::new(histogram))))
    }

    pub(super) fn record(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(us);
    }

    pub(super) fn quantiles(&self) -> Quantiles {
        let histogram = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Quantiles {
            p50_us: histogram.value_at_quantile(0.5),
            p99_us: histogram.value_at_quantile(0.99),
        }
    }
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Quantiles {
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) inner: Arc<dyn Store>,
    pub(super) commits: Times,
    pub(super) early: bool,
}

impl Store for Probe {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, CommitError>> {
        Box::pin(async move {
            let started = Instant::now();
            let result = self.inner.commit(commit).await;
            self.commits.record(started.elapsed());
            result
        })
    }

    fn append_inbox(&self, item: NewInboxItem) -> BoxFuture<'_, Result<InboxSeq, CommitError>> {
        if !self.early {
            return self.inner.append_inbox(item);
        }
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move { drop(inner.append_inbox(item).await) });
        Box::pin(std::future::ready(Ok(InboxSeq(0))))
    }

    fn load(&self, id: EntityId) -> BoxFuture<'_, Result<Option<Entity>, ReadError>> {
        self.inner.load(id)
    }

    fn by_claim(&self, claim: &Claim) -> BoxFuture<'_, Result<Option<EntityId>, ReadError>> {
        self.inner.by_claim(claim)
    }

    fn due(
        &self,
        partition: PartitionId,
        until: Micros,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, ReadError>> {
        self.inner.due(partition, until, limit)
    }

    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Vec<Entity>, ReadError>> {
        self.inner.list(query)
    }

    fn counts(&self, kind: Kind) -> BoxFuture<'_, Result<BTreeMap<Label, u64>, ReadError>> {
        self.inner.counts(kind)
    }

    fn history(
        &self,
        id: EntityId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Event>, ReadError>> {
        self.inner.history(id, after, limit)
    }

    fn feed(
        &self,
        after: Option<Cursor>,
        limit: usize,
    ) -> BoxFuture<'_, Result<FeedPage, ReadError>> {
        self.inner.feed(after, limit)
    }

    fn head(&self) -> Cursor {
        self.inner.head()
    }

    fn inbox(
        &self,
        after: Option<InboxSeq>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InboxItem>, ReadError>> {
        self.inner.inbox(after, limit)
    }

    fn inbox_len(&self) -> u64 {
        self.inner.inbox_len()
    }

    fn incarnation(&self) -> Incarnation {
        self.inner.incarnation()
    }

    fn backup(&self) -> BoxFuture<'_, Result<Backup, ReadError>> {
        self.inner.backup()
    }

    fn durable(&self) -> watch::Receiver<Position> {
        self.inner.durable()
    }

    fn health(&self) -> watch::Receiver<Health> {
        self.inner.health()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        self.inner.close()
    }
}
