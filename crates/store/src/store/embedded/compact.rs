//! A store that grew, written anew.
//!
//! Backends keep the room of what was removed and rewritten. A copy of their maps, row by row, has none of it; it is
//! the same store, with the same journal, cursors and mark.

use std::{fs, io, path::Path, sync::Arc};

use crate::{
    folder::Ballast,
    kv::{Batch, Direction, Kv, KvError, Pager, Space, Span},
    transfer::{Progress, TransferError},
};

use super::{
    EmbeddedConfig,
    open::{self, Life, at},
    swap,
};

/// Bytes that are made durable together.
const BATCH_BYTES: usize = 1024 * 1024;

/// What a store took before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Rows that were copied.
    pub rows: u64,
    /// Bytes on the disk before.
    pub before: u64,
    /// Bytes on the disk after.
    pub after: u64,
}

/// Rewrites a store that nobody has open. Checks all of it first, and the copy before it takes its place; at any moment
/// a crash leaves one whole store. Takes as much room again as the store has rows. `progress` is told rows.
///
/// # Errors
/// The store does not open, is damaged, or there is no room. It is then as it was.
pub fn compact(
    config: &EmbeddedConfig,
    progress: Progress<'_>,
) -> Result<Compacted, TransferError> {
    let open::Opened { mut journal, lock, ballast } = open::whole(config, Life::Found)?;
    let (store, backend) = (&config.path, config.backend);
    let live = store.join(backend.name());
    let report = journal.check().map_err(|halt| TransferError::Store(halt.to_string()))?;
    if let Some(problem) = report.problems.first() {
        return Err(TransferError::Store(format!(
            "damaged: {problem}; nothing was changed, see the check"
        )));
    }
    let before = size(&live)?;
    let kv = Arc::clone(&journal.shared().kv);
    let copied = copy(&*kv, config, &ballast, progress);
    let rows = match copied {
        Ok(rows) => rows,
        Err(error) => {
            kv.close();
            // What stays is thrown away by the next open.
            let _ = swap::discard(store, backend);
            return Err(error);
        }
    };
    drop(journal);
    kv.close();
    drop(kv);
    open::wait_released(&live)?;
    swap::swap(store, backend)?;
    let after = size(&live)?;
    // To the end: nobody may open the store between two renames.
    drop(lock);
    Ok(Compacted { rows, before, after })
}

fn copy(
    from: &dyn Kv,
    config: &EmbeddedConfig,
    ballast: &Ballast,
    progress: Progress<'_>,
) -> Result<u64, TransferError> {
    let path = swap::copy_path(&config.path, config.backend);
    let to = open::backend(config.backend, &path, config.cache_bytes, None, ballast)?;
    to.accept().map_err(failed)?;
    let total = count(from)?;
    let rows = copy_rows(from, &*to, total, progress).map_err(failed)?;
    let same = same_rows(from, &*to).map_err(failed)?;
    to.close();
    drop(to);
    open::wait_released(&path)?;
    if !same || rows != total {
        return Err(TransferError::Store("the copy is not what was copied".to_owned()));
    }
    // Nothing of the copy may be missing once it has its name.
    sync_all(&path).map_err(at(&path))?;
    Ok(rows)
}

fn count(kv: &dyn Kv) -> Result<u64, TransferError> {
    let mut rows = 0;
    for space in Space::ALL {
        for pair in Pager::new(kv, space, Span::ALL, Direction::Up) {
            pair.map_err(failed)?;
            rows += 1;
        }
    }
    Ok(rows)
}

fn copy_rows(
    from: &dyn Kv,
    to: &dyn Kv,
    total: u64,
    progress: Progress<'_>,
) -> Result<u64, KvError> {
    let (mut rows, mut bytes) = (0, 0);
    let mut batch = Batch::default();
    for space in Space::ALL {
        for pair in Pager::new(from, space, Span::ALL, Direction::Up) {
            let (key, value) = pair?;
            rows += 1;
            bytes += key.len() + value.len();
            batch.put(space, key.to_vec(), value.to_vec());
            if bytes >= BATCH_BYTES {
                to.apply(std::mem::take(&mut batch))?;
                to.sync()?;
                bytes = 0;
                progress(rows, total);
            }
        }
    }
    if !batch.is_empty() {
        to.apply(batch)?;
        to.sync()?;
    }
    progress(rows, total);
    Ok(rows)
}

/// Whether both hold the same rows.
fn same_rows(one: &dyn Kv, other: &dyn Kv) -> Result<bool, KvError> {
    for space in Space::ALL {
        let mut theirs = Pager::new(other, space, Span::ALL, Direction::Up);
        for pair in Pager::new(one, space, Span::ALL, Direction::Up) {
            if theirs.next().transpose()? != Some(pair?) {
                return Ok(false);
            }
        }
        if theirs.next().transpose()?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn sync_all(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_all(&path)?;
        } else {
            fs::File::open(&path)?.sync_all()?;
        }
    }
    crate::folder::sync_dir(folder)
}

fn size(folder: &Path) -> Result<u64, TransferError> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.metadata()?;
        bytes += if found.is_dir() { size(&entry.path())? } else { found.len() };
    }
    Ok(bytes)
}

fn failed(error: KvError) -> TransferError {
    TransferError::Store(error.to_string())
}
