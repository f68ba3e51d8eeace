//! Which life of a store this is.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One life of a store: from its making, or from a restore, to the next restore.
///
/// Whoever knows the store from outside (a follower of its feed, the engine that acts on what it says) must know when
/// it is not the store that it was: a copy that was put back has forgotten what happened after it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Incarnation {
    /// Its name, part of every cursor.
    pub id: Uuid,
    /// The life that this one is an older copy of: it was restored, imported, or opened although something was missing.
    /// What happened in that life after the copy was made is not known here. `None`: nothing is missing.
    pub restored_from: Option<Uuid>,
}
