//! The oldest records of the journal, as many as go in one step.

use crate::{
    Cursor, EntityId,
    journal::pack::{self, Found},
    kv::{Kv, KvError},
    record::{BaseRow, Chain, Entry},
};

/// Entries of one step; a record more may be in it.
const ENTRIES: usize = 256;

/// Consecutive records from the beginning of the journal.
#[derive(Debug)]
pub(crate) struct Stretch {
    pub(crate) records: Vec<Found>,
    /// The last entry.
    pub(crate) last: u64,
    pub(crate) chain: Chain,
    /// The last entry with events in it, and how many.
    pub(crate) fed: Option<(u64, u32)>,
}

impl Stretch {
    /// Its entries with their numbers.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u64, &Entry)> {
        self.records.iter().flat_map(|found| (found.record.first..).zip(&found.record.entries))
    }
}

/// What goes next: whole records up to `target`, none with an event that somebody needs. `None`: nothing.
pub(crate) fn stretch(
    kv: &dyn Kv,
    base: &BaseRow,
    target: u64,
    read: Option<Cursor>,
    needed: &[EntityId],
) -> Result<Option<Stretch>, KvError> {
    let mut stretch = Stretch { records: Vec::new(), last: base.seq, chain: base.chain, fed: None };
    let mut entries = 0;
    if target <= base.seq {
        return Ok(None);
    }
    for found in pack::records(kv, base.seq + 1, target) {
        let found = found?;
        found.follows(stretch.last, stretch.chain)?;
        let fed = last_fed(&found);
        let unread =
            fed.is_some_and(|(seq, events)| read.is_some_and(|read| !has_read(read, seq, events)));
        if found.record.last() > target || unread || is_needed(&found, needed) {
            break;
        }
        entries += found.record.entries.len();
        stretch.last = found.record.last();
        stretch.chain = found.record.chain;
        stretch.fed = fed.or(stretch.fed);
        stretch.records.push(found);
        if entries >= ENTRIES {
            break;
        }
    }
    Ok((!stretch.records.is_empty()).then_some(stretch))
}

/// Whether something of these entities is in it.
fn is_needed(found: &Found, needed: &[EntityId]) -> bool {
    found.record.entries.iter().any(|entry| match entry {
        Entry::Commit { change: Some(change), .. } => needed.contains(&change.id),
        Entry::Commit { change: None, .. } | Entry::Arrival { .. } => false,
    })
}

/// The last entry with events, and how many it has.
fn last_fed(found: &Found) -> Option<(u64, u32)> {
    (found.record.first..)
        .zip(&found.record.entries)
        .filter_map(|(seq, entry)| match entry {
            Entry::Commit { change: Some(change), .. } if !change.events.is_empty() => {
                Some((seq, u32::try_from(change.events.len()).unwrap_or(u32::MAX)))
            }
            Entry::Commit { .. } | Entry::Arrival { .. } => None,
        })
        .last()
}

/// Whether a follower at `cursor` has seen all events up to with those of the entry `seq`.
pub(crate) fn has_read(cursor: Cursor, seq: u64, events: u32) -> bool {
    let Cursor { position, offset, .. } = cursor;
    position.0 > seq || (position.0 == seq && offset >= events)
}
