//! Figures about a store, for people and metrics.

use crate::{Position, ReadError};

use super::Shared;

/// How a store is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// The last durable entry of the journal.
    pub durable: Position,
    /// Up to where the rows behind the journal are complete.
    pub watermark: Position,
    /// Rows that wait to be written.
    pub waiting_rows: u64,
    /// About how much memory they take, in bytes.
    pub waiting_bytes: u64,
    /// Inbox items that are not worked off.
    pub inbox: u64,
    /// Bytes on the disk, as the engine counts them.
    pub size: u64,
    /// Bytes that the bodies of inbox items have added to the journal since the store was opened.
    pub evidence: u64,
}

impl Shared {
    pub(crate) fn stats(&self) -> Result<Stats, ReadError> {
        self.stopped()?;
        let size = self.kv.size().map_err(|error| self.read_error(error))?;
        let overlay = self.overlay();
        Ok(Stats {
            durable: Position(overlay.durable),
            watermark: Position(overlay.watermark),
            waiting_rows: overlay.dirty.len() as u64,
            waiting_bytes: overlay.bytes as u64,
            inbox: overlay.inbox_len,
            size,
            evidence: self.evidence(),
        })
    }
}
