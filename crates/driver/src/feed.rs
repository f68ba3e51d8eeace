//! What happened, in order, for followers in this process. Stops at the durable head.

use std::{collections::VecDeque, sync::Arc};

use orderkeep_core::{EventRecord, OrderId};
use orderkeep_store::{Cursor, FeedEntry, Health, Position, Store};
use tokio::sync::watch;

use crate::{EngineError, codec, records::ORDER};

/// One event of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    /// Where a follower stands after it; keep it with what was done about the event.
    pub cursor: Cursor,
    /// Whose event.
    pub order_id: OrderId,
    /// Its number within the order, from 1, gapless: drop what was seen.
    pub version: u64,
    /// What happened.
    pub record: EventRecord,
}

/// A stretch of what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// The events, in order.
    pub events: Vec<FeedEvent>,
    /// Where to go on; the cursor asked for when there was nothing new.
    pub next: Cursor,
}

/// What happened after a cursor, now: at most `limit` events, and fewer only where the feed ends.
pub(crate) async fn page(
    store: &dyn Store,
    after: Option<Cursor>,
    limit: usize,
) -> Result<EventPage, EngineError> {
    let mut events = Vec::new();
    let mut page = store.feed(after, limit).await?;
    loop {
        let last = page.entries.is_empty();
        for entry in page.entries.into_iter().filter(|entry| entry.kind == ORDER) {
            events.push(read(entry)?);
        }
        if last || events.len() >= limit {
            return Ok(EventPage { events, next: page.next });
        }
        page = store.feed(Some(page.next), limit - events.len()).await?;
    }
}

fn read(entry: FeedEntry) -> Result<FeedEvent, EngineError> {
    Ok(FeedEvent {
        cursor: entry.cursor,
        order_id: OrderId(entry.id.0),
        version: entry.version,
        record: codec::decode(&entry.bytes)?,
    })
}

/// A follower's place in the feed. Drop it at any time; a kept cursor continues.
#[derive(Debug)]
pub struct Feed {
    store: Arc<dyn Store>,
    durable: watch::Receiver<Position>,
    health: watch::Receiver<Health>,
    after: Option<Cursor>,
    ready: VecDeque<FeedEntry>,
}

impl Feed {
    pub(crate) fn new(store: Arc<dyn Store>, after: Option<Cursor>) -> Self {
        let (durable, health) = (store.durable(), store.health());
        Self { store, durable, health, after, ready: VecDeque::new() }
    }

    /// The next event; waits for one.
    ///
    /// # Errors
    /// The store has halted or was closed, or the cursor is of another life of it or too old. An event that cannot be read is said
    /// once; the next call goes on after it.
    pub async fn next(&mut self) -> Result<FeedEvent, EngineError> {
        /// Enough to be quick, few enough to be read at once.
        const PAGE: usize = 256;
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return read(entry);
            }
            self.durable.borrow_and_update();
            self.health.borrow_and_update();
            let page = self.store.feed(self.after, PAGE).await?;
            let read_any = !page.entries.is_empty();
            self.after = Some(page.next);
            self.ready.extend(page.entries.into_iter().filter(|entry| entry.kind == ORDER));
            if read_any {
                continue;
            }
            // A store that has stopped says so when it is asked again.
            let gone = tokio::select! {
                biased;
                changed = self.durable.changed() => changed.is_err(),
                changed = self.health.changed() => changed.is_err(),
            };
            if gone {
                return Err(EngineError::ShuttingDown);
            }
        }
    }
}
