//! Entities at rest: listed under their state alone, and not expected to change soon.
//!
//! An order that has ended is written once, packed with many others into a block, and found through a sorted index; it
//! has no row but its wake-up while it is watched, which may be moved: a row of a few bytes says where to. The blocks and the index only ever append, which is what embedded engines are good at: eight rows under
//! random keys cost an order more than its journal does.
//!
//! - A **block** holds some dozens of entities with their claims and the places of their events.
//! - The **index** is made of **tables**, each sorted: claim (a hash of it), id and label lead to the block. Tables are
//!   merged in levels ([`merge`]), a little at a time, so that a look-up asks few of them; what is new to all of them is
//!   told by their filters without a read.
//! - What the tables are stands in one row, which is written with them in one batch: a table is there whole, or it is
//!   what a merge has left, and goes.
//!
//! - An entity that **leaves** ([`super::base`]) is marked; a block goes once nobody needs it, and its keys lead nowhere
//!   until their table is written anew.
//!
//! An entity that changes otherwise after it was sealed has a row again, and keeps it: a row is newer than what is
//! sealed, and nothing is sealed twice. So whatever is busy under one label costs what it did before.

mod filter;
mod gone;
mod key;
mod listed;
mod merge;
mod seal;
mod table;

pub(crate) use merge::{Pace, Upkeep};
pub(crate) use seal::{Sealing, keys_of};

use std::{rc::Rc, sync::Arc};

use crate::{
    Claim, EntityId,
    kv::{Batch, Direction, Kv, KvError, Pager, Space, Span, wide},
    record::{
        BlockRecord, MovedRow, RecordError, SealedEntity, TablesRow, ViewRow, decode, encode,
    },
};

use super::keys;
use gone::Gone;
use table::{Pointer, Table, TableName};

/// Whether an entity may be sealed: it is listed under its state alone. What carries another label (open, a review) is to
/// be found quickly by it, and is expected to lose it again.
pub(crate) fn at_rest(row: &ViewRow) -> bool {
    row.labels.len() <= 1
}

/// What is sealed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sealed {
    tables: Vec<Arc<Table>>,
    /// The number of the next block.
    blocks: u64,
    pub(crate) gone: Gone,
}

impl Sealed {
    /// What is there, and the tables that nobody needs.
    pub(crate) fn open(kv: &dyn Kv) -> Result<(Self, Upkeep), KvError> {
        let last = kv.scan(Space::Sealed, &Span::ALL, Direction::Down, 1)?.pop();
        let blocks = match last {
            Some((key, _)) => {
                let (key, _) = wide::split_key(Space::Sealed, &key)?;
                keys::seq_of(Space::Sealed, &key)? + 1
            }
            None => 0,
        };
        let row: TablesRow = match kv.get(Space::Meta, keys::SEALED)? {
            Some(bytes) => decode(&bytes)?,
            None => TablesRow { tables: Vec::new(), blocks: 0, gone: Vec::new() },
        };
        let TablesRow { tables: named, blocks: said, gone } = row;
        let gone = Gone::of_stretches(gone).ok_or_else(|| {
            KvError::Damaged("which sealed blocks are gone cannot be read".to_owned())
        })?;
        // The last ones may be gone.
        if blocks > said || (blocks..said).any(|block| !gone.has(block)) {
            return Err(KvError::Damaged(format!(
                "there should be {said} sealed blocks, and there are {blocks}"
            )));
        }
        let mut names = Vec::with_capacity(named.len());
        let mut tables = Vec::with_capacity(named.len());
        for entry in named {
            // A table from before blocks could go says of none that it does not lead there.
            let beyond = entry.last >= said.max(1) && entry.last != u64::MAX;
            if entry.gone > gone.count() || beyond {
                return Err(KvError::Damaged(format!(
                    "the sealed index's table {}.{} speaks of blocks that there never were",
                    entry.level, entry.number
                )));
            }
            let table = Table::open(kv, entry)?;
            names.push(table.name);
            tables.push(Arc::new(table));
        }
        let upkeep = Upkeep::open(kv, &names)?;
        Ok((Self { tables, blocks: said, gone }, upkeep))
    }

    /// The row that says what is there.
    pub(crate) fn row(&self) -> Result<Vec<u8>, RecordError> {
        let tables = self.tables.iter().map(|table| table.entry()).collect();
        encode(&TablesRow { tables, blocks: self.blocks, gone: self.gone.stretches().to_vec() })
    }

    /// An entity that is sealed and has no row, as it is now; not one that has left.
    pub(crate) fn entity(
        &self,
        kv: &dyn Kv,
        id: EntityId,
    ) -> Result<Option<SealedEntity>, KvError> {
        let Some(mut found) = self.find(kv, id)? else {
            return Ok(None);
        };
        Ok(moved(kv, id, &mut found.row)?.then_some(found))
    }

    /// An entity as it was sealed, and has perhaps left; a row of it is newer.
    pub(crate) fn find(&self, kv: &dyn Kv, id: EntityId) -> Result<Option<SealedEntity>, KvError> {
        Ok(self.placed(kv, id)?.map(|(_, found)| found))
    }

    /// As [`Sealed::find`], with the number of its block.
    pub(crate) fn placed(
        &self,
        kv: &dyn Kv,
        id: EntityId,
    ) -> Result<Option<(u64, SealedEntity)>, KvError> {
        // Not two of them: an id is sealed once as long as its block is there, and its key is no hash.
        let Some(block) = self.blocks_of(kv, &key::entity(id))?.pop() else {
            return Ok(None);
        };
        let found = block_of(kv, block)?.into_iter().find(|found| found.id == id);
        let lost = || KvError::Damaged(format!("sealed block {block} has lost {id:?}"));
        found.map(|found| Some((block, found))).ok_or_else(lost)
    }

    /// The entity that was sealed with a claim, unless it has left.
    pub(crate) fn holder(&self, kv: &dyn Kv, claim: &Claim) -> Result<Option<EntityId>, KvError> {
        let key = key::claim(claim);
        for block in self.blocks_of(kv, &key)? {
            let mut entities = block_of(kv, block)?.into_iter();
            if let Some(found) = entities.find(|found| found.row.claims.contains(claim))
                && !has_left(kv, found.id)?
            {
                return Ok(Some(found.id));
            }
        }
        Ok(None)
    }

    fn blocks_of(&self, kv: &dyn Kv, key: &key::Key) -> Result<Vec<u64>, KvError> {
        let mut blocks = Vec::new();
        for table in &self.tables {
            if table.filter.may_have(key.hash) {
                blocks.extend(table.name.find(kv, &key.bytes)?);
            }
        }
        // Keys of blocks that are gone stay until their table is written anew.
        blocks.retain(|block| !self.gone.has(*block));
        Ok(blocks)
    }

    /// Whether a key leads to an entity that is none any more.
    pub(crate) fn is_gone(&self, kv: &dyn Kv, id: EntityId, block: u64) -> Result<bool, KvError> {
        Ok(self.gone.has(block) || has_left(kv, id)?)
    }

    /// Notes that a block is gone. Its row is removed by [`clear`], once nobody reads it any more.
    pub(crate) fn drop_block(&mut self, block: u64) {
        self.gone.insert(block);
    }

    /// Blocks that are gone and still have a row, at most `limit`.
    pub(crate) fn uncleared(&self, kv: &dyn Kv, limit: usize) -> Result<Vec<u64>, KvError> {
        let mut blocks = Vec::new();
        for (first, after) in self.gone.stretches() {
            for pair in
                Pager::new(kv, Space::Sealed, keys::seq_span(*first, after - 1), Direction::Up)
            {
                let (key, part) = wide::split_key(Space::Sealed, &pair?.0)?;
                if part != 0 {
                    continue;
                }
                blocks.push(keys::seq_of(Space::Sealed, &key)?);
                if blocks.len() >= limit {
                    return Ok(blocks);
                }
            }
        }
        Ok(blocks)
    }

    /// Every key of the index with its block, for whoever checks them.
    pub(super) fn all_pointers(
        &self,
        kv: &dyn Kv,
    ) -> impl Iterator<Item = Result<Pointer, KvError>> {
        // Keys of blocks that are gone are as good as gone themselves.
        let stays = |found: &Result<Pointer, KvError>| match found {
            Ok((_, block)) => !self.gone.has(*block),
            Err(_) => true,
        };
        self.tables.iter().flat_map(move |table| table.name.all(kv)).filter(stays)
    }

    /// A table that has what its filter does not know, or leads to a block that it says it does not.
    pub(super) fn wrong_table(&self, kv: &dyn Kv) -> Result<Option<String>, KvError> {
        for table in &self.tables {
            let mut filter = table.filter.emptied();
            for pointer in table.name.all(kv) {
                let (key, block) = pointer?;
                if block < table.blocks.first || block > table.blocks.last {
                    return Ok(Some(format!(
                        "sealed index: {:?} leads to block {block}, and says that it does not",
                        table.name
                    )));
                }
                if let Some(hash) = key::hash_of(&key) {
                    filter.insert(hash);
                }
            }
            if filter != table.filter {
                return Ok(Some(format!("sealed index: the filter of {:?} is wrong", table.name)));
            }
        }
        Ok(None)
    }

    /// Every block with its number, for whoever checks them.
    pub(super) fn all_blocks(
        &self,
        kv: &dyn Kv,
    ) -> impl Iterator<Item = Result<(u64, Vec<SealedEntity>), KvError>> {
        let there = (0..self.blocks).filter(|number| !self.gone.has(*number));
        there.map(move |number| Ok((number, block_of(kv, number)?)))
    }
}

/// Applies what has moved the wake-up of a sealed entity since. False: it has left.
fn moved(kv: &dyn Kv, id: EntityId, row: &mut ViewRow) -> Result<bool, KvError> {
    if let Some(bytes) = kv.get(Space::Moved, &keys::entity(id))? {
        let MovedRow { seq, wake_up, left } = decode(&bytes)?;
        (row.seq, row.wake_up) = (seq, wake_up);
        return Ok(!left);
    }
    Ok(true)
}

/// Whether an entity that is in a block is none any more.
pub(crate) fn has_left(kv: &dyn Kv, id: EntityId) -> Result<bool, KvError> {
    match kv.get(Space::Moved, &keys::entity(id))? {
        Some(bytes) => Ok(decode::<MovedRow>(&bytes)?.left),
        None => Ok(false),
    }
}

/// Marks a sealed entity as one that has left.
pub(crate) fn mark_left(id: EntityId, seq: u64, batch: &mut Batch) -> Result<(), RecordError> {
    let row = encode(&MovedRow { seq, wake_up: None, left: true })?;
    batch.put(Space::Moved, keys::entity(id).to_vec(), row);
    Ok(())
}

/// Removes a block that is gone, and the marks of who was in it.
pub(crate) fn clear(kv: &dyn Kv, number: u64, batch: &mut Batch) -> Result<(), KvError> {
    for entity in block_of(kv, number)? {
        if has_left(kv, entity.id)? {
            batch.remove(Space::Moved, keys::entity(entity.id).to_vec());
        }
    }
    let parts = wide::get(kv, Space::Sealed, &keys::seq(number))?.map_or(0, |(_, parts)| parts);
    wide::remove(batch, Space::Sealed, &keys::seq(number), parts);
    Ok(())
}

pub(crate) fn block_of(kv: &dyn Kv, number: u64) -> Result<Vec<SealedEntity>, KvError> {
    match wide::get(kv, Space::Sealed, &keys::seq(number))? {
        Some((bytes, _)) => Ok(BlockRecord::open(&bytes)?),
        None => Err(KvError::Damaged(format!("sealed block {number} is missing"))),
    }
}

/// Reads blocks for somebody who wants several entities: neighbours are in one.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    last: Option<(u64, Rc<Vec<SealedEntity>>)>,
}

impl Blocks {
    pub(crate) fn entity(
        &mut self,
        kv: &dyn Kv,
        block: u64,
        id: EntityId,
    ) -> Result<ViewRow, KvError> {
        let entities = match &self.last {
            Some((number, entities)) if *number == block => Rc::clone(entities),
            Some(_) | None => {
                let entities = Rc::new(block_of(kv, block)?);
                self.last = Some((block, Rc::clone(&entities)));
                entities
            }
        };
        let lost = || KvError::Damaged(format!("sealed block {block} has lost {id:?}"));
        let found = entities.iter().find(|found| found.id == id).ok_or_else(lost)?;
        let mut row = found.row.clone();
        moved(kv, id, &mut row)?;
        Ok(row)
    }
}
