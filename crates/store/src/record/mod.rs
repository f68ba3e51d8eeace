//! The store's own records: `[codec u8][schema version u16 LE][payload]`.
//!
//! Events and views of callers are opaque bytes inside them. Every version that was ever written stays readable; one
//! that is newer than this program is refused and never guessed at. This module does no I/O.

mod backup;
mod blob;
mod journal;
mod kept;
mod mark;
mod new_view;
mod old;
mod packed;
mod part;
mod rows;
mod sealed;

pub(crate) use backup::BackupHeader;
pub(crate) use journal::{
    Chain, ChangeEntry, Entry, InboxEntry, JournalRecord, Sealed, chain_of, open, seal,
};
pub(crate) use kept::{BaseRow, KeptEvents, KeptItem, KeptView, LeftRow, TimesRow};
pub(crate) use mark::MarkRecord;
pub(crate) use new_view::NewView;
pub(crate) use part::{Part, PartRecord};
pub(crate) use rows::{
    ClaimRow, CountRow, HistoryRow, HistorySpan, InboxRow, MetaRow, ViewRow, WatermarkRow,
};
pub(crate) use sealed::{
    BlockRecord, FilterRecord, IndexEntry, IndexRow, MovedRow, SealedEntity, TableEntry, TablesRow,
};

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use serde::{Serialize, de::DeserializeOwned};

/// Payloads written by bincode 2 with its standard configuration.
const CODEC_BINCODE_2: u8 = 1;

/// Codec and schema version.
pub(crate) const HEADER_BYTES: usize = 3;

/// A damaged length must not ask for memory: no record of ours is larger than this (an entry is at most
/// [`crate::limits::ENTRY_BYTES`], plus its frame).
const DECODE_LIMIT: usize = 1024 * 1024;

const CONFIG: Configuration<LittleEndian, Varint, Limit<DECODE_LIMIT>> =
    bincode::config::standard().with_limit::<DECODE_LIMIT>();

/// Why stored bytes are no record of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Fewer bytes than a header.
    #[error("{kind} record: only {found} bytes, the header alone has 3")]
    Short {
        /// Which kind of record was expected.
        kind: &'static str,
        /// How many bytes there are.
        found: usize,
    },
    /// Written by an encoder that this program does not know.
    #[error(
        "{kind} record: codec {found} is unknown here; a newer program wrote it, or it is damaged"
    )]
    Codec {
        /// Which kind of record was expected.
        kind: &'static str,
        /// The codec byte.
        found: u8,
    },
    /// Written by a newer program.
    #[error(
        "{kind} record: schema version {found}, this program reads 1 to {newest}; use the newer program"
    )]
    Newer {
        /// Which kind of record was expected.
        kind: &'static str,
        /// The version of the record.
        found: u16,
        /// The newest version that is known here.
        newest: u16,
    },
    /// The payload does not decode.
    #[error("{kind} record: {why}")]
    Malformed {
        /// Which kind of record was expected.
        kind: &'static str,
        /// What the decoder said.
        why: String,
    },
}

impl From<RecordError> for crate::kv::KvError {
    fn from(error: RecordError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// A kind of record with its history of schema versions.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// What messages call it.
    const KIND: &'static str;
    /// The version that is written, and the newest that is read.
    const VERSION: u16;

    /// Reads the payload of `version`, which is between 1 and [`Record::VERSION`]. A record that gets a second version
    /// overrides this and keeps the shape of the first one for ever.
    fn read(_version: u16, payload: &[u8]) -> Result<Self, RecordError> {
        payload_of(Self::KIND, payload)
    }
}

/// Decodes a whole payload; bytes left over are damage.
pub(crate) fn payload_of<T: DeserializeOwned>(
    kind: &'static str,
    payload: &[u8],
) -> Result<T, RecordError> {
    let malformed = |why: String| RecordError::Malformed { kind, why };
    let (value, used) = bincode::serde::decode_from_slice(payload, CONFIG)
        .map_err(|error| malformed(error.to_string()))?;
    if used == payload.len() {
        Ok(value)
    } else {
        Err(malformed(format!("{} bytes follow its end", payload.len() - used)))
    }
}

/// Encodes a record with its header.
pub(crate) fn encode<R: Record>(record: &R) -> Result<Vec<u8>, RecordError> {
    encode_into(record, Vec::with_capacity(256))
}

fn encode_into<R: Record>(record: &R, mut bytes: Vec<u8>) -> Result<Vec<u8>, RecordError> {
    bytes.push(CODEC_BINCODE_2);
    bytes.extend_from_slice(&R::VERSION.to_le_bytes());
    bincode::serde::encode_into_std_write(record, &mut bytes, CONFIG)
        .map_err(|error| RecordError::Malformed { kind: R::KIND, why: error.to_string() })?;
    Ok(bytes)
}

/// Decodes a record of any version that was ever written.
pub(crate) fn decode<R: Record>(bytes: &[u8]) -> Result<R, RecordError> {
    let [codec, low, high, payload @ ..] = bytes else {
        return Err(RecordError::Short { kind: R::KIND, found: bytes.len() });
    };
    if *codec != CODEC_BINCODE_2 {
        return Err(RecordError::Codec { kind: R::KIND, found: *codec });
    }
    let version = u16::from_le_bytes([*low, *high]);
    if version == 0 {
        return Err(RecordError::Malformed {
            kind: R::KIND,
            why: "schema version 0 was never written".to_owned(),
        });
    }
    if version > R::VERSION {
        return Err(RecordError::Newer { kind: R::KIND, found: version, newest: R::VERSION });
    }
    R::read(version, payload)
}

#[cfg(test)]
mod tests;
