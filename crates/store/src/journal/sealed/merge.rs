//! Upkeep of the index: merges tables of one level into one of the next, a little at a time.
//!
//! What a merge has written is no table until it is complete: then one batch names it and no longer names those that it
//! was made of, which go afterwards. A merge that a crash interrupts begins anew; its rows, named by nobody, go too.

use std::{cmp::Reverse, collections::BinaryHeap, ops::Bound, sync::Arc};

use crate::kv::{Batch, Direction, Kv, KvError, Space, Span};

use super::{Sealed, Table, TableName, filter::Filter, key, table::RowWriter};

/// Tables of this level are not merged any more: some millions of entities.
const MOST_LEVEL: u8 = 4;

/// Rows that are removed in one step.
const REMOVED: usize = 256;

/// What the writer knows of the work that is left.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    next_number: u32,
    merge: Option<Merge>,
    /// Tables that are named no more, and may have rows.
    dropping: Vec<TableName>,
}

/// How much is merged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// So many tables of a level make one of the next.
    pub(crate) tables: usize,
    /// About so many keys in one step.
    pub(crate) keys: usize,
}

#[derive(Debug)]
struct Merge {
    inputs: Vec<Arc<Table>>,
    output: TableName,
    filter: Filter,
    /// The last key that is in the output.
    done: Option<Vec<u8>>,
}

impl Upkeep {
    /// Finds the rows of tables that nobody names.
    pub(super) fn open(kv: &dyn Kv, named: &[TableName]) -> Result<Self, KvError> {
        let mut upkeep = Self::default();
        let mut numbers = named.iter().map(|name| name.number).max();
        let mut span = Span::ALL;
        while let Some((row_key, _)) = kv.scan(Space::SealedIndex, &span, Direction::Up, 1)?.pop() {
            let name = TableName::of_row(&row_key)?;
            numbers = numbers.max(Some(name.number));
            if !named.contains(&name) {
                upkeep.dropping.push(name);
            }
            span.lower = match name.everything().upper {
                Bound::Excluded(next) => Bound::Included(next),
                Bound::Included(_) | Bound::Unbounded => break,
            };
        }
        upkeep.next_number = numbers.map_or(0, |number| number + 1);
        Ok(upkeep)
    }

    /// A number for a new table.
    pub(crate) fn number(&mut self) -> u32 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    /// Adds some work to a batch: what the pace says. `sealed` becomes what is there after the batch. False: there
    /// was nothing to do.
    pub(crate) fn step(
        &mut self,
        kv: &dyn Kv,
        sealed: &mut Sealed,
        pace: Pace,
        batch: &mut Batch,
    ) -> Result<bool, KvError> {
        let dropped = self.drop_rows(kv, batch)?;
        if self.merge.is_none() {
            self.merge = self.begin(sealed, pace.tables.max(2));
        }
        let Some(merge) = &mut self.merge else {
            return Ok(dropped);
        };
        if merge.step(kv, pace.keys, batch)? {
            let filter = std::mem::replace(&mut merge.filter, Filter::for_keys(0));
            let output = Table::close(merge.output, filter, batch);
            sealed
                .tables
                .retain(|table| !merge.inputs.iter().any(|input| input.name == table.name));
            sealed.tables.push(Arc::new(output));
        }
        Ok(true)
    }

    /// The batch of the last step is durable, and `sealed` is what is there.
    pub(crate) fn settle(&mut self, sealed: &Sealed) {
        if let Some(merge) = self.merge.take_if(|merge| sealed.names(merge.output)) {
            self.dropping.extend(merge.inputs.iter().map(|input| input.name));
        }
    }

    /// The batch of the last step was not written.
    pub(crate) fn abandon(&mut self) {
        if let Some(merge) = self.merge.take() {
            self.dropping.push(merge.output);
        }
    }

    fn begin(&mut self, sealed: &Sealed, count: usize) -> Option<Merge> {
        for level in 0..MOST_LEVEL {
            let mut inputs: Vec<Arc<Table>> = sealed
                .tables
                .iter()
                .filter(|table| table.name.level == level)
                .map(Arc::clone)
                .collect();
            if inputs.len() < count {
                continue;
            }
            inputs.sort_unstable_by_key(|table| table.name);
            inputs.truncate(count);
            let filter = Filter::for_all(inputs.iter().map(|table| &table.filter));
            let output = TableName { level: level + 1, number: self.number() };
            return Some(Merge { inputs, output, filter, done: None });
        }
        None
    }

    /// Removes rows of tables that nobody names; one leaves the list when nothing of it is found any more.
    fn drop_rows(&mut self, kv: &dyn Kv, batch: &mut Batch) -> Result<bool, KvError> {
        let mut left = REMOVED;
        let mut gone = Vec::new();
        for name in &self.dropping {
            if left == 0 {
                break;
            }
            let rows = kv.scan(Space::SealedIndex, &name.everything(), Direction::Up, left)?;
            if rows.is_empty() {
                gone.push(*name);
            }
            left -= rows.len();
            for (row_key, _) in rows {
                batch.remove(Space::SealedIndex, row_key.to_vec());
            }
        }
        self.dropping.retain(|name| !gone.contains(name));
        Ok(left < REMOVED)
    }
}

impl Sealed {
    fn names(&self, name: TableName) -> bool {
        self.tables.iter().any(|table| table.name == name)
    }
}

impl Merge {
    /// Writes about `keys` more; true when that was all.
    fn step(&mut self, kv: &dyn Kv, keys: usize, batch: &mut Batch) -> Result<bool, KvError> {
        let done = self.done.clone();
        let mut inputs = Vec::with_capacity(self.inputs.len());
        let mut heads = BinaryHeap::with_capacity(self.inputs.len());
        for (place, input) in self.inputs.iter().enumerate() {
            let mut pointers = input.name.after(kv, done.as_deref())?;
            if let Some(head) = pointers.next() {
                heads.push(Reverse((head?, place)));
            }
            inputs.push(pointers);
        }
        let mut rows = RowWriter::new(self.output);
        let mut written = 0;
        while let Some(Reverse(((key, block), place))) = heads.pop() {
            // Never between equal keys: they stand in one row.
            if written >= keys && self.done.as_ref() != Some(&key) {
                rows.flush(batch)?;
                return Ok(false);
            }
            if let Some(next) = inputs[place].next() {
                heads.push(Reverse((next?, place)));
            }
            rows.push(&key, block, batch)?;
            if let Some(hash) = key::hash_of(&key) {
                self.filter.insert(hash);
            }
            self.done = Some(key);
            written += 1;
        }
        rows.flush(batch)?;
        Ok(true)
    }
}
