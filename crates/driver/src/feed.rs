//! What happened, in order, for followers in this process. Stops at the durable head.

use std::sync::Arc;

use orderkeep_core::{EventRecord, OrderId};
use orderkeep_store::{Cursor, Position, Store};
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

/// A follower's place in the feed. Drop it at any time; a kept cursor continues.
#[derive(Debug)]
pub struct Feed {
    store: Arc<dyn Store>,
    durable: watch::Receiver<Position>,
    after: Option<Cursor>,
    ready: std::collections::VecDeque<FeedEvent>,
}

impl Feed {
    pub(crate) fn new(store: Arc<dyn Store>, after: Option<Cursor>) -> Self {
        let durable = store.durable();
        Self { store, durable, after, ready: std::collections::VecDeque::new() }
    }

    /// The next event; waits for one.
    ///
    /// # Errors
    /// The store has halted or was closed, or the cursor is of another life of it.
    pub async fn next(&mut self) -> Result<FeedEvent, EngineError> {
        /// Enough to be quick, few enough to be read at once.
        const PAGE: usize = 256;
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            self.durable.borrow_and_update();
            let page = self.store.feed(self.after, PAGE).await?;
            let read_any = !page.entries.is_empty();
            self.after = Some(page.next);
            for entry in page.entries {
                if entry.kind == ORDER {
                    self.ready.push_back(FeedEvent {
                        cursor: entry.cursor,
                        order_id: OrderId(entry.id.0),
                        version: entry.version,
                        record: codec::decode(&entry.bytes)?,
                    });
                }
            }
            if !read_any && self.durable.changed().await.is_err() {
                return Err(EngineError::ShuttingDown);
            }
        }
    }
}
