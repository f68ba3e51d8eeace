//! Filling an empty journal with a backup: the part of a restore that is the same wherever the new store lies.

use std::io::Read;

use super::{BackupError, BackupInfo, BackupReader};
use crate::{
    CheckReport,
    journal::{Halt, Journal},
};

/// Bytes of the journal that are written, and synced, at once.
const GROUP_BYTES: usize = 256 * 1024;

/// Pieces of the base that are written, and synced, at once.
const GROUP_PARTS: usize = 64;

/// Why a journal is not what its backup says.
#[derive(Debug)]
pub(crate) enum FillError {
    /// The backup cannot be used.
    Backup(BackupError),
    /// The new store stopped, or is not what the backup says.
    NotWhole(String),
}

impl From<BackupError> for FillError {
    fn from(error: BackupError) -> Self {
        Self::Backup(error)
    }
}

impl From<Halt> for FillError {
    fn from(halt: Halt) -> Self {
        Self::NotWhole(halt.to_string())
    }
}

/// Takes everything over that is left in `reader`, checks it, and writes the rows that are made of it.
pub(crate) fn fill(
    reader: &mut BackupReader<impl Read>,
    journal: &mut Journal,
    mut progress: impl FnMut(&BackupInfo),
) -> Result<CheckReport, FillError> {
    if reader.base().seq > 0 {
        journal.begin_at(reader.base())?;
        let mut ended = false;
        while !ended {
            let mut parts = Vec::new();
            while parts.len() < GROUP_PARTS && !ended {
                let part = reader.next_part()?;
                ended = part.is_none();
                parts.extend(part);
            }
            journal.take_parts(parts)?;
            progress(&reader.info());
        }
    }
    let mut group = Vec::new();
    let mut bytes = 0;
    loop {
        let found = reader.next_record()?;
        let ended = found.is_none();
        bytes += found.as_ref().map_or(0, |found| found.bytes.len());
        group.extend(found);
        if !group.is_empty() && (ended || bytes >= GROUP_BYTES) {
            journal.take_over(&group)?;
            progress(&reader.info());
            group.clear();
            bytes = 0;
        }
        if ended {
            break;
        }
    }
    let check = journal.check()?;
    if let Some(problem) = check.problems.first() {
        return Err(FillError::NotWhole(problem.clone()));
    }
    journal.catch_up()?;
    Ok(check)
}
