//! Orders and their events as bytes: `[codec][schema version][bincode]`.
//!
//! Old versions are read for ever, unknown newer ones are refused. The bytes of version 1 are pinned by tests.

use std::borrow::Cow;

use bytes::Bytes;
use orderkeep_core::{Event, EventRecord, Order, Terms};
use serde::{Serialize, de::DeserializeOwned};

/// bincode 2, its standard configuration.
const CODEC: u8 = 1;
/// A damaged length must not ask for more memory than any record has.
const DECODE_LIMIT: usize = 4 * 1024 * 1024;

/// A record that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Written by a later version.
    #[error(
        "a {what} of codec {codec}, schema {schema}; this version reads codec {CODEC}, schema {reads} and older: run the version that wrote it, or a later one"
    )]
    Newer {
        /// What kind of record.
        what: &'static str,
        /// Its codec.
        codec: u8,
        /// Its schema.
        schema: u16,
        /// The newest schema of its kind that is read.
        reads: u16,
    },
    /// Not what was written.
    #[error("a damaged {what}: {why}")]
    Damaged {
        /// What kind of record.
        what: &'static str,
        /// Why.
        why: String,
    },
}

/// A record type and the word for it.
pub trait Record: Serialize + DeserializeOwned {
    /// The word for it.
    const WHAT: &'static str;
    /// Its schema as it is written now.
    const SCHEMA: u16;

    /// What an older schema lacks at its end, as empty as it was then: fields are only ever added there.
    fn added_since(schema: u16) -> &'static [u8] {
        let _ = schema;
        &[]
    }

    /// Whether this record is of a kind that has what was added.
    fn has_what_was_added(&self) -> bool {
        true
    }
}

impl Record for Order {
    const WHAT: &'static str = "order";
    /// 2: claims that were written down, fresh locks. 3: metadata.
    const SCHEMA: u16 = 3;

    fn added_since(schema: u16) -> &'static [u8] {
        match schema {
            // No claims, no fresh lock allowed, no earlier locks; no metadata.
            ..2 => &[0, 0, 0, 0],
            2 => &[0],
            3.. => &[],
        }
    }
}

impl Record for EventRecord {
    const WHAT: &'static str = "event";
    /// Kinds of events are only ever added at the end, which changes no bytes of the others. 2: metadata, in the event
    /// that an order begins with.
    const SCHEMA: u16 = 2;

    fn added_since(schema: u16) -> &'static [u8] {
        if schema < 2 { &[0] } else { &[] }
    }

    fn has_what_was_added(&self) -> bool {
        matches!(self.event, Event::Submitted { .. })
    }
}

impl Record for Terms {
    const WHAT: &'static str = "lock";
    const SCHEMA: u16 = 1;
}

/// The bytes of a record.
///
/// # Errors
/// Only what no record of ours does: a type that bincode cannot write.
pub fn encode<T: Record>(record: &T) -> Result<Bytes, CodecError> {
    let mut bytes = Vec::with_capacity(256);
    bytes.push(CODEC);
    bytes.extend_from_slice(&T::SCHEMA.to_le_bytes());
    bincode::serde::encode_into_std_write(record, &mut bytes, bincode::config::standard())
        .map_err(|error| CodecError::Damaged { what: T::WHAT, why: error.to_string() })?;
    Ok(bytes.into())
}

/// The record of some bytes.
///
/// # Errors
/// Newer, or damaged.
pub fn decode<T: Record>(bytes: &[u8]) -> Result<T, CodecError> {
    let damaged = |why: String| CodecError::Damaged { what: T::WHAT, why };
    let [codec, low, high, payload @ ..] = bytes else {
        return Err(damaged(format!("{} bytes, too short for its head", bytes.len())));
    };
    let schema = u16::from_le_bytes([*low, *high]);
    if schema == 0 {
        return Err(damaged("schema 0 was never written".to_owned()));
    }
    if *codec != CODEC || schema > T::SCHEMA {
        let reads = T::SCHEMA;
        return Err(CodecError::Newer { what: T::WHAT, codec: *codec, schema, reads });
    }
    let added = T::added_since(schema);
    let payload: Cow<'_, [u8]> =
        if added.is_empty() { payload.into() } else { [payload, added].concat().into() };
    let config = bincode::config::standard().with_limit::<DECODE_LIMIT>();
    let (record, read): (T, _) = bincode::serde::decode_from_slice(&payload, config)
        .map_err(|error| damaged(error.to_string()))?;
    let left = if record.has_what_was_added() { 0 } else { added.len() };
    if read + left != payload.len() {
        return Err(damaged(format!("{read} bytes of {} are it", payload.len() - left)));
    }
    Ok(record)
}
