//! A store in one file: its journal as it stands at one durable position, from which everything else is made again.
//!
//! ```text
//! orderkeep backup 1\n
//! [length u32 LE][header record][checksum]     which life, and where the copy ends
//! [length u32 LE][base part] ...               only if the beginning of the journal is gone: what is kept of it
//! [length u32 LE][journal record] ...          as they lie in the journal, each chained to the one before
//! ```
//!
//! The header says where the chain of the last record ends, so a file that was cut, changed or mixed up anywhere is
//! found by reading it. A copy never waits for the writer, and no commit waits for it: records do not change, and no more
//! of them go while it is made.

mod fill;
mod read;
#[cfg(feature = "embedded")]
mod restore;
mod write;

pub(crate) use fill::{FillError, fill};
pub use read::{BackupInfo, BackupReader, verify_backup};
#[cfg(feature = "embedded")]
pub use restore::{RestoreError, Restored, restore};
#[cfg(feature = "embedded")]
pub(crate) use write::copy;
pub(crate) use write::copy_here;

use std::io;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::{
    Incarnation, Position, ReadError,
    record::{BackupHeader, RecordError, encode},
};

const MAGIC: &[u8] = b"orderkeep backup 1\n";
const CHECKSUM_BYTES: usize = 16;
/// A damaged length must not ask for memory: no record is larger, see [`crate::limits::ENTRY_BYTES`].
const FRAME_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A copy that is being made: read it to its end, and keep it only then.
#[derive(Debug)]
pub struct Backup {
    /// Which life of the store it is of.
    pub incarnation: Incarnation,
    /// Where the copy ends: everything durable up to here is in it, and nothing after.
    pub position: Position,
    pub(crate) chunks: mpsc::Receiver<Result<Bytes, ReadError>>,
}

impl Backup {
    /// The next bytes of the file; `None` after the last ones.
    ///
    /// # Errors
    /// The store cannot be read; what was written so far is no backup.
    pub async fn next(&mut self) -> Option<Result<Bytes, ReadError>> {
        self.chunks.recv().await
    }
}

/// Why bytes are no backup, or none that can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The operating system refused something.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Something else.
    #[error("this is no backup of a store")]
    NotABackup,
    /// Changed or cut short since it was written.
    #[error("the backup is damaged: {0}; take an older one")]
    Damaged(String),
    /// Written by a newer program, or its header is damaged.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// The beginning of the file.
fn head(header: &BackupHeader) -> Result<Vec<u8>, RecordError> {
    let record = encode(header)?;
    let sum = checksum(&record);
    let mut bytes = MAGIC.to_vec();
    let length = record.len() + sum.len();
    bytes.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(&record);
    bytes.extend_from_slice(&sum);
    Ok(bytes)
}

fn checksum(record: &[u8]) -> Vec<u8> {
    Sha256::digest(record)[..CHECKSUM_BYTES].to_vec()
}
