//! sled 0.34 behind the seam, made to keep its word.
//!
//! What it needs from us, all of it measured: its `flush` asks the kernel to start writing and does not wait for the
//! disk, so every sync is followed by an `fdatasync` of its data file on a handle of our own. One batch per sync: many
//! small ones between two syncs can deadlock inside it. It frees memory only as fast as epochs advance, which one big
//! batch does once; so every sync advances them by hand. Values stay small (see [`super::wide`]): larger ones go to files
//! that it never syncs.
//!
//! While it opens it destroys what it takes for damaged; see [`keepsake`] for how that is undone.
//!
//! After a failed write sled refuses everything until it is opened again, and that is right: nothing is retried here.

mod keepsake;
mod open;

pub(crate) use open::SledFolder;

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
};

use bytes::Bytes;
use sled::{
    IVec, Tree,
    transaction::{ConflictableTransactionError, TransactionError, Transactional},
};

use self::keepsake::Keepsake;

use super::{Batch, Direction, Kv, KvError, Pair, Space, Span, Write};

/// How often the epochs are advanced per sync: measured to hold the memory at a few hundred MiB instead of several GiB.
const EPOCHS_PER_SYNC: usize = 8;

/// An open sled database.
#[derive(Debug)]
pub(crate) struct SledKv {
    open: RwLock<Option<Open>>,
    /// What the folder was before it was opened, until it is known to be whole.
    keepsake: Mutex<Option<Keepsake>>,
}

#[derive(Debug)]
struct Open {
    db: sled::Db,
    /// In the order of [`Space::ALL`].
    trees: [Tree; Space::ALL.len()],
    /// Our own handle of the data file.
    data: File,
}

impl SledKv {
    fn open(&self) -> RwLockReadGuard<'_, Option<Open>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn keepsake(&self) -> MutexGuard<'_, Option<Keepsake>> {
        self.keepsake.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn tree(&self, space: Space) -> &Tree {
        &self.trees[space.index()]
    }
}

impl Kv for SledKv {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        let guard = self.open();
        let open = guard.as_ref().ok_or(KvError::Closed)?;
        let value = open.tree(space).get(key).map_err(failed)?;
        Ok(value.map(|value| Bytes::copy_from_slice(&value)))
    }

    fn scan(
        &self,
        space: Space,
        span: &Span,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Pair>, KvError> {
        if span.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let guard = self.open();
        let open = guard.as_ref().ok_or(KvError::Closed)?;
        let bounds: (Bound<&[u8]>, Bound<&[u8]>) =
            (span.lower.as_ref().map(Vec::as_slice), span.upper.as_ref().map(Vec::as_slice));
        let range = open.tree(space).range::<&[u8], _>(bounds);
        match direction {
            Direction::Up => range.take(limit).map(pair).collect(),
            Direction::Down => range.rev().take(limit).map(pair).collect(),
        }
    }

    fn apply(&self, batch: Batch) -> Result<(), KvError> {
        let guard = self.open();
        let open = guard.as_ref().ok_or(KvError::Closed)?;
        let mut batches: BTreeMap<Space, sled::Batch> = BTreeMap::new();
        for Write { space, key, value } in batch.into_writes() {
            let batch = batches.entry(space).or_default();
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        if batches.len() == 1
            && let Some((space, batch)) = batches.pop_first()
        {
            return open.tree(space).apply_batch(batch).map_err(failed);
        }
        let trees: Vec<&Tree> = batches.keys().map(|space| open.tree(*space)).collect();
        trees
            .as_slice()
            .transaction(|views| {
                for (view, batch) in views.iter().zip(batches.values()) {
                    view.apply_batch(batch)?;
                }
                Ok::<(), ConflictableTransactionError<()>>(())
            })
            .map_err(|error| match error {
                TransactionError::Storage(error) => failed(error),
                TransactionError::Abort(()) => {
                    KvError::Failed("sled aborted a batch that nobody aborts".to_owned())
                }
            })
    }

    fn sync(&self) -> Result<(), KvError> {
        let guard = self.open();
        let open = guard.as_ref().ok_or(KvError::Closed)?;
        open.db.flush().map_err(failed)?;
        open.data.sync_data().map_err(|error| {
            KvError::Failed(format!("fdatasync of sled's data file failed: {error}"))
        })?;
        for _ in 0..EPOCHS_PER_SYNC {
            crossbeam_epoch::pin().flush();
        }
        Ok(())
    }

    fn size(&self) -> Result<u64, KvError> {
        let guard = self.open();
        let open = guard.as_ref().ok_or(KvError::Closed)?;
        open.db.size_on_disk().map_err(failed)
    }

    fn accept(&self) -> Result<(), KvError> {
        let Some(keepsake) = self.keepsake().take() else { return Ok(()) };
        keepsake.release().map_err(|error| {
            KvError::Failed(format!("what was kept for going back cannot be removed: {error}"))
        })
    }

    fn close(&self) {
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(open);
        if let Some(keepsake) = self.keepsake().take() {
            // Where that is not possible now it stays, and the next open does it.
            let _ = keepsake.put_back_once_free();
        }
    }
}

fn pair(item: sled::Result<(IVec, IVec)>) -> Result<Pair, KvError> {
    let (key, value) = item.map_err(failed)?;
    Ok((Bytes::copy_from_slice(&key), Bytes::copy_from_slice(&value)))
}

fn failed(error: sled::Error) -> KvError {
    match error {
        sled::Error::Corruption { at, .. } => KvError::Damaged(match at {
            Some(at) => format!("sled's data file at {at:?}"),
            None => "sled's data file or its snapshot".to_owned(),
        }),
        sled::Error::Io(error) if error.kind() == io::ErrorKind::StorageFull => KvError::Failed(
            "the disk is full, and sled cannot go on after a failed write: make room and open the \
             store again"
                .to_owned(),
        ),
        sled::Error::Io(error) => KvError::Failed(format!("sled: {error}")),
        sled::Error::Unsupported(why) | sled::Error::ReportableBug(why) => {
            KvError::Failed(format!("sled: {why}"))
        }
        error @ sled::Error::CollectionNotFound(_) => KvError::Failed(format!("sled: {error}")),
    }
}
