//! The header of a backup: which life of the store it is of, and where it ends.

use serde::{Deserialize, Serialize};

use crate::Incarnation;

use super::{Record, journal::Chain};

/// "The journal of this incarnation from its beginning to the entry `seq`, whose record has this chain."
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BackupHeader {
    pub(crate) incarnation: Incarnation,
    /// The last entry; 0 of an empty store.
    pub(crate) seq: u64,
    pub(crate) chain: Chain,
}

impl Record for BackupHeader {
    const KIND: &'static str = "backup";
    const VERSION: u16 = 1;
}
