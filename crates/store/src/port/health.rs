//! How the store is, and why a read can fail.

use super::Cursor;

/// How the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// All is well.
    Running,
    /// No room on the disk: new entities are refused, the rest goes on as far as it can; recovers by itself.
    Full(String),
    /// The store stopped itself, with the reason; only opening it again helps.
    Halted(String),
    /// Closed by its owner.
    Closed,
}

/// Why a read has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A record is damaged or of an unknown version.
    #[error("damaged: {0}")]
    Damaged(String),
    /// The cursor is of another incarnation or its segment is gone; start again from `oldest`.
    #[error(
        "the cursor is from another life of this store or too old; the oldest one now is {oldest}"
    )]
    CursorGone {
        /// Where the feed starts now.
        oldest: Cursor,
    },
    /// The store stopped itself.
    #[error("the store has halted: {0}")]
    Halted(String),
    /// The store was closed by its owner.
    #[error("the store is closed")]
    Closed,
}
