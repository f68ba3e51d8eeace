//! One process at a time, and a message that names the other one.
//!
//! The lock is the operating system's, on the open file: it goes with the process that holds it, however that ends. The
//! text in the file is only for people.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// Far more than we write; a foreign file is not read on.
const HOLDER_BYTES: u64 = 512;

/// Held while the store is open.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

/// Why the folder is not ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Somebody has it, and says who.
    #[error("held by {0}")]
    Held(String),
}

impl FolderLock {
    pub(crate) fn acquire(folder: &Path) -> Result<Self, LockError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = super::private(&mut options).open(Self::path(folder))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held(holder(&mut file))),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // A full disk may refuse the text; the lock holds all the same.
        let _ = sign(&mut file);
        Ok(Self { _file: file })
    }

    pub(crate) fn path(folder: &Path) -> PathBuf {
        folder.join("LOCK")
    }
}

/// Writes who holds it. In place, so that a full disk has the room.
fn sign(file: &mut File) -> io::Result<()> {
    let text = format!(
        "process {} on {}, since {} s after 1970-01-01T00:00:00Z",
        std::process::id(),
        host(),
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
    );
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.take(HOLDER_BYTES).read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        Ok(_) | Err(_) => "a process that has not said who it is".to_owned(),
    }
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .map(|name| name.trim().to_owned())
        .or_else(|| std::env::var("HOSTNAME").ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "a host without a name".to_owned())
}
