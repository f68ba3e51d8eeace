//! Upkeep of the index: merges tables of one level into one of the next, a little at a time.
//!
//! What a merge has written is no table until it is complete: then one batch names it and no longer names those that it
//! was made of, which go afterwards. A merge that a crash interrupts begins anew; its rows, named by nobody, go too.

use std::{cmp::Reverse, collections::BinaryHeap, ops::Bound, sync::Arc};

use crate::kv::{Batch, Direction, Kv, KvError, Space, Span};

use super::{
    Gone, Sealed, Table, TableName,
    filter::Filter,
    key,
    table::{Blocks, RowWriter},
};

/// Tables of this level are not merged any more: some millions of entities.
const MOST_LEVEL: u8 = 4;

/// So many blocks must have gone before a table is written anew for them.
const RENEWED: u64 = 8;

/// Rows that are removed in one step.
const REMOVED: usize = 256;

/// What the writer knows of the work that is left.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    next_number: u32,
    merge: Option<Merge>,
    /// Tables that are named no more, and may have rows.
    dropping: Vec<TableName>,
    /// Tables that the last step has left out.
    dead: Vec<TableName>,
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
    /// Blocks whose keys are left out.
    gone: Gone,
    /// Those that are led to.
    blocks: Blocks,
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
            self.leave_out(sealed);
            self.merge = self.begin(sealed, pace.tables.max(2));
        }
        let Some(merge) = &mut self.merge else {
            return Ok(dropped || !self.dead.is_empty());
        };
        if merge.step(kv, pace.keys, batch)? {
            let filter = std::mem::replace(&mut merge.filter, Filter::for_keys(0));
            let output =
                Table::close(merge.output, filter, merge.gone.count(), merge.blocks, batch);
            sealed
                .tables
                .retain(|table| !merge.inputs.iter().any(|input| input.name == table.name));
            sealed.tables.push(Arc::new(output));
        }
        Ok(true)
    }

    /// The batch of the last step is durable, and `sealed` is what is there.
    pub(crate) fn settle(&mut self, sealed: &Sealed) {
        let dead = std::mem::take(&mut self.dead);
        self.dropping.extend(dead.into_iter().filter(|name| !sealed.names(*name)));
        if let Some(merge) = self.merge.take_if(|merge| sealed.names(merge.output)) {
            self.dropping.extend(merge.inputs.iter().map(|input| input.name));
        }
    }

    /// The batch of the last step was not written.
    pub(crate) fn abandon(&mut self) {
        self.dead.clear();
        if let Some(merge) = self.merge.take() {
            self.dropping.push(merge.output);
        }
    }

    /// Names those tables no more that lead to no block.
    fn leave_out(&mut self, sealed: &mut Sealed) {
        let Sealed { tables, gone, .. } = sealed;
        tables.retain(|table| {
            let leads_nowhere =
                gone.has_all(table.blocks.first, table.blocks.last) || table.blocks == Blocks::NONE;
            self.dead.extend(leads_nowhere.then_some(table.name));
            !leads_nowhere
        });
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
            let gone = sealed.gone.clone();
            return Some(Merge { inputs, output, filter, gone, blocks: Blocks::NONE, done: None });
        }
        self.renew(sealed)
    }

    /// Writes a table anew in which half of the keys may lead nowhere: as many blocks have gone since it was written as
    /// there are. So a key that stays is written once more for each that went, at most.
    fn renew(&mut self, sealed: &Sealed) -> Option<Merge> {
        let gone = sealed.gone.count();
        let there = sealed.blocks - gone;
        let old = |table: &&Arc<Table>| gone - table.gone > there.max(RENEWED);
        let input = sealed.tables.iter().filter(old).min_by_key(|table| table.gone)?;
        let output = TableName { level: input.name.level, number: self.number() };
        let filter = input.filter.emptied();
        let (inputs, gone) = (vec![Arc::clone(input)], sealed.gone.clone());
        Some(Merge { inputs, output, filter, gone, blocks: Blocks::NONE, done: None })
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
            if !self.gone.has(block) {
                self.blocks.add(block);
                rows.push(&key, block, batch)?;
                if let Some(hash) = key::hash_of(&key) {
                    self.filter.insert(hash);
                }
            }
            self.done = Some(key);
            written += 1;
        }
        rows.flush(batch)?;
        Ok(true)
    }
}
