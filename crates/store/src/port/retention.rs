//! How long a store keeps what is over.

use super::{Cursor, EntityId, Kind, Label, Micros, Position};

/// What may go, and when. Without it a store keeps everything for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// How long entries of the journal, and entities that are over, stay; in microseconds.
    pub keep: Micros,
    /// How long the claims and ids of entities that have left are still known, in microseconds; `None`: for ever.
    pub tombstones: Option<Micros>,
    /// Which entities are over: those whose only label is one of these (`None`: that have no label), and that want no
    /// wake-up.
    pub over: Vec<(Kind, Option<Label>)>,
}

/// What one step of retention may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retain {
    /// The present time. The store has no clock of its own; a time before that of an earlier call counts as that one.
    pub now: Micros,
    /// What may go.
    pub retention: Retention,
    /// Up to where everybody who must not miss an event has read the feed; `None`: nobody must not.
    pub read: Option<Cursor>,
    /// Entities whose history somebody still needs: nothing of them goes, and nothing after it.
    pub needed: Vec<EntityId>,
}

/// What one step of retention has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retained {
    /// The last entry of the journal that is gone; 0: none is.
    pub base: Position,
    /// How many entities left in this step.
    pub left: u64,
    /// Whether there is more to do now.
    pub more: bool,
}
