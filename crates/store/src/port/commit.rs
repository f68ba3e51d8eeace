//! How entities change: one step at a time, guarded by the version that it was computed from.

use bytes::Bytes;

use super::{
    Claim, EntityId, InboxDone, InboxSeq, Kind, Label, Micros, PartitionId, Position, Version,
};

/// One step: a change of at most one entity, and the inbox items that it works off, all in one atom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The partition of the entity.
    pub partition: PartitionId,
    /// What changes; `None` when only inbox items are worked off.
    pub change: Option<Change>,
    /// What is worked off (or noted as parked) by this step.
    pub inbox: Vec<InboxDone>,
}

/// The change of one entity.
///
/// With events, `view` must be given. Without events it is a *touch*: only labels and wake-up are replaced, the
/// version stays, and no event appears in history or feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which entity.
    pub id: EntityId,
    /// Its lifecycle; fixed by its first commit.
    pub kind: Kind,
    /// The version this change was computed from; 0 creates the entity.
    pub expected: Version,
    /// New events; they get the numbers `expected + 1 ..`.
    pub events: Vec<Bytes>,
    /// The state after them; `None` leaves it.
    pub view: Option<Bytes>,
    /// All labels after the change.
    pub labels: Vec<Label>,
    /// The wake-up after the change; `None`: none.
    pub wake_up: Option<Micros>,
    /// New claims. One that the entity already holds is no conflict.
    pub claims: Vec<Claim>,
}

/// The receipt of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The entity's version after it (0 for a commit without a change).
    pub version: Version,
    /// Where it stands; at or below the durable head.
    pub position: Position,
}

/// Why a commit did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// Somebody was faster: load the entity and compute the step again.
    #[error("entity {id:?} is at version {found}, the change expected {expected}")]
    Conflict {
        /// Which entity.
        id: EntityId,
        /// What the change was computed from.
        expected: Version,
        /// What the store has.
        found: Version,
    },
    /// A claim already points to another entity.
    #[error("{claim:?} already belongs to {holder:?}")]
    Claimed {
        /// The claim.
        claim: Claim,
        /// Who holds it.
        holder: EntityId,
    },
    /// What the change creates, or claims, belongs to an entity that has left after its retention: it was there and is
    /// over, and is not begun a second time.
    #[error("{} belongs to an entity that is over and has left", left(.claim.as_ref()))]
    Left {
        /// The claim; `None`: the entity's own id.
        claim: Option<Claim>,
    },
    /// An inbox item named by the commit is already worked off (or never was).
    #[error("inbox item {0:?} is not waiting any more")]
    InboxGone(InboxSeq),
    /// The change is malformed or over a limit; nothing was written.
    #[error("the change cannot be stored: {0}")]
    Invalid(String),
    /// Over a size limit; nothing was written.
    #[error("too large: {0}")]
    TooLarge(String),
    /// No room on the disk; nothing was written, and it may be tried again when there is room.
    #[error("the disk is full: {0}")]
    Full(String),
    /// The store stopped itself. What was in flight is whole or absent; open the store again to know which.
    #[error("the store has halted: {0}")]
    Halted(String),
    /// The store was closed by its owner.
    #[error("the store is closed")]
    Closed,
}

fn left(claim: Option<&Claim>) -> String {
    claim.map_or_else(|| "its id".to_owned(), |claim| format!("{claim:?}"))
}
