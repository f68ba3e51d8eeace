//! An engine that keeps everything in memory and forgets it with the process.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{PoisonError, RwLock},
};

use bytes::Bytes;

use super::{Batch, Direction, Kv, KvError, Pager, Pair, Space, Span, Write};

/// All maps of an engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Image {
    maps: [BTreeMap<Vec<u8>, Bytes>; Space::ALL.len()],
}

impl Image {
    pub(crate) fn get(&self, space: Space, key: &[u8]) -> Option<Bytes> {
        self.maps[space.index()].get(key).cloned()
    }

    pub(crate) fn scan(
        &self,
        space: Space,
        span: &Span,
        direction: Direction,
        limit: usize,
    ) -> Vec<Pair> {
        if span.is_empty() {
            return Vec::new();
        }
        let bounds: (Bound<&[u8]>, Bound<&[u8]>) =
            (span.lower.as_ref().map(Vec::as_slice), span.upper.as_ref().map(Vec::as_slice));
        let range = self.maps[space.index()].range::<[u8], _>(bounds);
        let pair = |(key, value): (&Vec<u8>, &Bytes)| (Bytes::copy_from_slice(key), value.clone());
        match direction {
            Direction::Up => range.take(limit).map(pair).collect(),
            Direction::Down => range.rev().take(limit).map(pair).collect(),
        }
    }

    pub(crate) fn apply(&mut self, batch: Batch) {
        for Write { space, key, value } in batch.into_writes() {
            let map = &mut self.maps[space.index()];
            match value {
                Some(value) => drop(map.insert(key, Bytes::from(value))),
                None => drop(map.remove(&key)),
            }
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.maps.iter().flatten().map(|(key, value)| (key.len() + value.len()) as u64).sum()
    }
}

/// Everything in memory; a sync has nothing to do.
#[derive(Debug, Default)]
pub struct MemoryKv {
    image: RwLock<Image>,
}

impl MemoryKv {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self { image: RwLock::new(Image::default()) }
    }
}

impl MemoryKv {
    /// Everything that another engine holds.
    ///
    /// # Errors
    /// The other engine cannot be read.
    pub(crate) fn copy_of(other: &dyn Kv) -> Result<Self, KvError> {
        let mut batch = Batch::default();
        for space in Space::ALL {
            for pair in Pager::new(other, space, Span::ALL, Direction::Up) {
                let (key, value) = pair?;
                batch.put(space, key.to_vec(), value.to_vec());
            }
        }
        let copy = Self::new();
        copy.apply(batch)?;
        Ok(copy)
    }
}

impl Kv for MemoryKv {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        let image = self.image.read().unwrap_or_else(PoisonError::into_inner);
        Ok(image.get(space, key))
    }

    fn scan(
        &self,
        space: Space,
        span: &Span,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Pair>, KvError> {
        let image = self.image.read().unwrap_or_else(PoisonError::into_inner);
        Ok(image.scan(space, span, direction, limit))
    }

    fn apply(&self, batch: Batch) -> Result<(), KvError> {
        let mut image = self.image.write().unwrap_or_else(PoisonError::into_inner);
        image.apply(batch);
        Ok(())
    }

    fn sync(&self) -> Result<(), KvError> {
        Ok(())
    }

    fn size(&self) -> Result<u64, KvError> {
        let image = self.image.read().unwrap_or_else(PoisonError::into_inner);
        Ok(image.size())
    }

    /// Keeps the content, so that a store can be opened over it again.
    fn close(&self) {}
}
