//! What happened, in order, for whoever wants to follow.

use std::{fmt, str::FromStr};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{EntityId, Kind, Version};

/// A place in a partition's journal: the commit's sequence. Grows, never reused within an incarnation.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position(pub u64);

/// Where a follower stands: opaque to it, bound to one incarnation of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Which life of the store gave it; a restored copy is a new one.
    pub incarnation: Uuid,
    /// The last commit that was seen.
    pub position: Position,
    /// How many events of that commit were seen.
    pub offset: u32,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:x}.{:x}", self.incarnation.simple(), self.position.0, self.offset)
    }
}

/// The text is not a cursor of this engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a feed cursor: take it from an earlier answer, unchanged, or leave it out to start at the oldest event"
)]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let mut parts = text.split('.');
        let (Some(incarnation), Some(position), Some(offset), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(BadCursor);
        };
        Ok(Self {
            incarnation: Uuid::try_parse(incarnation).map_err(|_| BadCursor)?,
            position: Position(u64::from_str_radix(position, 16).map_err(|_| BadCursor)?),
            offset: u32::from_str_radix(offset, 16).map_err(|_| BadCursor)?,
        })
    }
}

/// One event in the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEntry {
    /// Where a follower stands after it.
    pub cursor: Cursor,
    /// Whose event.
    pub id: EntityId,
    /// Of which lifecycle.
    pub kind: Kind,
    /// Its number within the entity.
    pub version: Version,
    /// What the lifecycle wrote.
    pub bytes: Bytes,
}

/// A stretch of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// The events, in order.
    pub entries: Vec<FeedEntry>,
    /// Where to continue; equals the cursor asked for when there was nothing new.
    pub next: Cursor,
}
