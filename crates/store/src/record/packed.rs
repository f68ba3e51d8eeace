//! A journal record on the disk: its entries packed, and what was heard packed apart.
//!
//! Apart, because it is evidence: it is kept, counted for itself, and read by nobody who follows what orders do.

use std::cell::RefCell;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    CONFIG, Record, RecordError,
    blob::Blob,
    journal::{Chain, Entry, JournalRecord},
    old, payload_of,
};

const KIND: &str = "journal";

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PackedRecord {
    /// Stays the first field: sealing writes it in place.
    chain: Chain,
    first: u64,
    /// The entries, their bodies left out.
    entries: Blob,
    /// The bodies, one for each arrival, in their order.
    bodies: Blob,
}

impl Record for PackedRecord {
    const KIND: &'static str = KIND;
    const VERSION: u16 = 2;

    fn read(version: u16, payload: &[u8]) -> Result<Self, RecordError> {
        if version == 1 {
            let old::JournalRecord { chain, first, entries } = payload_of(KIND, payload)?;
            let entries = entries.into_iter().map(Entry::from).collect();
            return Ok(Self { chain, ..Self::pack(first, entries)? });
        }
        payload_of(KIND, payload)
    }
}

impl PackedRecord {
    pub(super) fn pack(first: u64, mut entries: Vec<Entry>) -> Result<Self, RecordError> {
        let mut bodies = Vec::new();
        for entry in &mut entries {
            if let Entry::Arrival { body, .. } = entry {
                bodies.push(std::mem::take(body));
            }
        }
        Ok(Self {
            chain: Chain::default(),
            first,
            entries: packed(&entries)?,
            bodies: if bodies.is_empty() { Blob::pack(&[]) } else { packed(&bodies)? },
        })
    }

    pub(super) fn unpack(self) -> Result<JournalRecord, RecordError> {
        let mut entries: Vec<Entry> = payload_of(KIND, &self.entries.unpack(KIND)?)?;
        let bodies = self.bodies.unpack(KIND)?;
        let bodies: Vec<Bytes> =
            if bodies.is_empty() { Vec::new() } else { payload_of(KIND, &bodies)? };
        let missing = || RecordError::Malformed {
            kind: KIND,
            why: "it has not one body for each arrival".to_owned(),
        };
        let mut bodies = bodies.into_iter();
        for entry in &mut entries {
            if let Entry::Arrival { body, .. } = entry {
                *body = bodies.next().ok_or_else(missing)?;
            }
        }
        if bodies.next().is_some() {
            return Err(missing());
        }
        Ok(JournalRecord { chain: self.chain, first: self.first, entries })
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        const FRAME: usize = 64;
        FRAME + self.entries.len() + self.bodies.len()
    }

    /// Bytes of what was heard, as they are written.
    pub(super) fn evidence(&self) -> u64 {
        self.bodies.len() as u64
    }
}

fn packed(value: &impl Serialize) -> Result<Blob, RecordError> {
    thread_local! {
        /// Kept from one record to the next, which are of one size.
        static PLAIN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    PLAIN.with_borrow_mut(|plain| {
        plain.clear();
        bincode::serde::encode_into_std_write(value, plain, CONFIG)
            .map_err(|error| RecordError::Malformed { kind: KIND, why: error.to_string() })?;
        Ok(Blob::pack(plain))
    })
}
