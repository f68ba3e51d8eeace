//! What is sealed, read block by block, and its index against the blocks.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::{
    EntityId,
    journal::{
        keys,
        sealed::{Sealed, keys_of},
    },
    kv::{Direction, Kv, KvError, Pager, Space, Span},
    record::{MovedRow, SealedEntity},
};

use super::{
    CheckReport,
    model::{Print, print},
    read,
};

/// Everything that is sealed. What has a row as well has changed since.
#[derive(Debug, Default)]
pub(super) struct AtRest {
    /// Without their views.
    pub(super) entities: BTreeMap<EntityId, SealedEntity>,
    pub(super) views: BTreeMap<EntityId, Print>,
    /// Those whose wake-up was moved since.
    pub(super) moved: BTreeSet<EntityId>,
}

impl AtRest {
    /// Reads all blocks, and compares the index with them.
    pub(super) fn read(
        kv: &dyn Kv,
        sealed: &Sealed,
        report: &mut CheckReport,
    ) -> Result<Self, KvError> {
        let mut found = Self::default();
        let mut expected = BTreeSet::new();
        for block in sealed.all_blocks(kv) {
            let (number, entities) = block?;
            for mut entity in entities {
                found.views.insert(entity.id, print(&entity.row.view));
                entity.row.view = Bytes::new();
                expected.extend(keys_of(&entity).into_iter().map(|key| (key, number)));
                let id = entity.id;
                if found.entities.insert(id, entity).is_some() {
                    report.problem(format!("sealed: {id:?} is there twice"));
                }
            }
        }
        let mut seen = 0;
        for pointer in sealed.all_pointers(kv) {
            let (key, block) = pointer?;
            seen += 1;
            if !expected.contains(&(key.clone(), block)) {
                report.problem(format!(
                    "sealed index: {} does not lead to block {block}",
                    key.escape_ascii()
                ));
            }
        }
        if seen != expected.len() {
            report.problem(format!("sealed index: {seen} keys instead of {}", expected.len()));
        }
        if let Some(why) = sealed.wrong_table(kv)? {
            report.problem(why);
        }
        found.read_moved(kv, report)?;
        Ok(found)
    }

    fn read_moved(&mut self, kv: &dyn Kv, report: &mut CheckReport) -> Result<(), KvError> {
        for pair in Pager::new(kv, Space::Moved, Span::ALL, Direction::Up) {
            let (key, bytes) = pair?;
            let id = keys::trailing_id(Space::Moved, &key)?;
            let row = read::<MovedRow>(&bytes, report);
            match (self.entities.get_mut(&id), row) {
                (Some(_), Some(MovedRow { left: true, .. })) if key.len() == keys::ID_BYTES => {
                    self.entities.remove(&id);
                }
                (Some(entity), Some(MovedRow { seq, wake_up, left: false }))
                    if key.len() == keys::ID_BYTES =>
                {
                    (entity.row.seq, entity.row.wake_up) = (seq, wake_up);
                    self.moved.insert(id);
                }
                (Some(_) | None, Some(_)) => report.problem(format!("moved: {id:?} is not sealed")),
                (Some(_) | None, None) => {}
            }
        }
        Ok(())
    }
}
