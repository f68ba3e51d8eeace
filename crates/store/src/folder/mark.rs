//! The high-water mark in a file: two slots, written in turn.
//!
//! Noted after every group by a plain write, about two microseconds, which already survives the process; synced by the
//! writer every quarter of a second and whenever it is idle. So it is exact after anything but a power cut, and after
//! that it is at most that much behind and says "at least". Syncing it with every group would double the cost of a
//! commit, and what it is for (a store that opens empty, a cut or an older file) is found all the same. It is written only
//! after the journal is durable, so it never says too much. A torn write spoils one slot; the other one still counts.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::{
    journal::Mark,
    record::{MarkRecord, decode, encode},
};

/// Each slot has a page of its own, so that one write never touches both.
const SLOT_BYTES: u64 = 4096;
const SLOTS: u64 = 2;

const LENGTH_BYTES: usize = 2;
const CHECKSUM_BYTES: usize = 16;

/// The mark's file.
#[derive(Debug)]
pub(crate) struct FileMark {
    file: File,
    /// Where it is, as long as it does not have its length.
    unmade: Option<PathBuf>,
}

impl FileMark {
    /// Opens or creates the file; gives what it says. One that is too short is left so until something is noted: a store
    /// that is refused for it stays as it was found.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Option<MarkRecord>)> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = super::private(&mut options).open(path)?;
        let is_long = file.metadata()?.len() >= SLOT_BYTES * SLOTS;
        let mut newest: Option<MarkRecord> = None;
        for slot in 0..SLOTS {
            if let Some(mark) = read_slot(&mut file, slot)?
                && newest.is_none_or(|known| known.generation < mark.generation)
            {
                newest = Some(mark);
            }
        }
        let unmade = (!is_long).then(|| path.to_owned());
        Ok((Self { file, unmade }, newest))
    }
}

impl FileMark {
    /// Gives the file its whole length, for good.
    fn make(&self, path: &Path) -> io::Result<()> {
        self.file.set_len(SLOT_BYTES * SLOTS)?;
        self.file.sync_all()?;
        path.parent().map_or(Ok(()), super::sync_dir)
    }
}

fn read_slot(file: &mut File, slot: u64) -> io::Result<Option<MarkRecord>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(slot * SLOT_BYTES))?;
    file.take(SLOT_BYTES).read_to_end(&mut bytes)?;
    let Some((length, rest)) = bytes.split_at_checked(LENGTH_BYTES) else {
        return Ok(None);
    };
    let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
    let (Some(record), Some(sum)) = (rest.get(..length), rest.get(length..length + CHECKSUM_BYTES))
    else {
        return Ok(None);
    };
    if length == 0 || sum != &checksum(record)[..] {
        return Ok(None);
    }
    decode(record).map(Some).map_err(io::Error::other)
}

fn checksum(record: &[u8]) -> Vec<u8> {
    Sha256::digest(record)[..CHECKSUM_BYTES].to_vec()
}

impl Mark for FileMark {
    fn note(&mut self, mark: MarkRecord) -> io::Result<()> {
        if let Some(path) = self.unmade.take() {
            self.make(&path)?;
        }
        let record = encode(&mark).map_err(io::Error::other)?;
        let length = u16::try_from(record.len()).map_err(io::Error::other)?;
        let mut slot = length.to_le_bytes().to_vec();
        slot.extend_from_slice(&record);
        slot.extend_from_slice(&checksum(&record));
        let at = (mark.generation % SLOTS) * SLOT_BYTES;
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(&slot)
    }

    fn settle(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn mark(generation: u64) -> MarkRecord {
        MarkRecord {
            generation,
            incarnation: Uuid::from_u128(7),
            seq: generation * 10,
            chain: [3; 16],
        }
    }

    fn reopened(path: &Path) -> Option<MarkRecord> {
        FileMark::open(path).unwrap().1
    }

    #[test]
    fn the_newest_note_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("MARK");
        let (mut file, found) = FileMark::open(&path).unwrap();
        assert_eq!(found, None);
        for generation in 1..=5 {
            file.note(mark(generation)).unwrap();
            file.settle().unwrap();
            assert_eq!(reopened(&path), Some(mark(generation)));
        }
    }

    /// A write that stops anywhere spoils its slot at most: the note before it still counts.
    #[test]
    fn a_torn_note_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("MARK");
        let (mut file, _) = FileMark::open(&path).unwrap();
        file.note(mark(1)).unwrap();
        file.note(mark(2)).unwrap();
        let before = std::fs::read(&path).unwrap();
        file.note(mark(3)).unwrap();
        let after = std::fs::read(&path).unwrap();
        let mut torn = before;
        let mut seen = Vec::new();
        for at in 0..torn.len() {
            if torn[at] != after[at] {
                torn[at] = after[at];
                std::fs::write(&path, &torn).unwrap();
                seen.push(reopened(&path).map(|mark| mark.generation));
            }
        }
        let last = seen.pop();
        assert_eq!(last, Some(Some(3)));
        assert!(seen.len() > 10);
        assert!(seen.iter().all(|generation| *generation == Some(2)));
    }

    #[test]
    fn nothing_readable_is_no_mark() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("MARK");
        for content in [vec![], vec![0; 100], vec![0xff; 9_000], vec![0; 8_192]] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(reopened(&path), None);
        }
    }
}
