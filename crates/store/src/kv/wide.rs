//! Values of any size as rows of a bounded one.
//!
//! Engines like small values; sled moves a leaf of more than 128 KiB into a file of its own that it never syncs. So a
//! value is cut into parts of at most [`Batch::value_bytes`]: key + part number; part 0 leads with the number of parts. Only for
//! maps whose keys all have one length, so that the parts of a key stand together.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Batch, Direction, Kv, KvError, Pager, Pair, Space, Span};

/// The part number at the end of a key.
pub(crate) const SUFFIX_BYTES: usize = 2;

/// The number of parts at the head of part 0.
const COUNT_BYTES: usize = 2;

/// Adds a value to a batch; gives the number of its parts, which [`replace`] and [`remove`] want to know later.
pub(crate) fn put(batch: &mut Batch, space: Space, key: &[u8], value: &[u8]) -> u16 {
    let size = batch.value_bytes();
    let parts = value.len().div_ceil(size).max(1);
    // Values are bounded by limits::ENTRY_BYTES, far below 65,535 parts.
    let count = u16::try_from(parts).unwrap_or(u16::MAX);
    for number in 0..count {
        let from = usize::from(number) * size;
        let part = &value[from..value.len().min(from + size)];
        let mut row = Vec::with_capacity(part.len() + COUNT_BYTES);
        if number == 0 {
            row.extend_from_slice(&count.to_be_bytes());
        }
        row.extend_from_slice(part);
        batch.put(space, part_key(key, number), row);
    }
    count
}

/// Puts a value over one of `old` parts.
pub(crate) fn replace(batch: &mut Batch, space: Space, key: &[u8], value: &[u8], old: u16) -> u16 {
    let count = put(batch, space, key, value);
    for number in count..old {
        batch.remove(space, part_key(key, number));
    }
    count
}

/// Removes a value of `old` parts.
pub(crate) fn remove(batch: &mut Batch, space: Space, key: &[u8], old: u16) {
    for number in 0..old {
        batch.remove(space, part_key(key, number));
    }
}

/// A value and the number of its parts.
pub(crate) fn get(kv: &dyn Kv, space: Space, key: &[u8]) -> Result<Option<(Bytes, u16)>, KvError> {
    let Some(first) = kv.get(space, &part_key(key, 0))? else {
        return Ok(None);
    };
    let (count, first) = split_count(space, first)?;
    if count == 1 {
        return Ok(Some((first, 1)));
    }
    let mut value = BytesMut::with_capacity(usize::from(count) * first.len());
    value.put(first);
    for number in 1..count {
        let part =
            kv.get(space, &part_key(key, number))?.ok_or_else(|| missing(space, number, count))?;
        value.put(part);
    }
    Ok(Some((value.freeze(), count)))
}

/// Whether there is a value.
pub(crate) fn has(kv: &dyn Kv, space: Space, key: &[u8]) -> Result<bool, KvError> {
    Ok(kv.get(space, &part_key(key, 0))?.is_some())
}

/// Whole values of a range of keys, upwards.
#[derive(Debug)]
pub(crate) struct WideIter<'a> {
    space: Space,
    pager: Pager<'a>,
}

impl<'a> WideIter<'a> {
    /// `span` is over the keys without their part numbers; it must not cut between the parts of one key, which bounds
    /// made of whole keys never do.
    pub(crate) fn new(kv: &'a dyn Kv, space: Space, span: Span) -> Self {
        Self { space, pager: Pager::new(kv, space, span, Direction::Up) }
    }

    fn read(&mut self, (key, row): Pair) -> Result<(Bytes, Bytes, u16), KvError> {
        let (key, number) = split_key(self.space, &key)?;
        if number != 0 {
            return Err(missing(self.space, 0, number));
        }
        let (count, first) = split_count(self.space, row)?;
        if count == 1 {
            return Ok((key, first, 1));
        }
        let mut value = BytesMut::with_capacity(usize::from(count) * first.len());
        value.put(first);
        for number in 1..count {
            let (next, part) =
                self.pager.next().ok_or_else(|| missing(self.space, number, count))??;
            if next != part_key(&key, number) {
                return Err(missing(self.space, number, count));
            }
            value.put(part);
        }
        Ok((key, value.freeze(), count))
    }
}

impl Iterator for WideIter<'_> {
    type Item = Result<(Bytes, Bytes, u16), KvError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.pager.next()? {
            Ok(pair) => Some(self.read(pair)),
            Err(error) => Some(Err(error)),
        }
    }
}

/// The key of a part.
pub(crate) fn part_key(key: &[u8], number: u16) -> Vec<u8> {
    let mut full = Vec::with_capacity(key.len() + SUFFIX_BYTES);
    full.extend_from_slice(key);
    full.extend_from_slice(&number.to_be_bytes());
    full
}

/// A stored key without its part number, and the number.
pub(crate) fn split_key(space: Space, full: &Bytes) -> Result<(Bytes, u16), KvError> {
    match full.len().checked_sub(SUFFIX_BYTES).map(|at| full.split_at(at)) {
        Some((key, [high, low])) => {
            Ok((full.slice(..key.len()), u16::from_be_bytes([*high, *low])))
        }
        Some(_) | None => Err(KvError::Damaged(format!(
            "{}: a key of {} bytes is too short",
            space.name(),
            full.len()
        ))),
    }
}

fn split_count(space: Space, row: Bytes) -> Result<(u16, Bytes), KvError> {
    match &row[..] {
        [high, low, ..] => {
            let count = u16::from_be_bytes([*high, *low]);
            if count == 0 {
                return Err(missing(space, 0, 0));
            }
            Ok((count, row.slice(COUNT_BYTES..)))
        }
        [] | [_] => Err(missing(space, 0, 0)),
    }
}

fn missing(space: Space, number: u16, count: u16) -> KvError {
    KvError::Damaged(format!("{}: part {number} of {count} of a value is missing", space.name()))
}
