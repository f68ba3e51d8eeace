//! What was tried lately: for the person who asks why a receiver sees nothing.
//!
//! The last attempts of each endpoint, and no more: they are written with its next change as a part of it, so the log costs
//! no commit of its own, survives the process, and never says less than the position that was saved with it. What a
//! killed process had not written yet is tried, and logged, again. An older log's place on the disk is free again once
//! the journal's beginning goes.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use orderkeep_core::Timestamp;
use serde::{Deserialize, Serialize};

/// Attempts that are kept for each endpoint, unless configured otherwise.
pub const DELIVERIES_KEPT: usize = 200;
/// As many can be asked for: they are written anew with every change.
pub const DELIVERIES_KEPT_MAX: usize = 1_000;

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The event's id, as the receiver sees it in `webhook-id`.
    pub event: String,
    /// The event's type.
    pub kind: String,
    /// The first is 1.
    pub attempt: u32,
    /// When it ended.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What was answered.
    pub status: Option<u16>,
    /// Why it failed; `None`: it was delivered.
    pub why: Option<String>,
}

/// The log of one endpoint.
#[derive(Debug)]
pub(crate) struct Log {
    kept: usize,
    lately: Mutex<Lately>,
}

#[derive(Debug, Default)]
struct Lately {
    /// The newest first.
    attempts: VecDeque<Delivery>,
    /// Counted since the process began.
    pushed: u64,
    /// So many of them are durable.
    written: u64,
}

/// A log as it is to be written.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// The newest first.
    pub(crate) attempts: Vec<Delivery>,
    pushed: u64,
}

impl Log {
    /// At most `kept` attempts; the first ones are `attempts`, newest first, which are durable.
    pub(crate) fn new(kept: usize, attempts: Vec<Delivery>) -> Self {
        let attempts = attempts.into_iter().take(kept).collect();
        Self { kept, lately: Mutex::new(Lately { attempts, ..Lately::default() }) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Lately> {
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, delivery: Delivery) {
        let mut log = self.lock();
        log.attempts.push_front(delivery);
        log.attempts.truncate(self.kept);
        log.pushed += 1;
    }

    /// The newest first.
    pub(crate) fn newest(&self, limit: usize) -> Vec<Delivery> {
        self.lock().attempts.iter().take(limit).cloned().collect()
    }

    pub(crate) fn has_unwritten(&self) -> bool {
        let log = self.lock();
        log.written < log.pushed
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let log = self.lock();
        Snapshot { attempts: log.attempts.iter().cloned().collect(), pushed: log.pushed }
    }

    /// What was in it is durable. More may have come since.
    pub(crate) fn written(&self, snapshot: &Snapshot) {
        let mut log = self.lock();
        log.written = log.written.max(snapshot.pushed);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn delivery(number: u32) -> Delivery {
        Delivery {
            event: format!("order/{number}"),
            kind: "orderkeep.order.executed".to_owned(),
            attempt: number,
            at: Timestamp::from_millis(0),
            took: Duration::from_millis(7),
            status: Some(200),
            why: None,
        }
    }

    fn attempts(of: &[Delivery]) -> Vec<u32> {
        of.iter().map(|delivery| delivery.attempt).collect()
    }

    #[test]
    fn what_came_while_it_was_written_is_written_next() {
        let log = Log::new(10, vec![delivery(1)]);
        assert!(!log.has_unwritten(), "what was read is durable");
        log.push(delivery(2));
        let snapshot = log.snapshot();
        assert_eq!(attempts(&snapshot.attempts), [2, 1]);
        log.push(delivery(3));
        log.written(&snapshot);
        assert!(log.has_unwritten());
        log.written(&log.snapshot());
        assert!(!log.has_unwritten());
    }

    #[test]
    fn more_than_is_kept_loses_the_oldest_alone() {
        let log = Log::new(3, (1..=5).rev().map(delivery).collect());
        assert_eq!(attempts(&log.newest(10)), [5, 4, 3], "less is kept than before");
        log.push(delivery(6));
        assert_eq!(attempts(&log.newest(10)), [6, 5, 4]);
        assert_eq!(attempts(&log.newest(2)), [6, 5]);
    }
}
