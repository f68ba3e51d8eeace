//! What happened, in the order of the journal, up to the durable head.

use crate::{Cursor, FeedEntry, FeedPage, Position, ReadError, kv::KvError, limits, record::Entry};

use super::{Shared, pack};

impl Shared {
    /// The place before the first event that is kept.
    fn oldest(&self) -> Cursor {
        Cursor { incarnation: self.incarnation.id, position: Position(0), offset: 0 }
    }

    pub(crate) fn feed(&self, after: Option<Cursor>, limit: usize) -> Result<FeedPage, ReadError> {
        self.stopped()?;
        let oldest = self.oldest();
        let after = after.unwrap_or(oldest);
        // Read before the journal is: what is appended later is not for this answer.
        let durable = self.overlay().durable;
        if after.incarnation != self.incarnation.id || after.position.0 > durable {
            return Err(ReadError::CursorGone { oldest });
        }
        self.feed_to(after, durable, limit.min(limits::PAGE))
            .map_err(|error| self.read_error(error))
    }

    fn feed_to(&self, after: Cursor, durable: u64, limit: usize) -> Result<FeedPage, KvError> {
        let mut entries = Vec::new();
        // The record with the position may start before it.
        let from = match pack::containing(&*self.kv, after.position.0)? {
            Some(found) => found.record.first,
            None => 0,
        };
        'records: for found in pack::records(&*self.kv, from, durable) {
            let record = found?.record;
            for (position, entry) in (record.first..).zip(record.entries) {
                if position > durable || entries.len() >= limit {
                    break 'records;
                }
                let seen = match position.cmp(&after.position.0) {
                    std::cmp::Ordering::Less => continue,
                    std::cmp::Ordering::Equal => after.offset,
                    std::cmp::Ordering::Greater => 0,
                };
                self.add_events(&mut entries, position, seen, limit, entry);
            }
        }
        let next = entries.last().map_or(after, |last: &FeedEntry| last.cursor);
        Ok(FeedPage { entries, next })
    }

    fn add_events(
        &self,
        page: &mut Vec<FeedEntry>,
        position: u64,
        seen: u32,
        limit: usize,
        entry: Entry,
    ) {
        let Entry::Commit { change: Some(change), .. } = entry else {
            return;
        };
        for ((offset, version), bytes) in (1u32..).zip(change.before + 1..).zip(change.events) {
            if page.len() >= limit {
                return;
            }
            if offset <= seen {
                continue;
            }
            page.push(FeedEntry {
                cursor: Cursor {
                    incarnation: self.incarnation.id,
                    position: Position(position),
                    offset,
                },
                id: change.id,
                kind: change.kind,
                version,
                bytes,
            });
        }
    }
}
