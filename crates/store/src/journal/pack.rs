//! Entries into journal records, and records out of the journal.
//!
//! A group becomes records of at most about [`TARGET_BYTES`] before they are packed: not one key per entry, which is what
//! costs most in an embedded engine, and not one huge value, which engines move elsewhere.

use bytes::Bytes;

use crate::{
    kv::{Batch, Direction, Kv, KvError, Pager, Space, Span, wide},
    record::{Chain, Entry, JournalRecord, RecordError, Sealed, chain_of, open, seal},
};

use super::keys;

/// So much of entries makes one record: enough for them to repeat each other, little enough to be read for one of them.
const TARGET_BYTES: usize = 24 * 1024;

/// What a group has become.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packed {
    /// The chain after it.
    pub(crate) chain: Chain,
    /// How many of its bytes are what was heard, word for word.
    pub(crate) evidence: u64,
}

/// Adds `entries` to a batch, the first with the sequence `first`.
pub(crate) fn append(
    batch: &mut Batch,
    chain: Chain,
    mut first: u64,
    entries: Vec<Entry>,
) -> Result<Packed, RecordError> {
    let mut group = Packed { chain, evidence: 0 };
    let mut packed = Vec::new();
    let mut weight = 0;
    for entry in entries {
        let more = entry.weight();
        if !packed.is_empty() && weight + more > TARGET_BYTES {
            first = write(batch, &mut group, first, std::mem::take(&mut packed))?;
            weight = 0;
        }
        weight += more;
        packed.push(entry);
    }
    if !packed.is_empty() {
        write(batch, &mut group, first, packed)?;
    }
    Ok(group)
}

/// Adds one record; gives the sequence after it.
fn write(
    batch: &mut Batch,
    group: &mut Packed,
    first: u64,
    entries: Vec<Entry>,
) -> Result<u64, RecordError> {
    let next = first + entries.len() as u64;
    let Sealed { bytes, chain, evidence } = seal(group.chain, first, entries)?;
    group.chain = chain;
    group.evidence += evidence;
    wide::put(batch, Space::Journal, &keys::seq(first), &bytes);
    Ok(next)
}

/// A record as it lies in the journal.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) record: JournalRecord,
    pub(crate) bytes: Bytes,
}

impl Found {
    fn read(key: &[u8], bytes: Bytes) -> Result<Self, KvError> {
        let first = keys::seq_of(Space::Journal, key)?;
        let record = open(&bytes).map_err(|error| {
            KvError::Damaged(format!("the journal's record at entry {first}: {error}"))
        })?;
        if record.first != first || record.entries.is_empty() {
            return Err(KvError::Damaged(format!(
                "the journal's record at entry {first} says that it starts at {} and has {} entries",
                record.first,
                record.entries.len()
            )));
        }
        Ok(Self { record, bytes })
    }

    /// As it lies in a copy of the journal, where its first entry is to be `first`.
    pub(crate) fn sealed(first: u64, bytes: Bytes) -> Result<Self, KvError> {
        Self::read(&keys::seq(first), bytes)
    }

    /// That it follows a record that ended at `last` with `chain`.
    pub(crate) fn follows(&self, last: u64, chain: Chain) -> Result<(), KvError> {
        if self.record.first != last + 1 {
            return Err(KvError::Damaged(format!(
                "the journal's entries {} to {} are missing",
                last + 1,
                self.record.first.saturating_sub(1)
            )));
        }
        if chain_of(chain, &self.bytes) != self.record.chain {
            return Err(KvError::Damaged(format!(
                "the journal's record at entry {} does not match its checksum",
                self.record.first
            )));
        }
        Ok(())
    }
}

/// The record that holds the entry `seq`, or the last one before it; `None` before the first.
pub(crate) fn containing(kv: &dyn Kv, seq: u64) -> Result<Option<Found>, KvError> {
    let span = keys::seq_span(0, seq);
    let Some((key, _)) = kv.scan(Space::Journal, &span, Direction::Down, 1)?.into_iter().next()
    else {
        return Ok(None);
    };
    let (key, _) = wide::split_key(Space::Journal, &key)?;
    match wide::get(kv, Space::Journal, &key)? {
        Some((bytes, _)) => Found::read(&key, bytes).map(Some),
        None => Err(KvError::Damaged(format!(
            "the journal's record at entry {} has lost its beginning",
            keys::seq_of(Space::Journal, &key)?
        ))),
    }
}

/// Where the `count`-th record from the end starts; the first one's start when there are fewer, `None` without any.
pub(crate) fn tail_start(kv: &dyn Kv, count: usize) -> Result<Option<u64>, KvError> {
    let mut found = None;
    let mut left = count.max(1);
    for pair in Pager::new(kv, Space::Journal, Span::ALL, Direction::Down) {
        let (key, part) = wide::split_key(Space::Journal, &pair?.0)?;
        if part != 0 {
            continue;
        }
        found = Some(keys::seq_of(Space::Journal, &key)?);
        left -= 1;
        if left == 0 {
            break;
        }
    }
    Ok(found)
}

/// The records that start in `from ..= to`, upwards.
pub(crate) fn records(
    kv: &dyn Kv,
    from: u64,
    to: u64,
) -> impl Iterator<Item = Result<Found, KvError>> {
    wide::WideIter::new(kv, Space::Journal, keys::seq_span(from, to)).map(|item| {
        let (key, bytes, _) = item?;
        Found::read(&key, bytes)
    })
}
