//! An engine that forgets some of what it is told: for proving that a test notices code which does not write it.

use std::fmt;

use bytes::Bytes;

use crate::kv::{Batch, Direction, Kv, KvError, MemoryKv, Pair, Space, Span, Write};

/// See the module.
pub struct ForgetfulKv {
    kept: MemoryKv,
    forgets: Box<dyn Fn(&Write) -> bool + Send + Sync>,
}

impl fmt::Debug for ForgetfulKv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForgetfulKv").field("kept", &self.kept).finish_non_exhaustive()
    }
}

impl ForgetfulKv {
    /// An empty one in memory that leaves out every write of which this says so.
    pub fn new(forgets: impl Fn(&Write) -> bool + Send + Sync + 'static) -> Self {
        Self { kept: MemoryKv::new(), forgets: Box::new(forgets) }
    }
}

impl Kv for ForgetfulKv {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        self.kept.get(space, key)
    }

    fn scan(
        &self,
        space: Space,
        span: &Span,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Pair>, KvError> {
        self.kept.scan(space, span, direction, limit)
    }

    fn apply(&self, batch: Batch) -> Result<(), KvError> {
        let mut kept = Batch::default();
        for write in batch.into_writes() {
            if (self.forgets)(&write) {
                continue;
            }
            let Write { space, key, value } = write;
            match value {
                Some(value) => kept.put(space, key, value),
                None => kept.remove(space, key),
            }
        }
        self.kept.apply(kept)
    }

    fn sync(&self) -> Result<(), KvError> {
        self.kept.sync()
    }

    fn size(&self) -> Result<u64, KvError> {
        self.kept.size()
    }

    fn close(&self) {
        self.kept.close();
    }
}
