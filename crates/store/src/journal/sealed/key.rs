//! The keys of the index. Fixed for ever: they are what is on the disk.

use sha2::{Digest, Sha256};

use crate::{Claim, EntityId, Kind, kv::KvError};

use super::{super::keys, filter::mix};

const CLAIM: u8 = b'c';
const ID: u8 = b'i';
const LABEL: u8 = b'l';

/// After every key: where a table has its filter.
pub(super) const AFTER_ALL: u8 = 0xff;

/// A key to find entities by, and what filters know it by.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) bytes: Vec<u8>,
    pub(super) hash: u64,
}

/// A claim: of its key only a hash. Whoever finds it looks into the block whether it is the one.
pub(super) fn claim(claim: &Claim) -> Key {
    let digest = Sha256::digest(&claim.0);
    let mut bytes = vec![CLAIM];
    bytes.extend_from_slice(&digest[..8]);
    let hash = hash_of(&bytes).unwrap_or_default();
    Key { bytes, hash }
}

pub(super) fn entity(id: EntityId) -> Key {
    let mut bytes = vec![ID];
    bytes.extend_from_slice(id.0.as_bytes());
    let hash = hash_of(&bytes).unwrap_or_default();
    Key { bytes, hash }
}

/// Listed: kind, label and id, as the rows have them.
pub(super) fn label(kind: Kind, label: &str, id: EntityId) -> Vec<u8> {
    [&[LABEL], &keys::label(kind, label, id)[..]].concat()
}

pub(super) fn label_prefix(kind: Kind, label: &str) -> Vec<u8> {
    [&[LABEL], &keys::label_prefix(kind, label)[..]].concat()
}

/// The id at the end of a label's key.
pub(super) fn listed_id(key: &[u8]) -> Result<EntityId, KvError> {
    key.len()
        .checked_sub(keys::ID_BYTES)
        .and_then(|at| uuid::Uuid::from_slice(&key[at..]).ok())
        .map(EntityId)
        .ok_or_else(|| KvError::Damaged("the sealed index has a key that is none".to_owned()))
}

/// What a filter knows a key by; `None`: nothing, it is only listed.
pub(super) fn hash_of(key: &[u8]) -> Option<u64> {
    let word = |bytes: &[u8]| bytes.try_into().map(u64::from_be_bytes).ok();
    match key {
        [CLAIM, hash @ ..] => word(hash),
        [ID, id @ ..] if id.len() == keys::ID_BYTES => {
            let (head, tail) = id.split_at(8);
            Some(mix(word(head)? ^ mix(word(tail)?)))
        }
        [] | [_, ..] => None,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn every_key_has_its_bytes() {
        let id = EntityId(Uuid::from_u128(0x0102_0304_0506_7008_8910_1112_1314_1516));
        assert_eq!(entity(id).bytes, [&b"i"[..], id.0.as_bytes()].concat());
        assert_eq!(label(Kind(7), "ab", id), [&b"l\x07\x02ab"[..], id.0.as_bytes()].concat());
        let known = claim(&Claim(b"abc".to_vec()));
        assert_eq!(known.bytes, b"c\xba\x78\x16\xbf\x8f\x01\xcf\xea");
        assert_eq!(known.hash, 0xba78_16bf_8f01_cfea);
        assert_eq!(listed_id(&label(Kind(7), "", id)), Ok(id));
        assert!(listed_id(b"l").is_err());
    }
}
