//! The base in pieces, as a copy holds them: each chained to the one before by its checksum.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    CONFIG, Chain, HEADER_BYTES, InboxRow, Record, RecordError, ViewRow, blob::Blob, chain_of,
    decode, encode, payload_of,
};
use crate::{EntityId, Micros, Version};

/// A piece of the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Part {
    /// An entity that is kept.
    Entity { id: EntityId, row: ViewRow },
    /// Consecutive events of one.
    Events { id: EntityId, first: Version, events: Vec<Bytes> },
    /// An inbox item that waited.
    Item { seq: u64, row: InboxRow },
    /// A key of an entity that has left.
    Left { hash: Bytes, at: Micros },
    /// There are no more; so many there were.
    End { parts: u64 },
}

/// A piece as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartRecord {
    sum: Chain,
    part: Blob,
}

impl Record for PartRecord {
    const KIND: &'static str = "base part";
    const VERSION: u16 = 1;
}

impl PartRecord {
    /// The bytes of a piece, and the chain after it.
    pub(crate) fn seal(previous: Chain, part: &Part) -> Result<(Vec<u8>, Chain), RecordError> {
        let plain = bincode::serde::encode_to_vec(part, CONFIG)
            .map_err(|error| RecordError::Malformed { kind: Self::KIND, why: error.to_string() })?;
        let mut bytes = encode(&Self { sum: Chain::default(), part: Blob::pack(&plain) })?;
        let chain = chain_of(previous, &bytes);
        bytes[HEADER_BYTES..HEADER_BYTES + chain.len()].copy_from_slice(&chain);
        Ok((bytes, chain))
    }

    /// The piece, if it follows `previous`, and the chain after it.
    pub(crate) fn open(previous: Chain, bytes: &[u8]) -> Result<(Part, Chain), RecordError> {
        let record: Self = decode(bytes)?;
        if record.sum != chain_of(previous, bytes) {
            return Err(RecordError::Malformed {
                kind: Self::KIND,
                why: "it does not match its checksum".to_owned(),
            });
        }
        let part = payload_of(Self::KIND, &record.part.unpack(Self::KIND)?)?;
        Ok((part, record.sum))
    }
}
