//! A table of the index: sorted keys with their blocks, packed into rows, written once.
//!
//! A row lies under the table's name and its own first key, so that the engine's map is what finds the row of a key. Equal
//! keys (two claims of one hash) stand in one row.

use std::ops::Bound;

use bytes::Bytes;

use crate::{
    kv::{Batch, Direction, Kv, KvError, Pager, Pair, Space, Span, wide},
    record::{FilterRecord, IndexEntry, IndexRow, RecordError, TableEntry},
};

use super::{filter::Filter, key};

/// What an entry takes besides its key.
const ENTRY_BYTES: usize = 6;

/// Tables grow by levels: those of one level are merged into one of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TableName {
    pub(super) level: u8,
    /// Never given twice.
    pub(super) number: u32,
}

/// A table that can be asked.
#[derive(Debug)]
pub(crate) struct Table {
    pub(super) name: TableName,
    pub(super) filter: Filter,
    /// How many blocks were gone when it was begun: keys of those are not in it.
    pub(super) gone: u64,
    pub(super) blocks: Blocks,
}

/// The blocks that a table leads to: none outside of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Blocks {
    /// None yet.
    pub(super) const NONE: Self = Self { first: u64::MAX, last: 0 };

    pub(super) fn add(&mut self, block: u64) {
        self.first = self.first.min(block);
        self.last = self.last.max(block);
    }
}

/// A key and the block of its entity.
pub(super) type Pointer = (Vec<u8>, u64);

impl TableName {
    const BYTES: usize = 5;

    pub(super) fn prefix(self) -> [u8; Self::BYTES] {
        let [a, b, c, d] = self.number.to_be_bytes();
        [self.level, a, b, c, d]
    }

    /// The table that a key of the map belongs to.
    pub(super) fn of_row(row_key: &[u8]) -> Result<Self, KvError> {
        match row_key {
            [level, a, b, c, d, ..] => {
                Ok(Self { level: *level, number: u32::from_be_bytes([*a, *b, *c, *d]) })
            }
            _ => Err(KvError::Damaged("the sealed index has a key that is too short".to_owned())),
        }
    }

    fn at(self, key: &[u8]) -> Vec<u8> {
        [&self.prefix()[..], key].concat()
    }

    pub(super) fn filter_key(self) -> Vec<u8> {
        self.at(&[key::AFTER_ALL])
    }

    /// Its rows, without its filter.
    fn rows(self) -> Span {
        Span {
            lower: Bound::Included(self.prefix().to_vec()),
            upper: Bound::Excluded(self.filter_key()),
        }
    }

    /// Everything that lies under its name.
    pub(super) fn everything(self) -> Span {
        Span::prefix(&self.prefix())
    }

    /// The row in which a key is, if it is anywhere.
    fn row_of(self, kv: &dyn Kv, key: &[u8]) -> Result<Option<(Bytes, Vec<Pointer>)>, KvError> {
        let span = Span { upper: Bound::Included(self.at(key)), ..self.rows() };
        match kv.scan(Space::SealedIndex, &span, Direction::Down, 1)?.pop() {
            Some(row) => {
                let pointers = pointers(&row)?;
                Ok(Some((row.0, pointers)))
            }
            None => Ok(None),
        }
    }

    /// The blocks that a key points to.
    pub(super) fn find(self, kv: &dyn Kv, key: &[u8]) -> Result<Vec<u64>, KvError> {
        let Some((_, row)) = self.row_of(kv, key)? else {
            return Ok(Vec::new());
        };
        let start = row.partition_point(|(found, _)| &found[..] < key);
        Ok(row[start..]
            .iter()
            .take_while(|(found, _)| found == key)
            .map(|(_, block)| *block)
            .collect())
    }

    /// All, upwards.
    pub(super) fn all(self, kv: &dyn Kv) -> impl Iterator<Item = Result<Pointer, KvError>> {
        flat(Pager::new(kv, Space::SealedIndex, self.rows(), Direction::Up), pointers)
    }

    /// All after a key (`None`: all), upwards.
    pub(super) fn after<'a>(
        self,
        kv: &'a dyn Kv,
        after: Option<&'a [u8]>,
    ) -> Result<impl Iterator<Item = Result<Pointer, KvError>> + 'a, KvError> {
        let mut span = self.rows();
        if let Some(after) = after
            && let Some((row_key, _)) = self.row_of(kv, after)?
        {
            span.lower = Bound::Included(row_key.to_vec());
        }
        Ok(flat(Pager::new(kv, Space::SealedIndex, span, Direction::Up), pointers).filter(
            move |found| match (found, after) {
                (Ok((key, _)), Some(after)) => &key[..] > after,
                (Ok(_), None) | (Err(_), _) => true,
            },
        ))
    }

    /// All that start with a prefix and are below a key, downwards.
    pub(super) fn below<'a>(
        self,
        kv: &'a dyn Kv,
        prefix: &'a [u8],
        below: &Bound<Vec<u8>>,
    ) -> impl Iterator<Item = Result<Pointer, KvError>> + use<'a> {
        let below = match below {
            Bound::Excluded(key) | Bound::Included(key) => key.clone(),
            Bound::Unbounded => vec![key::AFTER_ALL],
        };
        let span = Span { upper: Bound::Excluded(self.at(&below)), ..self.rows() };
        let backwards = |row: &Pair| {
            let mut pointers = pointers(row)?;
            pointers.reverse();
            Ok(pointers)
        };
        flat(Pager::new(kv, Space::SealedIndex, span, Direction::Down), backwards)
            .skip_while(move |found| matches!(found, Ok((key, _)) if *key >= below))
            .take_while(move |found| match found {
                Ok((key, _)) => key.starts_with(prefix),
                Err(_) => true,
            })
    }
}

impl Table {
    /// Reads the filter of a table.
    pub(super) fn open(kv: &dyn Kv, entry: TableEntry) -> Result<Self, KvError> {
        let TableEntry { level, number, gone, first, last } = entry;
        let name = TableName { level, number };
        let missing = || {
            KvError::Damaged(format!(
                "the sealed index has lost the filter of table {}.{}",
                name.level, name.number
            ))
        };
        let (bytes, _) =
            wide::get(kv, Space::SealedIndex, &name.filter_key())?.ok_or_else(missing)?;
        let filter = Filter::of_words(FilterRecord::open(&bytes)?).ok_or_else(missing)?;
        Ok(Self { name, filter, gone, blocks: Blocks { first, last } })
    }

    /// As it is named.
    pub(super) fn entry(&self) -> TableEntry {
        let Self { name: TableName { level, number }, gone, blocks, .. } = *self;
        TableEntry { level, number, gone, first: blocks.first, last: blocks.last }
    }

    /// Ends the writing of a table.
    pub(super) fn close(
        name: TableName,
        filter: Filter,
        gone: u64,
        blocks: Blocks,
        batch: &mut Batch,
    ) -> Self {
        let bytes = FilterRecord::seal(filter.words());
        wide::put(batch, Space::SealedIndex, &name.filter_key(), &bytes);
        Self { name, filter, gone, blocks }
    }
}

/// The pointers of one row after the other; ends after an error.
fn flat<'a>(
    rows: Pager<'a>,
    read: impl Fn(&Pair) -> Result<Vec<Pointer>, KvError> + 'a,
) -> impl Iterator<Item = Result<Pointer, KvError>> + 'a {
    rows.flat_map(move |row| {
        let (pointers, failed) = match row.and_then(|row| read(&row)) {
            Ok(pointers) => (pointers, None),
            Err(error) => (Vec::new(), Some(Err(error))),
        };
        pointers.into_iter().map(Ok).chain(failed)
    })
}

fn pointers((row_key, row): &Pair) -> Result<Vec<Pointer>, KvError> {
    let damaged = |what: &str| {
        let at = row_key.escape_ascii();
        KvError::Damaged(format!("the sealed index's row {at} {what}"))
    };
    let entries = IndexRow::open(row)?;
    let mut pointers: Vec<Pointer> = Vec::with_capacity(entries.len());
    for IndexEntry { shared, rest, block } in entries {
        let before = pointers.last().map_or(&[][..], |(key, _)| key);
        let shared =
            before.get(..usize::from(shared)).ok_or_else(|| damaged("does not say its keys"))?;
        pointers.push(([shared, &rest[..]].concat(), block));
    }
    match pointers.first() {
        Some((first, _)) if row_key.get(TableName::BYTES..) == Some(first) => Ok(pointers),
        Some(_) | None => Err(damaged("is not under its first key")),
    }
}

/// Writes the rows of a table; keys come in their order.
#[derive(Debug)]
pub(super) struct RowWriter {
    name: TableName,
    first: Vec<u8>,
    last: Vec<u8>,
    entries: Vec<IndexEntry>,
    bytes: usize,
}

impl RowWriter {
    pub(super) fn new(name: TableName) -> Self {
        Self { name, first: Vec::new(), last: Vec::new(), entries: Vec::new(), bytes: 0 }
    }

    pub(super) fn push(
        &mut self,
        key: &[u8],
        block: u64,
        batch: &mut Batch,
    ) -> Result<(), RecordError> {
        if self.bytes + 2 * ENTRY_BYTES + key.len() >= batch.value_bytes() && key != self.last {
            self.flush(batch)?;
        }
        let shared = if self.entries.is_empty() {
            self.first = key.to_vec();
            0
        } else {
            let same = self.last.iter().zip(key).take_while(|(one, other)| one == other).count();
            u8::try_from(same).unwrap_or(u8::MAX)
        };
        let rest = Bytes::copy_from_slice(&key[usize::from(shared)..]);
        self.bytes += rest.len() + ENTRY_BYTES;
        self.entries.push(IndexEntry { shared, rest, block });
        self.last.clear();
        self.last.extend_from_slice(key);
        Ok(())
    }

    /// Writes the row that is begun.
    pub(super) fn flush(&mut self, batch: &mut Batch) -> Result<(), RecordError> {
        if self.entries.is_empty() {
            return Ok(());
        }
        let row = IndexRow::seal(std::mem::take(&mut self.entries))?;
        batch.put(Space::SealedIndex, self.name.at(&self.first), row);
        self.bytes = 0;
        Ok(())
    }
}
