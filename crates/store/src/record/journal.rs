//! What the journal holds: packed entries, chained by checksums.
//!
//! The chain is over the previous checksum and every byte of the record but the checksum's own; so a record that was
//! changed, swapped or dropped breaks it at its place. It detects accidents and careless hands, not an attacker who
//! can write the file: it has no key.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Claim, EntityId, InboxDone, InboxSeq, Kind, Label, Micros, PartitionId, Version};

use super::{HEADER_BYTES, NewView, RecordError, encode_into, packed::PackedRecord};

/// A checksum of the chain: the first half of a SHA-256.
pub(crate) type Chain = [u8; CHAIN_BYTES];

/// 128 bits: far more than accidents need.
pub(super) const CHAIN_BYTES: usize = 16;

/// Consecutive entries, packed into one value. Their sequences are `first`, `first + 1`, ...
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JournalRecord {
    /// Over the previous record's chain and this record.
    pub(crate) chain: Chain,
    /// The sequence of the first entry.
    pub(crate) first: u64,
    /// The entries.
    pub(crate) entries: Vec<Entry>,
}

impl JournalRecord {
    /// The sequence of the last entry.
    pub(crate) fn last(&self) -> u64 {
        self.first + self.entries.len().saturating_sub(1) as u64
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Entry {
    /// A commit: a change, work done on the inbox, or both.
    Commit {
        /// What changed.
        change: Option<ChangeEntry>,
        /// What was worked off or parked.
        inbox: Vec<InboxEntry>,
    },
    /// Something was heard; its sequence is its inbox number.
    Arrival {
        /// Which account it was heard for.
        account: String,
        /// When.
        received_at: Micros,
        /// As it came.
        body: Bytes,
    },
}

/// The change of one entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChangeEntry {
    pub(crate) id: EntityId,
    pub(crate) kind: Kind,
    pub(crate) partition: PartitionId,
    /// The version before it.
    pub(crate) before: Version,
    pub(crate) events: Vec<Bytes>,
    pub(crate) view: Option<NewView>,
    pub(crate) labels: Vec<Label>,
    pub(crate) wake_up: Option<Micros>,
    pub(crate) claims: Vec<Claim>,
}

/// What a commit did with an inbox item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum InboxEntry {
    /// Worked off.
    Finished {
        /// Which item.
        seq: InboxSeq,
        /// How it ended.
        disposition: String,
    },
    /// Kept, with a reason.
    Parked {
        /// Which item.
        seq: InboxSeq,
        /// Why.
        reason: String,
    },
}

impl From<InboxDone> for InboxEntry {
    fn from(done: InboxDone) -> Self {
        match done {
            InboxDone::Finished { seq, disposition } => Self::Finished { seq, disposition },
            InboxDone::Parked { seq, reason } => Self::Parked { seq, reason },
        }
    }
}

impl Entry {
    /// Roughly how many bytes it takes, for packing; never less than its opaque parts.
    pub(crate) fn weight(&self) -> usize {
        /// Ids, numbers and lengths of one entry.
        const FRAME: usize = 48;
        match self {
            Self::Commit { change, inbox } => {
                let change = change.as_ref().map_or(0, ChangeEntry::weight);
                let inbox: usize = inbox
                    .iter()
                    .map(|item| match item {
                        InboxEntry::Finished { disposition, .. } => disposition.len() + 12,
                        InboxEntry::Parked { reason, .. } => reason.len() + 12,
                    })
                    .sum();
                FRAME + change + inbox
            }
            Self::Arrival { account, body, .. } => FRAME + account.len() + body.len(),
        }
    }
}

impl ChangeEntry {
    fn weight(&self) -> usize {
        self.events.iter().map(|event| event.len() + 4).sum::<usize>()
            + self.view.as_ref().map_or(0, NewView::len)
            + self.labels.iter().map(|label| label.0.len() + 1).sum::<usize>()
            + self.claims.iter().map(|claim| claim.0.len() + 2).sum::<usize>()
    }
}

/// A record as it is written.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) chain: Chain,
    /// How many of the bytes are what was heard, word for word.
    pub(crate) evidence: u64,
}

/// Encodes entries, the first with the sequence `first`, with the chain that follows from `previous`.
pub(crate) fn seal(
    previous: Chain,
    first: u64,
    entries: Vec<Entry>,
) -> Result<Sealed, RecordError> {
    let packed = PackedRecord::pack(first, entries)?;
    let evidence = packed.evidence();
    let mut bytes = encode_into(&packed, Vec::with_capacity(packed.weight()))?;
    let chain = chain_of(previous, &bytes);
    bytes[HEADER_BYTES..HEADER_BYTES + CHAIN_BYTES].copy_from_slice(&chain);
    Ok(Sealed { bytes, chain, evidence })
}

/// Decodes a record of any version.
pub(crate) fn open(bytes: &[u8]) -> Result<JournalRecord, RecordError> {
    super::decode::<PackedRecord>(bytes)?.unpack()
}

/// The chain that an encoded record must carry after `previous`.
pub(crate) fn chain_of(previous: Chain, bytes: &[u8]) -> Chain {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(bytes.get(..HEADER_BYTES).unwrap_or(bytes));
    hash.update(bytes.get(HEADER_BYTES + CHAIN_BYTES..).unwrap_or(&[]));
    let digest = hash.finalize();
    let mut chain = [0; CHAIN_BYTES];
    for (to, from) in chain.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    chain
}
