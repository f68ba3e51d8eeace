//! What was tried lately, in memory: for the person who asks why a receiver sees nothing.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use orderkeep_core::Timestamp;

/// Attempts that are remembered for each endpoint.
const KEPT: usize = 200;

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
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

#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<VecDeque<Delivery>>);

impl Log {
    pub(crate) fn push(&self, delivery: Delivery) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() == KEPT {
            log.pop_back();
        }
        log.push_front(delivery);
    }

    /// The newest first.
    pub(crate) fn newest(&self, limit: usize) -> Vec<Delivery> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().take(limit).cloned().collect()
    }
}
