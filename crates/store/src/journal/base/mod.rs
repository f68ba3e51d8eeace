//! The beginning of the journal, once it is gone: what stays of it, and who leaves with it.
//!
//! The **base** is the state after the last entry that is gone: every entity that stays, with its whole history, and every
//! inbox item that waited. `base + journal` makes the rows, as the journal alone did before; a check, a copy and an
//! export begin with it. It moves in small steps ([`super::retain`]), and each step is one batch: what [`mod@fold`] makes of
//! the oldest records, who leaves ([`mod@leave`]), and where the journal begins now. The records themselves go afterwards,
//! and a crash in between leaves some that nobody reads, until they go as well.
//!
//! So one entity that waits for a year costs what it is, and not the journal of the year.

mod copy;
mod fold;
mod leave;
mod stretch;

pub(crate) use copy::parts;
pub(crate) use fold::fold;
pub(crate) use leave::{Leaving, forget};
pub(crate) use stretch::{Stretch, has_read, stretch};

use bytes::Bytes;

use crate::{
    EntityId, Event, Version,
    kv::{
        Direction, Kv, KvError, Space, Span,
        wide::{self, WideIter},
    },
    record::{BaseRow, KeptEvents, KeptView, ViewRow, decode},
};

use super::keys;

/// Where the journal begins.
pub(crate) fn open(kv: &dyn Kv) -> Result<BaseRow, KvError> {
    match kv.get(Space::Meta, keys::BASE)? {
        Some(bytes) => Ok(decode(&bytes)?),
        None => Ok(BaseRow::default()),
    }
}

/// An entity's state at the base, and the parts of its row.
pub(crate) fn kept(kv: &dyn Kv, id: EntityId) -> Result<Option<(ViewRow, u16)>, KvError> {
    match wide::get(kv, Space::KeptViews, &keys::entity(id))? {
        Some((bytes, parts)) => Ok(Some((KeptView::open(&bytes)?, parts))),
        None => Ok(None),
    }
}

/// The events of an entity that are kept, after `after`, at most `limit`.
pub(crate) fn events(
    kv: &dyn Kv,
    id: EntityId,
    after: Version,
    limit: usize,
) -> Result<Vec<Event>, KvError> {
    let mut events = Vec::new();
    let mut span = Span::prefix(&keys::entity(id));
    // The row that has the first one may begin before it.
    let until_first = Span {
        lower: span.lower.clone(),
        upper: std::ops::Bound::Excluded(keys::history(id, after.saturating_add(2))),
    };
    if let Some((key, _)) =
        kv.scan(Space::KeptEvents, &until_first, Direction::Down, 1)?.into_iter().next()
    {
        let (key, _) = wide::split_key(Space::KeptEvents, &key)?;
        span.lower = std::ops::Bound::Included(key.to_vec());
    }
    for row in WideIter::new(kv, Space::KeptEvents, span) {
        let (key, bytes, _) = row?;
        let first = first_of(&key)?;
        for (version, bytes) in (first..).zip(KeptEvents::open(&bytes)?) {
            if events.len() >= limit {
                return Ok(events);
            }
            if version > after {
                events.push(Event { version, bytes });
            }
        }
    }
    Ok(events)
}

/// The version of a row's first event.
pub(crate) fn first_of(key: &Bytes) -> Result<Version, KvError> {
    key.get(keys::ID_BYTES..)
        .and_then(|version| version.try_into().ok())
        .map(u64::from_be_bytes)
        .ok_or_else(|| KvError::Damaged("kept-events: a key is none of this map".to_owned()))
}
