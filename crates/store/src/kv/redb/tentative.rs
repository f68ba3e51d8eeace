//! The data file, with all writes held back until what stands in it was looked through.
//!
//! After a crash redb repairs its file while it opens. If the store is refused then (the mark knows more than there is, a
//! checksum is wrong), the file must be what it was found: it may be all that is left to help with. So until
//! [`TentativeFile::accept`] writes stay in memory; they are few, for nothing is committed before.

use std::{
    collections::{BTreeMap, VecDeque},
    fs::{File, TryLockError},
    io,
    os::unix::fs::FileExt as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use redb::StorageBackend;

const BLOCK: u64 = 4_096;
const BLOCK_BYTES: usize = 4_096;

type Block = Box<[u8; BLOCK_BYTES]>;

/// See the module. All clones are one file.
#[derive(Debug, Clone)]
pub(super) struct TentativeFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: File,
    accepted: AtomicBool,
    held: Mutex<Held>,
}

/// What the file would be.
#[derive(Debug)]
struct Held {
    length: u64,
    /// From here on nothing of the file itself counts.
    found: u64,
    blocks: BTreeMap<u64, Block>,
    /// How it came to be so.
    steps: VecDeque<Step>,
}

/// Something that is held back.
#[derive(Debug)]
enum Step {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

impl TentativeFile {
    /// Takes a file over, and locks it as redb would.
    pub(super) fn of(file: File) -> io::Result<Self> {
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::new(
                io::ErrorKind::WouldBlock,
                "another process has the data file open; end it first",
            ),
            TryLockError::Error(error) => error,
        })?;
        let length = file.metadata()?.len();
        let (blocks, steps) = (BTreeMap::new(), VecDeque::new());
        let held = Held { length, found: length, blocks, steps };
        let accepted = AtomicBool::new(false);
        Ok(Self(Arc::new(Inner { file, accepted, held: Mutex::new(held) })))
    }

    /// Does what was held back, in the order in which it was asked for, syncs and all: a power cut in between finds what it
    /// would have found without us. From now on every write goes to the file.
    pub(super) fn accept(&self) -> io::Result<()> {
        let mut held = self.held();
        if self.accepted() {
            return Ok(());
        }
        let file = &self.0.file;
        // Each leaves when it is done: who tries again goes on with the one that failed.
        while let Some(step) = held.steps.front() {
            match step {
                Step::Write(offset, bytes) => file.write_all_at(bytes, *offset)?,
                Step::SetLen(length) => file.set_len(*length)?,
                Step::Sync => file.sync_data()?,
            }
            held.steps.pop_front();
        }
        file.sync_data()?;
        held.blocks.clear();
        self.0.accepted.store(true, Ordering::Release);
        Ok(())
    }

    fn accepted(&self) -> bool {
        self.0.accepted.load(Ordering::Acquire)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// A block as it would be.
    fn block(&self, file: &File, number: u64) -> io::Result<Block> {
        if let Some(block) = self.blocks.get(&number) {
            return Ok(block.clone());
        }
        let mut block = Box::new([0; BLOCK_BYTES]);
        let at = number * BLOCK;
        let there = usize::try_from(self.found.saturating_sub(at)).unwrap_or(BLOCK_BYTES);
        file.read_exact_at(&mut block[..there.min(BLOCK_BYTES)], at)?;
        Ok(block)
    }

    /// Gives the part of every block that a range touches: its number, where in the block, and where in the range.
    fn parts(
        offset: u64,
        bytes: usize,
    ) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
        let mut done = 0;
        std::iter::from_fn(move || {
            if done == bytes {
                return None;
            }
            let at = offset + done as u64;
            let within = usize::try_from(at % BLOCK).unwrap_or(0);
            let range = done..bytes.min(done + BLOCK_BYTES - within);
            done = range.end;
            Some((at / BLOCK, within, range))
        })
    }
}

impl StorageBackend for TentativeFile {
    fn len(&self) -> io::Result<u64> {
        if self.accepted() { Ok(self.0.file.metadata()?.len()) } else { Ok(self.held().length) }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if self.accepted() {
            return self.0.file.read_exact_at(out, offset);
        }
        let held = self.held();
        if offset + out.len() as u64 > held.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (number, within, range) in Held::parts(offset, out.len()) {
            let block = held.block(&self.0.file, number)?;
            let bytes = range.len();
            out[range].copy_from_slice(&block[within..within + bytes]);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if self.accepted() {
            return self.0.file.set_len(len);
        }
        let mut held = self.held();
        if len < held.length {
            // What comes back later is zero.
            held.found = held.found.min(len);
            held.blocks.split_off(&len.div_ceil(BLOCK));
            let last = len / BLOCK;
            if !len.is_multiple_of(BLOCK) {
                let mut block = held.block(&self.0.file, last)?;
                block[usize::try_from(len % BLOCK).unwrap_or(0)..].fill(0);
                held.blocks.insert(last, block);
            }
        }
        held.length = len;
        held.steps.push_back(Step::SetLen(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.accepted() {
            return self.0.file.sync_data();
        }
        self.held().steps.push_back(Step::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if self.accepted() {
            return self.0.file.write_all_at(data, offset);
        }
        let mut held = self.held();
        for (number, within, range) in Held::parts(offset, data.len()) {
            let mut block = held.block(&self.0.file, number)?;
            let bytes = range.len();
            block[within..within + bytes].copy_from_slice(&data[range]);
            held.blocks.insert(number, block);
        }
        held.length = held.length.max(offset + data.len() as u64);
        held.steps.push_back(Step::Write(offset, data.to_vec()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Act {
        Write(u64, Vec<u8>),
        SetLen(u64),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            (0..9_000_u64, prop::collection::vec(any::<u8>(), 1..6_000))
                .prop_map(|(at, bytes)| Act::Write(at, bytes)),
            (0..14_000_u64).prop_map(Act::SetLen),
        ]
    }

    fn play(act: &Act, bytes: &mut Vec<u8>) {
        match act {
            Act::Write(at, data) => {
                let at = usize::try_from(*at).unwrap();
                bytes.resize(bytes.len().max(at + data.len()), 0);
                bytes[at..at + data.len()].copy_from_slice(data);
            }
            Act::SetLen(length) => bytes.resize(usize::try_from(*length).unwrap(), 0),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]
        #[test]
        fn it_reads_as_if_it_were_written_and_is_what_it_was_until_it_is_accepted(
            found in prop::collection::vec(any::<u8>(), 1..10_000),
            acts in prop::collection::vec(act(), 1..12),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("data");
            fs::write(&path, &found).unwrap();
            let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
            let tentative = TentativeFile::of(file).unwrap();
            let mut expected = found.clone();
            for act in &acts {
                match act {
                    Act::Write(at, bytes) => tentative.write(*at, bytes).unwrap(),
                    Act::SetLen(length) => tentative.set_len(*length).unwrap(),
                }
                play(act, &mut expected);
                prop_assert_eq!(tentative.len().unwrap(), expected.len() as u64);
                let mut read = vec![0; expected.len()];
                tentative.read(0, &mut read).unwrap();
                prop_assert!(read == expected);
            }
            tentative.sync_data().unwrap();
            prop_assert!(fs::read(&path).unwrap() == found, "nothing may be written before it is accepted");
            tentative.accept().unwrap();
            prop_assert!(fs::read(&path).unwrap() == expected);
        }
    }
}
