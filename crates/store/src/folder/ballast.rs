//! Room that is kept back, so that a store can be opened again on a full disk.
//!
//! Engines write while they open (sled pads a segment, half a megabyte). On a disk without that room a store could not
//! even be read; so a file of ours holds some, and goes when an open needs it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Written in pieces of this size: zeros, so that the blocks are really taken.
const PIECE_BYTES: usize = 64 * 1024;

/// The reserve of a folder.
#[derive(Debug)]
pub(crate) struct Ballast {
    path: PathBuf,
    bytes: u64,
}

impl Ballast {
    pub(crate) fn new(folder: &Path, bytes: u64) -> Self {
        Self { path: folder.join("BALLAST"), bytes }
    }

    /// Gives the room back; true if there was any.
    pub(crate) fn release(&self) -> io::Result<bool> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes the room if it is not taken, and if so much is left then. Leaves no half of it behind.
    pub(crate) fn hold(&self, left: u64) -> io::Result<()> {
        match fs::metadata(&self.path) {
            Ok(found) if found.len() == self.bytes => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let folder = self.path.parent().unwrap_or(&self.path);
        if fs2::available_space(folder)? < self.bytes.saturating_add(left) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let written = self.write();
        if written.is_err() {
            self.release()?;
        }
        written
    }

    fn write(&self) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut file = super::private(&mut options).open(&self.path)?;
        let piece = vec![0; PIECE_BYTES];
        let mut left = self.bytes;
        while left > 0 {
            let now = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
            file.write_all(&piece[..now])?;
            left -= now as u64;
        }
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_held_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let ballast = Ballast::new(folder.path(), 100_000);
        assert!(!ballast.release().unwrap());
        ballast.hold(0).unwrap();
        let path = folder.path().join("BALLAST");
        assert_eq!(fs::metadata(&path).unwrap().len(), 100_000);
        // One that was cut short is made whole.
        fs::write(&path, b"short").unwrap();
        ballast.hold(0).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 100_000);
        assert!(ballast.release().unwrap());
        assert!(!path.exists());
    }
}
