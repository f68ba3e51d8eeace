//! What was tried lately: for the person who asks why a receiver sees nothing.
//!
//! The last attempts are in memory. Each is also written with the endpoint's next change, as the event of that change, so
//! the log costs no commit of its own, survives the process, and never says less than the position that was saved with
//! it: what a killed process had not written yet is tried, and logged, again.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use orderkeep_core::Timestamp;
use orderkeep_driver::codec::{self, Record};
use orderkeep_store::{EntityId, Store, Version};
use serde::{Deserialize, Serialize};

use crate::{EndpointId, OutboxError};

/// Attempts that are remembered for each endpoint.
pub(crate) const KEPT: usize = 200;
/// Attempts in one event.
const PER_EVENT: usize = 64;
/// An event that says only that the endpoint changed.
const CHANGED: &[u8] = &[1];

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

/// Some attempts, oldest first, as an event holds them.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Attempts(Vec<Delivery>);

impl Record for Attempts {
    const WHAT: &'static str = "delivery log";
    const SCHEMA: u16 = 1;
}

/// The log of one endpoint.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Lately>);

#[derive(Debug, Default)]
struct Lately {
    /// The newest first.
    attempts: VecDeque<Delivery>,
    /// So many of them, at most all, are not written yet.
    unwritten: usize,
}

impl Log {
    fn lock(&self) -> std::sync::MutexGuard<'_, Lately> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, delivery: Delivery) {
        let mut log = self.lock();
        if log.attempts.len() == KEPT {
            log.attempts.pop_back();
        }
        log.attempts.push_front(delivery);
        log.unwritten = (log.unwritten + 1).min(KEPT);
    }

    /// The newest first.
    pub(crate) fn newest(&self, limit: usize) -> Vec<Delivery> {
        self.lock().attempts.iter().take(limit).cloned().collect()
    }

    pub(crate) fn has_unwritten(&self) -> bool {
        self.lock().unwritten > 0
    }

    /// The events of a change: what is not written yet, or only that it changed; and how many attempts they hold.
    pub(crate) fn events(&self) -> Result<(Vec<Bytes>, usize), OutboxError> {
        let (attempts, unwritten) = {
            let log = self.lock();
            let attempts = log.attempts.iter().take(log.unwritten).rev().cloned();
            (attempts.collect::<Vec<_>>(), log.unwritten)
        };
        if attempts.is_empty() {
            return Ok((vec![Bytes::from_static(CHANGED)], 0));
        }
        let events = attempts.chunks(PER_EVENT).map(|some| codec::encode(&Attempts(some.to_vec())));
        Ok((events.collect::<Result<_, _>>()?, unwritten))
    }

    /// Those that [`Log::events`] gave are durable. More may have come since.
    pub(crate) fn written(&self, attempts: usize) {
        let mut log = self.lock();
        log.unwritten = log.unwritten.saturating_sub(attempts);
    }
}

/// What was written up to this version of the endpoint, the newest first.
pub(crate) async fn written(
    store: &dyn Store,
    endpoint: EndpointId,
    through: Version,
    limit: usize,
) -> Result<Vec<Delivery>, OutboxError> {
    // Most events hold an attempt or more.
    let after = through.saturating_sub(KEPT as u64);
    let events = store.history(EntityId(endpoint.0), after, KEPT).await?;
    let mut found = Vec::new();
    for event in events.iter().rev().filter(|event| event.version <= through) {
        if found.len() >= limit {
            break;
        }
        if event.bytes != CHANGED {
            let Attempts(attempts) = codec::decode(&event.bytes)?;
            found.extend(attempts.into_iter().rev());
        }
    }
    found.truncate(limit);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(number: u32) -> Delivery {
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

    fn read(events: &[Bytes]) -> Vec<u32> {
        let attempts = events.iter().map(|event| codec::decode::<Attempts>(event).unwrap().0);
        attempts.flatten().map(|delivery| delivery.attempt).collect()
    }

    #[test]
    fn what_came_while_it_was_written_is_written_next() {
        let log = Log::default();
        assert_eq!(log.events().unwrap(), (vec![Bytes::from_static(CHANGED)], 0));
        (1..=100).for_each(|number| log.push(delivery(number)));
        let (events, attempts) = log.events().unwrap();
        assert_eq!((read(&events), events.len()), ((1..=100).collect(), 2));
        log.push(delivery(101));
        log.written(attempts);
        let (events, attempts) = log.events().unwrap();
        assert_eq!(read(&events), [101]);
        log.written(attempts);
        assert!(!log.has_unwritten());
    }

    #[test]
    fn more_than_is_kept_loses_the_oldest_alone() {
        let log = Log::default();
        (1..=1_000).for_each(|number| log.push(delivery(number)));
        let (events, attempts) = log.events().unwrap();
        assert_eq!((read(&events).first(), attempts), (Some(&801), KEPT));
        log.written(attempts);
        assert!(!log.has_unwritten());
    }

    /// The bytes of version 1: what was written once is read for ever.
    #[test]
    fn an_old_log_is_read() {
        let bytes = codec::encode(&Attempts(vec![delivery(3)])).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let written = "01010001076f726465722f33186f726465726b6565702e6f726465722e6578656375746564030000\
                       fcc0cf6a0001c800";
        assert_eq!(hex, written);
        let Attempts(read) = codec::decode(&bytes).unwrap();
        assert_eq!(read, [delivery(3)]);
    }
}
