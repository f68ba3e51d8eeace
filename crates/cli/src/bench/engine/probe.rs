//! A store that takes the time of every commit and passes everything on.
//!
//! As the *early twin* it says that a webhook is stored before it is, which a benchmark must notice.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use orderkeep::store::{
    BoxFuture, Commit, CommitError, Committed, InboxSeq, Layer, NewInboxItem, Store,
};
use serde::{Deserialize, Serialize};

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

impl Layer for Probe {
    fn below(&self) -> &dyn Store {
        &*self.inner
    }

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
}
