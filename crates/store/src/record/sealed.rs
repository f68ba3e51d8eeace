//! What is kept of entities that are at rest: many of them packed together, found by a sorted index.
//!
//! A block, an index row and a filter each carry a checksum over all their other bytes, as a journal record does: they
//! are written once, and what is changed in them is damage.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    CONFIG, HEADER_BYTES, Record, RecordError, blob::Blob, chain_of, decode, encode, payload_of,
};
use super::{Chain, HistorySpan, ViewRow};
use crate::{EntityId, Micros};

const CHAIN_BYTES: usize = size_of::<Chain>();

/// Everything that the rows would say of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealedEntity {
    pub(crate) id: EntityId,
    /// Its state, the claims that point to it among it.
    pub(crate) row: ViewRow,
    /// Where its events are in the journal.
    pub(crate) spans: Vec<HistorySpan>,
}

/// Sealed entities, packed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlockRecord {
    sum: Chain,
    entities: Blob,
}

impl Record for BlockRecord {
    const KIND: &'static str = "sealed block";
    const VERSION: u16 = 1;
}

impl BlockRecord {
    /// The bytes of a block.
    pub(crate) fn seal(entities: &[SealedEntity]) -> Result<Vec<u8>, RecordError> {
        let plain = bincode::serde::encode_to_vec(entities, CONFIG)
            .map_err(|error| RecordError::Malformed { kind: Self::KIND, why: error.to_string() })?;
        sealed(&Self { sum: Chain::default(), entities: Blob::pack(&plain) })
    }

    /// The entities of a block.
    pub(crate) fn open(bytes: &[u8]) -> Result<Vec<SealedEntity>, RecordError> {
        let block = opened::<Self>(bytes, |block| block.sum)?;
        payload_of(Self::KIND, &block.entities.unpack(Self::KIND)?)
    }
}

/// One key of the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexEntry {
    /// So many bytes are those of the key before it in the row.
    pub(crate) shared: u8,
    /// The rest of the key.
    pub(crate) rest: Bytes,
    /// The block in which the entity is.
    pub(crate) block: u64,
}

/// A stretch of the sorted keys of a table of the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexRow {
    sum: Chain,
    pub(crate) entries: Vec<IndexEntry>,
}

impl Record for IndexRow {
    const KIND: &'static str = "sealed index";
    const VERSION: u16 = 1;
}

impl IndexRow {
    pub(crate) fn seal(entries: Vec<IndexEntry>) -> Result<Vec<u8>, RecordError> {
        sealed(&Self { sum: Chain::default(), entries })
    }

    pub(crate) fn open(bytes: &[u8]) -> Result<Vec<IndexEntry>, RecordError> {
        opened::<Self>(bytes, |row| row.sum).map(|row| row.entries)
    }
}

/// Which keys a table may have, for who looks for one that it has not. Not a [`Record`]: it may be larger than one.
#[derive(Debug)]
pub(crate) struct FilterRecord;

impl FilterRecord {
    const KIND: &'static str = "sealed filter";
    const VERSION: u16 = 1;

    pub(crate) fn seal(bits: &[u64]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + CHAIN_BYTES + bits.len() * 8);
        bytes.push(super::CODEC_BINCODE_2);
        bytes.extend_from_slice(&Self::VERSION.to_le_bytes());
        bytes.extend_from_slice(&Chain::default());
        for word in bits {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        let sum = chain_of(Chain::default(), &bytes);
        bytes[HEADER_BYTES..HEADER_BYTES + CHAIN_BYTES].copy_from_slice(&sum);
        bytes
    }

    pub(crate) fn open(bytes: &[u8]) -> Result<Vec<u64>, RecordError> {
        let malformed = || RecordError::Malformed {
            kind: Self::KIND,
            why: "it does not match its checksum".to_owned(),
        };
        let head = bytes.get(..HEADER_BYTES).ok_or_else(malformed)?;
        let version = u16::from_le_bytes([head[1], head[2]]);
        if version > Self::VERSION {
            return Err(RecordError::Newer {
                kind: Self::KIND,
                found: version,
                newest: Self::VERSION,
            });
        }
        let sum = bytes.get(HEADER_BYTES..HEADER_BYTES + CHAIN_BYTES).ok_or_else(malformed)?;
        let (words, rest) = bytes[HEADER_BYTES + CHAIN_BYTES..].as_chunks::<8>();
        if !rest.is_empty() || chain_of(Chain::default(), bytes) != sum {
            return Err(malformed());
        }
        Ok(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
    }
}

/// The wake-up of a sealed entity that was moved, and nothing else of it; or that it is none any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MovedRow {
    /// The entry that moved it last.
    pub(crate) seq: u64,
    pub(crate) wake_up: Option<Micros>,
    /// It has left; its block stays for others.
    pub(crate) left: bool,
}

impl Record for MovedRow {
    const KIND: &'static str = "moved";
    const VERSION: u16 = 2;

    /// Nobody left when version 1 was written.
    fn read(version: u16, payload: &[u8]) -> Result<Self, RecordError> {
        if version == 1 {
            let (seq, wake_up) = payload_of(Self::KIND, payload)?;
            return Ok(Self { seq, wake_up, left: false });
        }
        payload_of(Self::KIND, payload)
    }
}

/// A table of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableEntry {
    pub(crate) level: u8,
    pub(crate) number: u32,
    /// How many blocks were gone when it was begun: keys of those are not in it.
    pub(crate) gone: u64,
    /// It leads to no block before this one ...
    pub(crate) first: u64,
    /// ... and to none after this one.
    pub(crate) last: u64,
}

/// Which tables of the index there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TablesRow {
    pub(crate) tables: Vec<TableEntry>,
    /// How many blocks there ever were: the next one gets this number.
    pub(crate) blocks: u64,
    /// Those that are gone: the first of a stretch, and the first after it; in their order.
    pub(crate) gone: Vec<(u64, u64)>,
}

impl Record for TablesRow {
    const KIND: &'static str = "sealed tables";
    const VERSION: u16 = 2;

    /// No block went when version 1 was written.
    fn read(version: u16, payload: &[u8]) -> Result<Self, RecordError> {
        if version == 1 {
            let (tables, blocks): (Vec<(u8, u32)>, u64) = payload_of(Self::KIND, payload)?;
            let all =
                |(level, number)| TableEntry { level, number, gone: 0, first: 0, last: u64::MAX };
            let tables = tables.into_iter().map(all).collect();
            return Ok(Self { tables, blocks, gone: Vec::new() });
        }
        payload_of(Self::KIND, payload)
    }
}

/// Encodes a record whose first field is its checksum.
pub(super) fn sealed<R: Record>(record: &R) -> Result<Vec<u8>, RecordError> {
    let mut bytes = encode(record)?;
    let sum = chain_of(Chain::default(), &bytes);
    bytes[HEADER_BYTES..HEADER_BYTES + CHAIN_BYTES].copy_from_slice(&sum);
    Ok(bytes)
}

pub(super) fn opened<R: Record>(bytes: &[u8], sum: impl Fn(&R) -> Chain) -> Result<R, RecordError> {
    let record: R = decode(bytes)?;
    if sum(&record) == chain_of(Chain::default(), bytes) {
        Ok(record)
    } else {
        Err(RecordError::Malformed {
            kind: R::KIND,
            why: "it does not match its checksum".to_owned(),
        })
    }
}
