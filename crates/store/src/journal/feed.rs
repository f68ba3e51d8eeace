//! What happened, in the order of the journal, up to the durable head.

use crate::{
    Cursor, FeedEntry, FeedPage, Position, ReadError,
    kv::KvError,
    limits,
    record::{BaseRow, Entry},
};

use super::{Shared, base, pack};

impl Shared {
    /// The place before the first event that is kept.
    fn oldest(&self, base: &BaseRow) -> Cursor {
        let (position, offset) = (Position(base.fed), base.fed_events);
        Cursor { incarnation: self.incarnation.id, position, offset }
    }

    pub(crate) fn feed(&self, after: Option<Cursor>, limit: usize) -> Result<FeedPage, ReadError> {
        self.stopped()?;
        loop {
            // Read before the journal is: what is appended later is not for this answer.
            let (durable, base) = self.ends();
            let after = after.unwrap_or_else(|| self.oldest(&base));
            let known = after.incarnation == self.incarnation.id && after.position.0 <= durable;
            if !known || !base::has_read(after, base.fed, base.fed_events) {
                return Err(ReadError::CursorGone { oldest: self.oldest(&base) });
            }
            let page = self.feed_to(after, &base, durable, limit.min(limits::PAGE));
            // The beginning of the journal may have gone meanwhile, and with it some of what was to be read.
            if self.ends().1.seq == base.seq {
                return page.map_err(|error| self.read_error(error));
            }
        }
    }

    fn ends(&self) -> (u64, BaseRow) {
        let overlay = self.overlay();
        (overlay.durable, overlay.base)
    }

    fn feed_to(
        &self,
        after: Cursor,
        base: &BaseRow,
        durable: u64,
        limit: usize,
    ) -> Result<FeedPage, KvError> {
        let mut entries = Vec::new();
        // The record with the position may start before it.
        let from = match pack::containing(&*self.kv, after.position.0)? {
            Some(found) => found.record.first,
            None => 0,
        };
        // Records before the base may still be there, for nobody.
        let from = from.max(base.seq + 1);
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
