//! The journal over the key-value seam: what every embedded backend does, written once.
//!
//! The journal map (sequence -> packed entries) is the truth, and the only thing that a commit has to write. Everything
//! that is looked up otherwise (views, claims, labels, wake-ups, history, inbox) is a row behind it, see [`behind`];
//! until its row is written an entity is in the [`overlay`]. Two heads: *appended* is what the writer has checked steps
//! against, *durable* is where every reader stops.
//!
//! Nothing here knows threads, clocks or files: [`Journal`] is driven by one writer at a time, [`Shared`] is read by
//! anybody.

pub(crate) mod accept;
mod append;
pub(crate) mod base;
mod behind;
mod check;
mod feed;
mod history;
pub(crate) mod keys;
mod lists;
mod overlay;
pub(crate) mod pack;
mod recover;
mod retain;
mod sealed;
mod shared;
mod stage;
mod stats;
mod tuning;

pub(crate) use append::Journal;
pub use check::CheckReport;
pub(crate) use pack::{Found, records};
#[cfg(feature = "embedded")]
pub(crate) use recover::{Guard, RecoverError};
pub(crate) use recover::{OpenOptions, begin_life};
pub(crate) use shared::Shared;
pub(crate) use stage::Step;
pub use stats::Stats;
pub use tuning::Tuning;

use crate::record::MarkRecord;

/// The store stopped itself, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Halt(pub(crate) String);

/// Keeps the high-water mark outside the engine.
pub(crate) trait Mark: Send + std::fmt::Debug {
    /// Notes how far the journal is durable. Cheap; survives the process, but not yet a power cut.
    fn note(&mut self, mark: MarkRecord) -> std::io::Result<()>;

    /// Makes the last note survive a power cut.
    fn settle(&mut self) -> std::io::Result<()>;
}

/// How much room the disk has.
pub(crate) trait Room: Send + std::fmt::Debug {
    /// Free bytes.
    fn available(&mut self) -> std::io::Result<u64>;
}

/// When commits are refused for want of room, before the engine meets a full disk.
#[derive(Debug)]
pub(crate) struct RoomPolicy {
    pub(crate) room: Box<dyn Room>,
    /// Below it new entities are refused.
    pub(crate) new_entities: u64,
    /// Below it everything is refused.
    pub(crate) everything: u64,
}
