//! Sealing: entities at rest into blocks, and a table of the index over them.

use std::sync::Arc;

use crate::{
    kv::{Batch, Space, wide},
    record::{BlockRecord, RecordError, SealedEntity},
};

use super::{
    Sealed, Table, TableName, at_rest,
    filter::Filter,
    key,
    table::{Blocks, Pointer, RowWriter},
};
use crate::journal::keys;

/// So much of entities makes one block: enough for them to repeat each other, little enough to be read for one of them.
const BLOCK_BYTES: usize = 24 * 1024;

/// More of them, and an entity keeps its rows: it was busy, and would fill a block alone.
const MOST_SPANS: usize = 256;

/// Larger ones keep their rows.
const MOST_BYTES: usize = BLOCK_BYTES;

/// Entities to be sealed together.
#[derive(Debug, Default)]
pub(crate) struct Sealing {
    entities: Vec<SealedEntity>,
    pub(crate) bytes: usize,
}

impl Sealing {
    /// Takes an entity in; false when it is better off with rows.
    pub(crate) fn take(&mut self, entity: SealedEntity) -> bool {
        let bytes = weight(&entity);
        if !at_rest(&entity.row) || entity.spans.len() > MOST_SPANS || bytes > MOST_BYTES {
            return false;
        }
        self.bytes += bytes;
        self.entities.push(entity);
        true
    }

    pub(crate) fn len(&self) -> usize {
        self.entities.len()
    }

    /// About how many keys lead to them.
    pub(crate) fn keys(&self) -> usize {
        self.entities
            .iter()
            .map(|entity| 2 + entity.row.labels.len() + entity.row.claims.len())
            .sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    /// Writes them, and changes `sealed` to what is there after the batch.
    pub(crate) fn write(
        mut self,
        sealed: &mut Sealed,
        number: u32,
        batch: &mut Batch,
    ) -> Result<(), RecordError> {
        // Who lists them wants neighbours.
        self.entities.sort_unstable_by_key(|entity| entity.id);
        let mut pointers = Vec::with_capacity(self.keys());
        let mut rest = &self.entities[..];
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take_while(|entity| {
                bytes += weight(entity);
                bytes <= BLOCK_BYTES
            });
            let (block, after) = rest.split_at(fits.count().max(1));
            let record = BlockRecord::seal(block)?;
            wide::put(batch, Space::Sealed, &keys::seq(sealed.blocks), &record);
            for entity in block {
                pointers.extend(keys_of(entity).into_iter().map(|key| (key, sealed.blocks)));
            }
            sealed.blocks += 1;
            rest = after;
        }
        // Two claims of one hash in one block are one key.
        pointers.sort_unstable();
        pointers.dedup();
        let table =
            write_table(TableName { level: 0, number }, &pointers, sealed.gone.count(), batch)?;
        sealed.tables.push(Arc::new(table));
        Ok(())
    }
}

/// Everything that leads to an entity.
pub(crate) fn keys_of(entity: &SealedEntity) -> Vec<Vec<u8>> {
    let SealedEntity { id, row, .. } = entity;
    let mut keys = vec![key::entity(*id).bytes, key::label(row.kind, "", *id)];
    keys.extend(row.labels.iter().map(|label| key::label(row.kind, &label.0, *id)));
    keys.extend(row.claims.iter().map(|claim| key::claim(claim).bytes));
    keys
}

fn write_table(
    name: TableName,
    pointers: &[Pointer],
    gone: u64,
    batch: &mut Batch,
) -> Result<Table, RecordError> {
    let hashes: Vec<u64> = pointers.iter().filter_map(|(key, _)| key::hash_of(key)).collect();
    let mut filter = Filter::for_keys(hashes.len());
    hashes.into_iter().for_each(|hash| filter.insert(hash));
    let mut rows = RowWriter::new(name);
    let mut blocks = Blocks::NONE;
    for (key, block) in pointers {
        blocks.add(*block);
        rows.push(key, *block, batch)?;
    }
    rows.flush(batch)?;
    Ok(Table::close(name, filter, gone, blocks, batch))
}

/// About how many bytes an entity takes in a block.
fn weight(entity: &SealedEntity) -> usize {
    /// Id, numbers, lengths.
    const FRAME: usize = 48;
    let claims: usize = entity.row.claims.iter().map(|claim| claim.0.len() + 2).sum();
    FRAME + entity.row.view.len() + claims + entity.spans.len() * 8
}
