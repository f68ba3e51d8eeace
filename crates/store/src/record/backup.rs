//! The header of a backup: which life of the store it is of, and where it begins and ends.

use serde::{Deserialize, Serialize};

use crate::Incarnation;

use super::{BaseRow, Record, RecordError, journal::Chain, payload_of};

/// "The journal of this incarnation, and what is kept of its beginning, to the entry `seq`, whose record has this chain."
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BackupHeader {
    pub(crate) incarnation: Incarnation,
    /// The last entry; 0 of an empty store.
    pub(crate) seq: u64,
    pub(crate) chain: Chain,
    /// Where the journal begins.
    pub(crate) base: BaseRow,
}

impl Record for BackupHeader {
    const KIND: &'static str = "backup";
    const VERSION: u16 = 2;

    /// Every journal had its beginning when version 1 was written.
    fn read(version: u16, payload: &[u8]) -> Result<Self, RecordError> {
        if version == 1 {
            let (incarnation, seq, chain) = payload_of(Self::KIND, payload)?;
            return Ok(Self { incarnation, seq, chain, base: BaseRow::default() });
        }
        payload_of(Self::KIND, payload)
    }
}
