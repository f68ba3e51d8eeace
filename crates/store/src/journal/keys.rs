//! The keys of the maps. Fixed for ever: they are what is on the disk.

use std::ops::Bound;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    Claim, EntityId, Kind, Label, Micros, PartitionId, Version,
    kv::{KvError, Space, Span},
};

/// A UUID.
pub(crate) const ID_BYTES: usize = 16;

/// Half a SHA-256.
pub(crate) const HASH_BYTES: usize = 16;

/// The store's identity.
pub(crate) const META: &[u8] = b"meta";

/// Up to where the rows are complete.
pub(crate) const WATERMARK: &[u8] = b"watermark";

/// Which tables the index of sealed entities has.
pub(crate) const SEALED: &[u8] = b"sealed";

/// Where the journal begins.
pub(crate) const BASE: &[u8] = b"base";

/// How old the entries of the journal are.
pub(crate) const TIMES: &[u8] = b"times";

const COUNT_PREFIX: &[u8] = b"count/";

/// Journal and inbox: the sequence.
pub(crate) fn seq(seq: u64) -> [u8; 8] {
    seq.to_be_bytes()
}

pub(crate) fn seq_of(space: Space, key: &[u8]) -> Result<u64, KvError> {
    key.try_into().map(u64::from_be_bytes).map_err(|_| bad(space, key))
}

/// From `from` on, up to and with `to`; for maps of sequences with part numbers.
pub(crate) fn seq_span(from: u64, to: u64) -> Span {
    Span {
        lower: Bound::Included(seq(from).to_vec()),
        upper: to.checked_add(1).map_or(Bound::Unbounded, |end| Bound::Excluded(seq(end).to_vec())),
    }
}

/// Views: the id. Time-ordered ids make neighbours of what is worked on together.
pub(crate) fn entity(id: EntityId) -> [u8; ID_BYTES] {
    *id.0.as_bytes()
}

/// The id at the end of an index key.
pub(crate) fn trailing_id(space: Space, key: &Bytes) -> Result<EntityId, KvError> {
    key.len()
        .checked_sub(ID_BYTES)
        .and_then(|at| Uuid::from_slice(&key[at..]).ok())
        .map(EntityId)
        .ok_or_else(|| bad(space, key))
}

/// Labels: kind, the label with its length, the id. The empty label stands for "all of the kind".
pub(crate) fn label(kind: Kind, label: &str, id: EntityId) -> Vec<u8> {
    let mut key = label_prefix(kind, label);
    key.extend_from_slice(id.0.as_bytes());
    key
}

pub(crate) fn label_prefix(kind: Kind, label: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(2 + label.len() + ID_BYTES);
    key.push(kind.0);
    // Label::MAX_BYTES is 48.
    key.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
    key.extend_from_slice(label.as_bytes());
    key
}

/// Wake-ups: partition, time, id.
pub(crate) fn wake_up(partition: PartitionId, at: Micros, id: EntityId) -> Vec<u8> {
    let mut key = wake_up_prefix(partition, at);
    key.extend_from_slice(id.0.as_bytes());
    key
}

fn wake_up_prefix(partition: PartitionId, at: Micros) -> Vec<u8> {
    let mut key = Vec::with_capacity(2 + 8 + ID_BYTES);
    key.extend_from_slice(&partition.0.to_be_bytes());
    key.extend_from_slice(&ordered(at).to_be_bytes());
    key
}

/// All wake-ups of a partition up to and with `until`.
pub(crate) fn wake_up_span(partition: PartitionId, until: Micros) -> Span {
    let end = match ordered(until).checked_add(1) {
        Some(end) => {
            let mut key = partition.0.to_be_bytes().to_vec();
            key.extend_from_slice(&end.to_be_bytes());
            Bound::Excluded(key)
        }
        None => Span::prefix(&partition.0.to_be_bytes()).upper,
    };
    Span { lower: Bound::Included(partition.0.to_be_bytes().to_vec()), upper: end }
}

/// The time in a wake-up key.
pub(crate) fn wake_up_at(key: &Bytes) -> Result<Micros, KvError> {
    key.get(2..10)
        .and_then(|bytes| <[u8; 8]>::try_from(bytes).ok())
        .map(|bytes| (u64::from_be_bytes(bytes) ^ SIGN).cast_signed())
        .ok_or_else(|| bad(Space::WakeUps, key))
}

/// Flips the order of negative numbers, so that bytes sort as times do.
const SIGN: u64 = 1 << 63;

fn ordered(at: Micros) -> u64 {
    at.cast_unsigned() ^ SIGN
}

/// History: the id, and the version of the row's first event.
pub(crate) fn history(id: EntityId, first: Version) -> Vec<u8> {
    let mut key = Vec::with_capacity(ID_BYTES + 8);
    key.extend_from_slice(id.0.as_bytes());
    key.extend_from_slice(&first.to_be_bytes());
    key
}

/// Left: of a claim only a hash, long enough to stand for it.
pub(crate) fn left_claim(claim: &Claim) -> [u8; HASH_BYTES] {
    hash(b"c", &claim.0)
}

/// Left: an id, in the same way.
pub(crate) fn left_id(id: EntityId) -> [u8; HASH_BYTES] {
    hash(b"i", id.0.as_bytes())
}

fn hash(of: &[u8], bytes: &[u8]) -> [u8; HASH_BYTES] {
    let digest = Sha256::new().chain_update(of).chain_update(bytes).finalize();
    let mut hash = [0; HASH_BYTES];
    for (to, from) in hash.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    hash
}

/// Counts: kind and label.
pub(crate) fn count(kind: Kind, label: &Label) -> Vec<u8> {
    let mut key = COUNT_PREFIX.to_vec();
    key.push(kind.0);
    key.extend_from_slice(label.0.as_bytes());
    key
}

/// All counts.
pub(crate) fn count_span() -> Span {
    Span::prefix(COUNT_PREFIX)
}

pub(crate) fn count_of(key: &Bytes) -> Result<(Kind, Label), KvError> {
    match key.strip_prefix(COUNT_PREFIX) {
        Some([kind, label @ ..]) => std::str::from_utf8(label)
            .map(|label| (Kind(*kind), Label::from(label)))
            .map_err(|_| bad(Space::Meta, key)),
        Some([]) | None => Err(bad(Space::Meta, key)),
    }
}

fn bad(space: Space, key: &[u8]) -> KvError {
    KvError::Damaged(format!("{}: {} is no key of this map", space.name(), key.escape_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: EntityId = EntityId(Uuid::from_u128(0x0102_0304_0506_7008_8910_1112_1314_1516));

    /// Keys are as much on the disk as records are.
    #[test]
    fn every_key_has_its_bytes() {
        let id = b"\x01\x02\x03\x04\x05\x06\x70\x08\x89\x10\x11\x12\x13\x14\x15\x16";
        assert_eq!(seq(258), *b"\0\0\0\0\0\0\x01\x02");
        assert_eq!(&entity(ID), id);
        assert_eq!(label(Kind(7), "ab", ID), [&b"\x07\x02ab"[..], &id[..]].concat());
        assert_eq!(label(Kind(7), "", ID), [&b"\x07\0"[..], &id[..]].concat());
        assert_eq!(
            wake_up(PartitionId(3), 5, ID),
            [&b"\0\x03\x80\0\0\0\0\0\0\x05"[..], &id[..]].concat()
        );
        assert_eq!(
            wake_up(PartitionId(3), -1, ID),
            [&b"\0\x03\x7f\xff\xff\xff\xff\xff\xff\xff"[..], &id[..]].concat()
        );
        assert_eq!(history(ID, 258), [&id[..], &b"\0\0\0\0\0\0\x01\x02"[..]].concat());
        assert_eq!(count(Kind(7), &Label::from("ab")), b"count/\x07ab");
        assert_eq!(
            left_claim(&Claim(b"abc".to_vec())),
            *b"\xa6\xd8\x9b\xaf\x01\xac\x02\x63\x7d\xa0\x98\x35\xb2\x84\x85\xb2"
        );
        assert_eq!((BASE, TIMES), (&b"base"[..], &b"times"[..]));
        assert_eq!((META, WATERMARK, SEALED), (&b"meta"[..], &b"watermark"[..], &b"sealed"[..]));
    }

    #[test]
    fn keys_are_read_back() {
        for at in [Micros::MIN, -1, 0, 1, Micros::MAX] {
            let key = Bytes::from(wake_up(PartitionId(3), at, ID));
            assert_eq!(wake_up_at(&key), Ok(at));
            assert_eq!(trailing_id(Space::WakeUps, &key), Ok(ID));
        }
        let key = Bytes::from(count(Kind(7), &Label::from("ab")));
        assert_eq!(count_of(&key), Ok((Kind(7), Label::from("ab"))));
        assert_eq!(seq_of(Space::Inbox, &seq(9)), Ok(9));
        assert!(seq_of(Space::Inbox, b"short").is_err());
        assert!(count_of(&Bytes::from_static(b"count/")).is_err());
        assert!(wake_up_at(&Bytes::from_static(b"short")).is_err());
    }
}
