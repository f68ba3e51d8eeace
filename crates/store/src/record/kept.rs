//! What stays of the journal's beginning once it is gone: the base.
//!
//! The base is the state after its last entry, with the whole history of every entity in it: with the entries that
//! follow it makes the rows, as the whole journal did. Each of its rows carries a checksum, as records of the journal do.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    CONFIG, Chain, InboxRow, Record, RecordError, ViewRow,
    blob::Blob,
    payload_of,
    sealed::{opened, sealed},
};
use crate::Micros;

/// Where the journal begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BaseRow {
    /// The last entry that is gone; 0: none is.
    pub(crate) seq: u64,
    /// The chain of its record.
    pub(crate) chain: Chain,
    /// The last entry with events that is gone, and how many it had: a follower that has seen it has missed nothing.
    pub(crate) fed: u64,
    pub(crate) fed_events: u32,
    /// Entities that are kept.
    pub(crate) entities: u64,
    /// Inbox items that are kept.
    pub(crate) items: u64,
    /// Keys of entities that have left and are still known.
    pub(crate) left: u64,
}

impl Record for BaseRow {
    const KIND: &'static str = "base";
    const VERSION: u16 = 1;
}

/// An entity's state at the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptView {
    sum: Chain,
    row: ViewRow,
}

impl Record for KeptView {
    const KIND: &'static str = "kept view";
    const VERSION: u16 = 1;
}

impl KeptView {
    pub(crate) fn seal(row: ViewRow) -> Result<Vec<u8>, RecordError> {
        sealed(&Self { sum: Chain::default(), row })
    }

    pub(crate) fn open(bytes: &[u8]) -> Result<ViewRow, RecordError> {
        opened::<Self>(bytes, |kept| kept.sum).map(|kept| kept.row)
    }
}

/// Consecutive events of one entity. The row's key names the version of the first one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptEvents {
    sum: Chain,
    events: Blob,
}

impl Record for KeptEvents {
    const KIND: &'static str = "kept events";
    const VERSION: u16 = 1;
}

impl KeptEvents {
    pub(crate) fn seal(events: &[Bytes]) -> Result<Vec<u8>, RecordError> {
        let plain = bincode::serde::encode_to_vec(events, CONFIG)
            .map_err(|error| RecordError::Malformed { kind: Self::KIND, why: error.to_string() })?;
        sealed(&Self { sum: Chain::default(), events: Blob::pack(&plain) })
    }

    pub(crate) fn open(bytes: &[u8]) -> Result<Vec<Bytes>, RecordError> {
        let kept = opened::<Self>(bytes, |kept| kept.sum)?;
        payload_of(Self::KIND, &kept.events.unpack(Self::KIND)?)
    }
}

/// An inbox item that waited at the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptItem {
    sum: Chain,
    row: InboxRow,
}

impl Record for KeptItem {
    const KIND: &'static str = "kept item";
    const VERSION: u16 = 1;
}

impl KeptItem {
    pub(crate) fn seal(row: InboxRow) -> Result<Vec<u8>, RecordError> {
        sealed(&Self { sum: Chain::default(), row })
    }

    pub(crate) fn open(bytes: &[u8]) -> Result<InboxRow, RecordError> {
        opened::<Self>(bytes, |kept| kept.sum).map(|kept| kept.row)
    }
}

/// A key of an entity that has left. Which one, is in the row's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeftRow {
    /// When it left.
    pub(crate) at: Micros,
}

impl Record for LeftRow {
    const KIND: &'static str = "left";
    const VERSION: u16 = 1;
}

/// How old the entries of the journal are: they carry no time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TimesRow {
    /// When the journal had ended where; both only grow.
    pub(crate) marks: Vec<(Micros, u64)>,
}

impl Record for TimesRow {
    const KIND: &'static str = "times";
    const VERSION: u16 = 1;
}
