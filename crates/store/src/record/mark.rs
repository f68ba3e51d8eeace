//! The high-water mark: how far the journal had come, kept outside the engine that keeps the journal.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Record, journal::Chain};

/// "The journal of this incarnation reached at least `seq`, and the record that ends there has this chain."
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MarkRecord {
    /// Grows with every write of the mark; the newer of two slots is the one that counts.
    pub(crate) generation: u64,
    pub(crate) incarnation: Uuid,
    /// The last entry of a record; 0 before the first.
    pub(crate) seq: u64,
    pub(crate) chain: Chain,
}

impl Record for MarkRecord {
    const KIND: &'static str = "mark";
    const VERSION: u16 = 1;
}
