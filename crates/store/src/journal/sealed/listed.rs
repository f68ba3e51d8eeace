//! What is sealed under a label, newest first: the tables' keys, merged downwards.

use std::{iter::Peekable, ops::Bound};

use crate::{
    EntityId, Kind,
    kv::{Kv, KvError, Span},
};

use super::{Sealed, key, table::Pointer};

type Down<'a> = Peekable<Box<dyn Iterator<Item = Result<Pointer, KvError>> + 'a>>;

/// See the module.
pub(crate) struct Listed<'a> {
    tables: Vec<Down<'a>>,
}

impl Sealed {
    /// The ids under a label and their blocks, below `before`. `prefix` is from [`Sealed::listed_prefix`].
    pub(crate) fn listed<'a>(
        &self,
        kv: &'a dyn Kv,
        prefix: &'a [u8],
        before: Option<EntityId>,
    ) -> Listed<'a> {
        let below = match before {
            Some(before) => Bound::Excluded([prefix, before.0.as_bytes()].concat()),
            None => Span::prefix(prefix).upper,
        };
        let down = |table: &std::sync::Arc<super::Table>| {
            let pointers = table.name.below(kv, prefix, &below);
            let pointers: Box<dyn Iterator<Item = _> + 'a> = Box::new(pointers);
            pointers.peekable()
        };
        Listed { tables: self.tables.iter().map(down).collect() }
    }

    pub(crate) fn listed_prefix(kind: Kind, label: &str) -> Vec<u8> {
        key::label_prefix(kind, label)
    }
}

impl Iterator for Listed<'_> {
    type Item = Result<(EntityId, u64), KvError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut next: Option<(usize, Vec<u8>)> = None;
        for (place, table) in self.tables.iter_mut().enumerate() {
            match table.peek() {
                None => {}
                Some(Err(error)) => return Some(Err(error.clone())),
                Some(Ok((key, _))) if next.as_ref().is_none_or(|(_, greatest)| key > greatest) => {
                    next = Some((place, key.clone()));
                }
                Some(Ok(_)) => {}
            }
        }
        let (place, _) = next?;
        let (key, block) = match self.tables[place].next()? {
            Ok(pointer) => pointer,
            Err(error) => return Some(Err(error)),
        };
        Some(key::listed_id(&key).map(|id| (id, block)))
    }
}
