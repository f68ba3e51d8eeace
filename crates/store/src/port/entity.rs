//! What is stored: entities, the unique keys that point to them, and when they want to be looked at again.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// How many events an entity has; the first event has number 1, an entity that does not exist has version 0.
pub type Version = u64;

/// A slice of the entities that one owner works on. Embedded stores have one, [`PartitionId::ONLY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartitionId(pub u16);

impl PartitionId {
    /// The one partition of an embedded store.
    pub const ONLY: Self = Self(0);
}

/// The identity of an entity: a UUID, version 7, because keys that grow in time keep an embedded store small and fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityId(pub Uuid);

/// Which lifecycle an entity belongs to. The store gives it no meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kind(pub u8);

/// A short word to list and count entities by (a state's name, `review`). At most [`Label::MAX_BYTES`] long.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Label(pub String);

impl Label {
    /// Long enough for any state name, short enough to be part of an index key.
    pub const MAX_BYTES: usize = 48;
    /// Labels per entity: its state and a few flags.
    pub const MAX_PER_ENTITY: usize = 6;
}

impl From<&str> for Label {
    fn from(word: &str) -> Self {
        Self(word.to_owned())
    }
}

/// A unique key that points to one entity for ever, for example account + idempotency key.
///
/// Made of a namespace and parts; the parts are length-prefixed, so `("a","bc")` and `("ab","c")` differ.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Claim(pub Vec<u8>);

impl Claim {
    /// Longer keys are refused with [`crate::CommitError::TooLarge`].
    pub const MAX_BYTES: usize = 1024;

    /// A claim in `namespace` over `parts`.
    #[must_use]
    pub fn new(namespace: &str, parts: &[&str]) -> Self {
        let mut key = Vec::with_capacity(
            2 + namespace.len() + parts.iter().map(|part| part.len() + 2).sum::<usize>(),
        );
        for part in std::iter::once(&namespace).chain(parts) {
            // Saturates: such a key is far over MAX_BYTES and is refused by the store.
            let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
            key.extend_from_slice(&length.to_be_bytes());
            key.extend_from_slice(part.as_bytes());
        }
        Self(key)
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claim({})", self.0.escape_ascii())
    }
}

/// An entity as it is at the durable head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Its identity.
    pub id: EntityId,
    /// Its lifecycle.
    pub kind: Kind,
    /// Its partition.
    pub partition: PartitionId,
    /// How many events it has.
    pub version: Version,
    /// Its present state, as the last change that had one wrote it.
    pub view: Bytes,
    /// What it is listed under.
    pub labels: Vec<Label>,
    /// When it wants to be looked at again.
    pub wake_up: Option<Micros>,
}

/// One event of one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number within the entity, from 1, gapless.
    pub version: Version,
    /// What the lifecycle wrote.
    pub bytes: Bytes,
}

/// An entity that wants to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// When it wanted to.
    pub at: Micros,
    /// Which one.
    pub id: EntityId,
}

/// What to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// Of which lifecycle.
    pub kind: Kind,
    /// Only those that carry this label; `None`: all.
    pub label: Option<Label>,
    /// Continue after (below) this id; `None`: from the newest.
    pub before: Option<EntityId>,
    /// At most so many; the store may cap it at 1,000.
    pub limit: usize,
}
