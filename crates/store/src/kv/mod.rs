//! The seam to a storage engine: a few ordered maps, changed by atomic batches.
//!
//! An engine needs nothing else to carry the journal. The seam knows no record and no order; what is in a value is not
//! its business. It deliberately has no transactions with reads inside: there is one writer, and it knows.

mod memory;
mod pager;
#[cfg(feature = "redb")]
pub(crate) mod redb;
#[cfg(feature = "sled")]
pub(crate) mod sled;
pub(crate) mod wide;

pub(crate) use memory::Image;
pub use memory::MemoryKv;
pub(crate) use pager::Pager;

use std::{fmt, ops::Bound};

use bytes::Bytes;

/// The named maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Sequence -> packed entries: the truth.
    Journal,
    /// Entity -> its present state.
    Views,
    /// Entity and version -> where its events are in the journal.
    History,
    /// Kind, label, entity.
    Labels,
    /// Partition, time, entity.
    WakeUps,
    /// Claim -> entity.
    Claims,
    /// Sequence -> an item that waits.
    Inbox,
    /// The store's identity, watermark and counts.
    Meta,
    /// Number -> a block of entities at rest.
    Sealed,
    /// Table and key -> the blocks of entities at rest.
    SealedIndex,
    /// Entity at rest -> its wake-up, where it was moved since; or that it has left.
    Moved,
    /// Entity -> its state where the journal begins now.
    KeptViews,
    /// Entity and version -> events of it from before the journal begins.
    KeptEvents,
    /// Sequence -> an item that waited where the journal begins now.
    KeptInbox,
    /// Whose entity has left: a hash of a claim, or of an id.
    Left,
}

impl Space {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 15] = [
        Self::Journal,
        Self::Views,
        Self::History,
        Self::Labels,
        Self::WakeUps,
        Self::Claims,
        Self::Inbox,
        Self::Meta,
        Self::Sealed,
        Self::SealedIndex,
        Self::Moved,
        Self::KeptViews,
        Self::KeptEvents,
        Self::KeptInbox,
        Self::Left,
    ];

    /// Its place in [`Space::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::Journal => 0,
            Self::Views => 1,
            Self::History => 2,
            Self::Labels => 3,
            Self::WakeUps => 4,
            Self::Claims => 5,
            Self::Inbox => 6,
            Self::Meta => 7,
            Self::Sealed => 8,
            Self::SealedIndex => 9,
            Self::Moved => 10,
            Self::KeptViews => 11,
            Self::KeptEvents => 12,
            Self::KeptInbox => 13,
            Self::Left => 14,
        }
    }

    /// Its name on the disk; never changed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Views => "views",
            Self::History => "history",
            Self::Labels => "labels",
            Self::WakeUps => "wake-ups",
            Self::Claims => "claims",
            Self::Inbox => "inbox",
            Self::Meta => "meta",
            Self::Sealed => "sealed",
            Self::SealedIndex => "sealed-index",
            Self::Moved => "moved",
            Self::KeptViews => "kept-views",
            Self::KeptEvents => "kept-events",
            Self::KeptInbox => "kept-inbox",
            Self::Left => "left",
        }
    }
}

/// One write of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// In which map.
    pub space: Space,
    /// Which key.
    pub key: Vec<u8>,
    /// The new value; `None` removes the key.
    pub value: Option<Vec<u8>>,
}

/// Writes that happen all or not at all, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    writes: Vec<Write>,
    value_bytes: usize,
}

impl Default for Batch {
    fn default() -> Self {
        Self::of_values(3 * 1024)
    }
}

impl Batch {
    /// A batch for an engine that likes values of up to so many bytes.
    #[must_use]
    pub const fn of_values(bytes: usize) -> Self {
        Self { writes: Vec::new(), value_bytes: bytes }
    }

    /// How large a value should be at most.
    #[must_use]
    pub const fn value_bytes(&self) -> usize {
        self.value_bytes
    }

    /// Sets a key.
    pub fn put(&mut self, space: Space, key: Vec<u8>, value: Vec<u8>) {
        self.writes.push(Write { space, key, value: Some(value) });
    }

    /// Removes a key.
    pub fn remove(&mut self, space: Space, key: Vec<u8>) {
        self.writes.push(Write { space, key, value: None });
    }

    /// Whether nothing would be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// The writes, in order.
    #[must_use]
    pub fn into_writes(self) -> Vec<Write> {
        self.writes
    }
}

/// Which way to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest key up.
    Up,
    /// From the greatest key down.
    Down,
}

/// A range of keys of one map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Where it starts.
    pub lower: Bound<Vec<u8>>,
    /// Where it ends.
    pub upper: Bound<Vec<u8>>,
}

impl Span {
    /// Every key.
    pub const ALL: Self = Self { lower: Bound::Unbounded, upper: Bound::Unbounded };

    /// Every key that starts with `prefix`, and is longer or equal.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        let mut end = prefix.to_vec();
        let upper = loop {
            match end.pop() {
                Some(u8::MAX) => {}
                Some(last) => {
                    end.push(last + 1);
                    break Bound::Excluded(end);
                }
                None => break Bound::Unbounded,
            }
        };
        Self { lower: Bound::Included(prefix.to_vec()), upper }
    }

    /// Whether no key can be in it. Ordered maps panic on a range whose ends are crossed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let (Bound::Included(from) | Bound::Excluded(from)) = &self.lower else {
            return false;
        };
        let (Bound::Included(to) | Bound::Excluded(to)) = &self.upper else {
            return false;
        };
        let both_included =
            matches!(self.lower, Bound::Included(_)) && matches!(self.upper, Bound::Included(_));
        from > to || (from == to && !both_included)
    }
}

/// A key and its value.
pub type Pair = (Bytes, Bytes);

/// Why the engine did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KvError {
    /// There was no room; nothing of the batch was applied and the engine goes on. An engine that cannot promise both
    /// answers [`KvError::Failed`].
    #[error("no room: {0}")]
    Full(String),
    /// What the engine has on the disk is damaged.
    #[error("damaged: {0}")]
    Damaged(String),
    /// It failed; what was applied and not synced is unknown, and it is not to be tried again.
    #[error("{0}")]
    Failed(String),
    /// It was closed.
    #[error("closed")]
    Closed,
}

/// Why an engine did not open.
#[cfg(feature = "embedded")]
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineOpenError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Damaged(String),
}

/// An ordered key-value engine with one writer and many readers.
pub trait Kv: fmt::Debug + Send + Sync + 'static {
    /// The value of a key.
    ///
    /// # Errors
    /// See [`KvError`].
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, KvError>;

    /// At most `limit` pairs of a range, from its start (or its end, going down). A batch that is applied meanwhile may
    /// be seen in part.
    ///
    /// # Errors
    /// See [`KvError`].
    fn scan(
        &self,
        space: Space,
        span: &Span,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Pair>, KvError>;

    /// An empty batch, for values of the size that suits the engine.
    fn batch(&self) -> Batch {
        Batch::default()
    }

    /// Applies a batch: after a crash all of it is there or nothing of it. Reads may see it from now on, or only after
    /// the next sync.
    ///
    /// # Errors
    /// See [`KvError`].
    fn apply(&self, batch: Batch) -> Result<(), KvError>;

    /// Returns once everything that was applied before survives a power cut.
    ///
    /// # Errors
    /// See [`KvError`].
    fn sync(&self) -> Result<(), KvError>;

    /// How many bytes it takes on the disk (or in memory), as well as the engine knows.
    ///
    /// # Errors
    /// See [`KvError`].
    fn size(&self) -> Result<u64, KvError>;

    /// What stands in it was looked through and is whole. Until then an engine that may have changed something by being
    /// opened keeps what it was, and goes back to it when it is closed.
    ///
    /// # Errors
    /// See [`KvError`].
    fn accept(&self) -> Result<(), KvError> {
        Ok(())
    }

    /// Lets go of files and threads; everything after it answers [`KvError::Closed`]. Idempotent.
    fn close(&self);
}
