//! What sled would destroy when it opens something damaged, kept aside until it is known that nothing was.
//!
//! sled takes the first message that it cannot read for the end of its log, and overwrites everything behind it with zeros
//! while it opens: one flipped bit, or one read that fails once, and all that was written since the last open is gone,
//! before anybody has noticed that something is missing. So that part of its file, and its small files, are copied first,
//! into one file of ours; an open that fails puts them back, and so does the next open after one that was cut short. A
//! store that is refused is left as it was found.
//!
//! It is not synced: against a power cut in that very moment it would have to be, and that damage and a power cut
//! coincide is left out for the sake of a quick start. Whether it is whole is told by its checksums.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Read, Seek, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use crate::folder::{private, sync_dir};

/// sled's own, and its default.
const SEGMENT_BYTES: u64 = 512 * 1024;

/// `crc32 | lsn | stable lsn`, each with all bits turned over.
const SEGMENT_HEADER_BYTES: usize = 20;

const MAGIC: &[u8; 16] = b"orderkeep kept 1";

/// Longer names are none of ours.
const NAME_BYTES: usize = 64;

/// sled's data file.
pub(super) const DATA: &str = "db";

/// The kept part of a sled folder.
#[derive(Debug)]
pub(crate) struct Keepsake {
    /// Where it is kept.
    path: PathBuf,
    /// sled's folder.
    folder: PathBuf,
}

/// A stretch of a file.
struct Piece {
    name: String,
    offset: u64,
    bytes: Vec<u8>,
}

impl Keepsake {
    /// In the store's folder, of its engine's folder.
    pub(crate) fn new(store: &Path, engine: &Path) -> Self {
        Self { path: store.join("KEEPSAKE"), folder: engine.to_owned() }
    }

    /// Copies what an open may destroy. `generation` is the mark's: it moves on as soon as a store is open.
    pub(crate) fn take(&self, generation: u64) -> io::Result<()> {
        let taken = self.write(generation);
        if taken.is_err() {
            self.release()?;
        }
        taken
    }

    fn write(&self, generation: u64) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut out = BufWriter::with_capacity(
            usize::try_from(SEGMENT_BYTES).unwrap_or(0),
            private(&mut options).open(&self.path)?,
        );
        out.write_all(MAGIC)?;
        out.write_all(&generation.to_le_bytes())?;
        let mut snapshot = None;
        for name in self.small_files()? {
            snapshot = snapshot.max(stable_lsn(&name));
            let bytes = fs::read(self.folder.join(&name))?;
            Piece { name, offset: 0, bytes }.write(&mut out)?;
        }
        let data = match File::open(self.folder.join(DATA)) {
            Ok(data) => Some(data),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let length = match &data {
            Some(data) => keep_tail(data, snapshot, &mut out)?,
            None => 0,
        };
        // The end: without a name, and how long the data file is.
        Piece { name: String::new(), offset: length, bytes: Vec::new() }.write(&mut out)?;
        out.flush()
    }

    /// sled's configuration and its snapshots.
    fn small_files(&self) -> io::Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string()
                && name != DATA
                && name.len() <= NAME_BYTES
                && entry.file_type()?.is_file()
            {
                names.insert(name);
            }
        }
        Ok(names)
    }

    /// Everything went well: it is not needed. Gone for good before anything new is written, so that it can never come
    /// back over it.
    pub(crate) fn release(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Ok(()) => self.path.parent().map_or(Ok(()), sync_dir),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What an open that was cut short has left behind is put back, unless the store has been open since.
    pub(crate) fn put_back_left_over(&self, generation: u64) -> io::Result<()> {
        if self.path.exists() && self.is_whole()? == Some(generation) {
            self.put_back()?;
        }
        self.release()
    }

    /// Makes sled's folder what it was, as soon as sled's threads have let go of it.
    pub(crate) fn put_back_once_free(&self) -> io::Result<()> {
        super::open::wait_until_free(&self.folder)?;
        self.put_back()?;
        self.release()
    }

    fn put_back(&self) -> io::Result<()> {
        let mut pieces = Pieces::open(&self.path)?;
        let mut names = BTreeSet::new();
        loop {
            let piece = pieces.next()?.ok_or_else(|| io::Error::other("it has no end"))?;
            let path = self.folder.join(if piece.name.is_empty() { DATA } else { &piece.name });
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
            file.write_all_at(&piece.bytes, piece.offset)?;
            let is_end = piece.name.is_empty();
            if is_end {
                file.set_len(piece.offset)?;
            } else if piece.name != DATA {
                file.set_len(piece.bytes.len() as u64)?;
            }
            // The data file is synced with its end.
            if piece.name != DATA {
                file.sync_all()?;
            }
            if is_end {
                break;
            }
            names.insert(piece.name);
        }
        for name in self.small_files()?.difference(&names) {
            fs::remove_file(self.folder.join(name))?;
        }
        sync_dir(&self.folder)
    }

    /// Whose it is, if it is whole.
    fn is_whole(&self) -> io::Result<Option<u64>> {
        let Ok(mut pieces) = Pieces::open(&self.path) else {
            return Ok(None);
        };
        loop {
            match pieces.next() {
                Ok(Some(piece)) if piece.name.is_empty() => return Ok(Some(pieces.generation)),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Keeps what is not older than the snapshot; gives the file's length.
fn keep_tail(data: &File, snapshot: Option<u64>, out: &mut impl Write) -> io::Result<u64> {
    let length = data.metadata()?.len();
    // One for all of them: after a long life there are hundreds, and fresh memory costs about as much as the copy.
    let mut segment = vec![0; usize::try_from(SEGMENT_BYTES).unwrap_or(0)];
    for offset in (0..length).step_by(segment.len().max(1)) {
        let here = usize::try_from(SEGMENT_BYTES.min(length - offset)).unwrap_or(0);
        let bytes = &mut segment[..here];
        let header = SEGMENT_HEADER_BYTES.min(here);
        data.read_exact_at(&mut bytes[..header], offset)?;
        // Whatever cannot be told is kept.
        if lsn_of(&bytes[..header])
            .zip(snapshot)
            .is_none_or(|(lsn, stable)| lsn + SEGMENT_BYTES > stable)
        {
            data.read_exact_at(bytes, offset)?;
            write_piece(DATA, offset, bytes, out)?;
        }
    }
    Ok(length)
}

impl Piece {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        write_piece(&self.name, self.offset, &self.bytes, out)
    }
}

fn write_piece(name: &str, offset: u64, bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
    let mut head = vec![u8::try_from(name.len()).map_err(io::Error::other)?];
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(&offset.to_le_bytes());
    head.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.write_all(&head)?;
    out.write_all(bytes)?;
    out.write_all(&checksum(&[&head, bytes]).to_le_bytes())
}

/// Reads a keepsake piece by piece.
struct Pieces {
    input: BufReader<File>,
    length: u64,
    generation: u64,
}

impl Pieces {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut input = BufReader::new(file);
        let mut head = [0; MAGIC.len()];
        let mut generation = [0; 8];
        input.read_exact(&mut head)?;
        input.read_exact(&mut generation)?;
        if &head != MAGIC {
            return Err(io::Error::other("it is no keepsake"));
        }
        Ok(Self { input, length, generation: u64::from_le_bytes(generation) })
    }

    /// The next piece, if it is what was written.
    fn next(&mut self) -> io::Result<Option<Piece>> {
        let mut name_length = [0; 1];
        self.input.read_exact(&mut name_length)?;
        let mut head = name_length.to_vec();
        head.resize(1 + usize::from(name_length[0]) + 16, 0);
        self.input.read_exact(&mut head[1..])?;
        let (name, numbers) = head[1..].split_at(usize::from(name_length[0]));
        let (offset, length) = numbers.split_at(8);
        let number =
            |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        // A damaged length must not ask for more memory than there are bytes.
        let left = self.length.saturating_sub(self.input.stream_position()?);
        if number(length) > left {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(number(length)).map_err(io::Error::other)?];
        self.input.read_exact(&mut bytes)?;
        let mut sum = [0; 4];
        self.input.read_exact(&mut sum)?;
        let Ok(name) = String::from_utf8(name.to_vec()) else { return Ok(None) };
        let is_whole = u32::from_le_bytes(sum) == checksum(&[&head, &bytes]);
        Ok(is_whole.then(|| Piece { name, offset: number(offset), bytes }))
    }
}

fn checksum(parts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

/// Up to where the log is in a snapshot, which is what the snapshot is called by.
fn stable_lsn(name: &str) -> Option<u64> {
    u64::from_str_radix(name.strip_prefix("snap.")?, 16).ok()
}

/// A segment's place in the log, if its header is whole.
fn lsn_of(segment: &[u8]) -> Option<u64> {
    let header = segment.get(..SEGMENT_HEADER_BYTES)?;
    let (sum, rest) = header.split_at(4);
    let sum = u32::from_le_bytes([sum[0], sum[1], sum[2], sum[3]]) ^ u32::MAX;
    let mut lsn = [0; 8];
    lsn.copy_from_slice(&rest[..8]);
    let lsn = i64::from_le_bytes(lsn) ^ i64::MAX;
    (sum == checksum(&[rest])).then_some(lsn).and_then(|lsn| u64::try_from(lsn).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder like sled's, with a segment that its snapshot is ahead of and two that it is not.
    fn engine(store: &Path) -> Keepsake {
        let folder = store.join("sled");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("conf"), b"conf").unwrap();
        fs::write(folder.join(format!("snap.{:016X}", SEGMENT_BYTES + 5)), b"snapshot").unwrap();
        let mut data = Vec::new();
        for segment in 0..3_u8 {
            let lsn = i64::try_from(u64::from(segment) * SEGMENT_BYTES).unwrap();
            let mut header = [(lsn ^ i64::MAX).to_le_bytes(), [segment; 8]].concat();
            header.splice(0..0, (checksum(&[&header]) ^ u32::MAX).to_le_bytes());
            data.extend_from_slice(&header);
            data.resize(
                usize::try_from(SEGMENT_BYTES).unwrap() * (usize::from(segment) + 1),
                segment,
            );
        }
        data.truncate(data.len() - 1_000);
        fs::write(folder.join(DATA), data).unwrap();
        Keepsake::new(store, &folder)
    }

    fn contents(keepsake: &Keepsake) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found: Vec<_> = fs::read_dir(&keepsake.folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        found.sort();
        found
    }

    /// What sled does to a log that it cannot read.
    fn destroy(keepsake: &Keepsake) {
        let data = keepsake.folder.join(DATA);
        let mut bytes = fs::read(&data).unwrap();
        let first = usize::try_from(SEGMENT_BYTES).unwrap();
        bytes[first + 100..].fill(0);
        bytes.resize(first * 4, 0);
        fs::write(data, bytes).unwrap();
        fs::rename(
            keepsake.folder.join(format!("snap.{:016X}", SEGMENT_BYTES + 5)),
            keepsake.folder.join("snap.00000000000FFFFF"),
        )
        .unwrap();
    }

    #[test]
    fn only_what_an_open_may_destroy_is_kept() {
        let store = tempfile::tempdir().unwrap();
        let keepsake = engine(store.path());
        keepsake.take(7).unwrap();
        let kept = fs::metadata(&keepsake.path).unwrap().len();
        assert!((2 * SEGMENT_BYTES - 2_000..2 * SEGMENT_BYTES + 2_000).contains(&kept), "{kept}");
    }

    #[test]
    fn an_open_that_was_cut_short_is_undone_by_the_next() {
        let store = tempfile::tempdir().unwrap();
        let keepsake = engine(store.path());
        let before = contents(&keepsake);
        keepsake.take(7).unwrap();
        destroy(&keepsake);
        assert_ne!(contents(&keepsake), before);
        keepsake.put_back_left_over(7).unwrap();
        assert_eq!(contents(&keepsake), before);
        assert!(!keepsake.path.exists());
    }

    /// The store has been open since, and may have taken steps: nothing is put back over them.
    #[test]
    fn an_older_one_is_dropped() {
        let store = tempfile::tempdir().unwrap();
        let keepsake = engine(store.path());
        keepsake.take(7).unwrap();
        destroy(&keepsake);
        let after = contents(&keepsake);
        keepsake.put_back_left_over(8).unwrap();
        assert_eq!(contents(&keepsake), after);
        assert!(!keepsake.path.exists());
    }

    /// It is not synced: after a power cut any part of it may be missing or something else.
    #[test]
    fn one_that_is_not_whole_is_dropped() {
        let store = tempfile::tempdir().unwrap();
        let keepsake = engine(store.path());
        keepsake.take(7).unwrap();
        destroy(&keepsake);
        let after = contents(&keepsake);
        let whole = fs::read(&keepsake.path).unwrap();
        for at in (0..whole.len()).step_by(40_009).chain(whole.len() - 30..whole.len()) {
            let mut flipped = whole.clone();
            flipped[at] ^= 4;
            for torn in [&whole[..at], &flipped] {
                fs::write(&keepsake.path, torn).unwrap();
                // Only the generation is not covered, and another one is as good as a torn one.
                keepsake.put_back_left_over(7).unwrap();
                assert!(contents(&keepsake) == after, "byte {at}");
            }
        }
    }
}
