//! A store as JSON lines, and lines as a store: loss-free between any two.
//!
//! What is written is what is kept of a beginning that is gone, if it is, and the journal, entry by entry, since everything else follows from it: events, views, labels, claims,
//! wake-ups, the inbox and what was decided about it. The last line holds a checksum over all others, so that a file that
//! was cut short or changed is told from a whole one.

mod kept;
mod line;
mod read;
mod write;

pub(crate) use read::Lines;
pub(crate) use write::write;

use std::io;

use crate::OpenError;

/// Called now and then with the entries done so far, and all there are.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// What was exported or imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transferred {
    /// Entries of the journal: commits and arrivals.
    pub entries: u64,
    /// Events in them.
    pub events: u64,
}

/// Why a store was not exported or imported. An import leaves nothing behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The store does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The lines cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A line is none of an export, or says what cannot be.
    #[error("line {line}: {why}")]
    BadLine {
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The store is damaged, or could not go on.
    #[error("{0}")]
    Store(String),
    /// Something is there already, where the store was to be imported.
    #[error("{0} is not empty; import into a folder that is, or does not exist")]
    NotEmpty(std::path::PathBuf),
}
