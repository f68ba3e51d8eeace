//! redb 4 behind the seam.
//!
//! While it opens it repairs what a crash has left; that is written only once the store is accepted, see [`tentative`].
//!
//! A batch is a write transaction that stays open until the sync commits it: one `fdatasync` a group, and readers see
//! nothing that is not durable. A crash leaves redb at its last commit; it proves that by the checksums of every page, the
//! next time it is opened, which takes time by what is stored.
//!
//! After a failed write redb refuses everything until it is opened again, and that is right: nothing is retried here.

mod empty;
mod tentative;

use std::{
    fs, io,
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, RwLock, RwLockReadGuard},
};

use bytes::Bytes;
use redb::{
    AccessGuard, Database, DatabaseError, Error, ReadableDatabase as _, StorageError,
    TableDefinition, WriteTransaction,
};

use crate::folder::{panic_text, sync_dir};

use self::tentative::TentativeFile;

use super::{Batch, Direction, EngineOpenError, Kv, KvError, Pair, Space, Span, Write};

/// What holds everything, in the engine's folder.
const DATA: &str = "data.redb";

/// A data file in the making: one that a crash left unfinished is never opened.
const NEW_DATA: &str = "data.redb.new";

/// Four of them fill a page. One of 3 KiB has a page for itself, and two such pages were measured to take twice the room.
const VALUE_BYTES: usize = 960;

/// An open redb database.
#[derive(Debug)]
pub(crate) struct RedbKv {
    open: RwLock<Option<Open>>,
}

struct Open {
    database: Database,
    /// What was applied and is not synced.
    pending: Mutex<Option<WriteTransaction>>,
    path: PathBuf,
    /// Holds writes back until the store is accepted; `None` in tests.
    file: Option<TentativeFile>,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open").field("path", &self.path).finish_non_exhaustive()
    }
}

const fn table(space: Space) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(space.name())
}

/// The file that holds the data, for messages.
pub(crate) fn data_file(folder: &Path) -> PathBuf {
    folder.join(DATA)
}

/// Opens what is in the folder, or creates it. Damage makes redb return an error or panic: both end as an error.
pub(crate) fn open(folder: &Path, cache_bytes: u64) -> Result<RedbKv, EngineOpenError> {
    fs::create_dir_all(folder)?;
    let path = data_file(folder);
    type Opened = Result<(Database, TentativeFile), EngineOpenError>;
    let opened = catch_unwind(AssertUnwindSafe(|| -> Opened {
        if !path.exists() {
            create(folder, &path)?;
        }
        let file = fs::OpenOptions::new().read(true).write(true).open(&path)?;
        if file.metadata()?.len() == 0 {
            return Err(EngineOpenError::Damaged("redb's data file is empty".to_owned()));
        }
        let file = TentativeFile::of(file)?;
        let cache = usize::try_from(cache_bytes).unwrap_or(usize::MAX);
        let builder = &mut Database::builder();
        Ok((builder.set_cache_size(cache).create_with_backend(file.clone())?, file))
    }));
    let (database, file) = opened.map_err(|panic| {
        EngineOpenError::Damaged(format!("redb panicked: {}", panic_text(&*panic)))
    })??;
    empty::make_missing_tables(&database).map_err(DatabaseFailure)?;
    Ok(RedbKv::over(database, path, Some(file)))
}

/// Makes an empty database under another name and moves it into place, whole.
fn create(folder: &Path, path: &Path) -> Result<(), EngineOpenError> {
    let new = folder.join(NEW_DATA);
    match fs::remove_file(&new) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    let mut file = fs::File::create_new(&new)?;
    empty::write(&mut file).map_err(DatabaseFailure)?;
    drop(file);
    fs::rename(&new, path)?;
    sync_dir(folder)?;
    folder.parent().map_or(Ok(()), sync_dir)?;
    Ok(())
}

impl RedbKv {
    fn over(database: Database, path: PathBuf, file: Option<TentativeFile>) -> Self {
        Self { open: RwLock::new(Some(Open { database, pending: Mutex::new(None), path, file })) }
    }

    fn open(&self) -> RwLockReadGuard<'_, Option<Open>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kv for RedbKv {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        let guard = self.open();
        let open = guard.as_ref().ok_or(KvError::Closed)?;
        let read = open.database.begin_read().map_err(failed)?;
        let table = read.open_table(table(space)).map_err(failed)?;
        let value = table.get(key).map_err(failed)?;
        Ok(value.map(|value| Bytes::copy_from_slice(value.value())))
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
        let read = open.database.begin_read().map_err(failed)?;
        let table = read.open_table(table(space)).map_err(failed)?;
        let bounds: (Bound<&[u8]>, Bound<&[u8]>) =
            (span.lower.as_ref().map(Vec::as_slice), span.upper.as_ref().map(Vec::as_slice));
        let range = table.range::<&[u8]>(bounds).map_err(failed)?;
        match direction {
            Direction::Up => range.take(limit).map(pair).collect(),
            Direction::Down => range.rev().take(limit).map(pair).collect(),
        }
    }

    fn batch(&self) -> Batch {
        Batch::of_values(VALUE_BYTES)
    }

    fn apply(&self, batch: Batch) -> Result<(), KvError> {
        let guard = self.open();
        let open = guard.as_ref().ok_or(KvError::Closed)?;
        let mut pending = open.pending.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken out, so that a batch that fails half-way is never committed with a later one.
        let write = match pending.take() {
            Some(write) => write,
            None => open.database.begin_write().map_err(failed)?,
        };
        let mut by_space: [Vec<Write>; Space::ALL.len()] = Default::default();
        for write in batch.into_writes() {
            by_space[write.space.index()].push(write);
        }
        for (space, writes) in Space::ALL.into_iter().zip(by_space) {
            if writes.is_empty() {
                continue;
            }
            let mut table = write.open_table(table(space)).map_err(failed)?;
            for Write { key, value, .. } in writes {
                match value {
                    Some(value) => table.insert(&key[..], &value[..]),
                    None => table.remove(&key[..]),
                }
                .map_err(failed)?;
            }
        }
        *pending = Some(write);
        Ok(())
    }

    fn sync(&self) -> Result<(), KvError> {
        let guard = self.open();
        let open = guard.as_ref().ok_or(KvError::Closed)?;
        let mut pending = open.pending.lock().unwrap_or_else(PoisonError::into_inner);
        match pending.take() {
            Some(write) => write.commit().map_err(failed),
            None => Ok(()),
        }
    }

    fn size(&self) -> Result<u64, KvError> {
        let guard = self.open();
        let open = guard.as_ref().ok_or(KvError::Closed)?;
        fs::metadata(&open.path)
            .map(|found| found.len())
            .map_err(|error| KvError::Failed(format!("{}: {error}", open.path.display())))
    }

    fn accept(&self) -> Result<(), KvError> {
        let guard = self.open();
        let open = guard.as_ref().ok_or(KvError::Closed)?;
        let accepted = open.file.as_ref().map_or(Ok(()), TentativeFile::accept);
        accepted.map_err(|error| {
            if error.kind() == io::ErrorKind::StorageFull {
                // Nothing of what was held back is lost: it may be tried again.
                KvError::Full(error.to_string())
            } else {
                failed(StorageError::Io(error))
            }
        })
    }

    fn close(&self) {
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(open);
    }
}

type Found<'a> = (AccessGuard<'a, &'static [u8]>, AccessGuard<'a, &'static [u8]>);

fn pair(found: Result<Found<'_>, StorageError>) -> Result<Pair, KvError> {
    let (key, value) = found.map_err(failed)?;
    Ok((Bytes::copy_from_slice(key.value()), Bytes::copy_from_slice(value.value())))
}

fn failed<E: Into<Error>>(error: E) -> KvError {
    let error = error.into();
    if let Error::Corrupted(why) = &error {
        return KvError::Damaged(format!("redb's data file: {why}"));
    }
    if let Error::Io(io) = &error
        && io.kind() == io::ErrorKind::StorageFull
    {
        return KvError::Failed(
            "the disk is full, and redb cannot go on after a failed write: make room and open the store \
             again"
                .to_owned(),
        );
    }
    KvError::Failed(format!("redb: {error}"))
}

/// Any error of redb on the way to a database.
struct DatabaseFailure<E>(E);

impl<E: Into<Error>> From<DatabaseFailure<E>> for EngineOpenError {
    fn from(DatabaseFailure(error): DatabaseFailure<E>) -> Self {
        let error = error.into();
        if let Error::Io(error) = error {
            return Self::Io(error);
        }
        Self::Damaged(error.to_string())
    }
}

impl From<DatabaseError> for EngineOpenError {
    fn from(error: DatabaseError) -> Self {
        DatabaseFailure(error).into()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    };

    use redb::{StorageBackend, backends::InMemoryBackend};

    use super::*;

    /// A disk whose syncs can be made to fail, and that counts them.
    #[derive(Debug, Clone)]
    struct Disk {
        inner: Arc<InMemoryBackend>,
        fails: Arc<AtomicBool>,
        syncs: Arc<AtomicU64>,
    }

    impl StorageBackend for Disk {
        fn len(&self) -> io::Result<u64> {
            self.inner.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.inner.read(offset, out)
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.inner.set_len(len)
        }

        fn sync_data(&self) -> io::Result<()> {
            self.syncs.fetch_add(1, Ordering::Relaxed);
            if self.fails.load(Ordering::Relaxed) {
                return Err(io::Error::other("the disk is gone"));
            }
            self.inner.sync_data()
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.inner.write(offset, data)
        }
    }

    fn put(kv: &RedbKv, key: &[u8]) -> Result<(), KvError> {
        let mut batch = Batch::default();
        batch.put(Space::Meta, key.to_vec(), b"value".to_vec());
        kv.apply(batch)
    }

    #[test]
    fn a_failed_sync_is_the_end() {
        let disk = Disk {
            inner: Arc::new(InMemoryBackend::new()),
            fails: Arc::default(),
            syncs: Arc::default(),
        };
        let database = Database::builder().create_with_backend(disk.clone()).unwrap();
        empty::make_tables(&database).unwrap();
        let kv = RedbKv::over(database, PathBuf::new(), None);
        put(&kv, b"first").unwrap();
        assert_eq!(kv.get(Space::Meta, b"first").unwrap(), None, "read before it was durable");
        kv.sync().unwrap();
        assert_eq!(kv.get(Space::Meta, b"first").unwrap().unwrap(), "value");

        put(&kv, b"second").unwrap();
        disk.fails.store(true, Ordering::Relaxed);
        let error = kv.sync().unwrap_err();
        assert!(
            matches!(&error, KvError::Failed(why) if why.contains("the disk is gone")),
            "{error}"
        );
        // The disk is well again; nobody asks it.
        disk.fails.store(false, Ordering::Relaxed);
        let syncs = disk.syncs.load(Ordering::Relaxed);
        let again = put(&kv, b"third").and_then(|()| kv.sync());
        assert!(matches!(again, Err(KvError::Failed(_))), "{again:?}");
        assert_eq!(disk.syncs.load(Ordering::Relaxed), syncs);
        assert!(!matches!(kv.get(Space::Meta, b"second"), Ok(Some(_))));
    }

    /// A batch that fails half-way, or was never synced, leaves nothing behind.
    #[test]
    fn what_was_not_synced_goes_with_the_close() {
        let folder = tempfile::tempdir().unwrap();
        let kv = open(folder.path(), 1024 * 1024).unwrap();
        kv.accept().unwrap();
        put(&kv, b"first").unwrap();
        kv.sync().unwrap();
        put(&kv, b"second").unwrap();
        kv.close();
        assert_eq!(kv.get(Space::Meta, b"first"), Err(KvError::Closed));
        let kv = open(folder.path(), 1024 * 1024).unwrap();
        assert!(kv.get(Space::Meta, b"first").unwrap().is_some());
        assert_eq!(kv.get(Space::Meta, b"second").unwrap(), None);
    }

    /// What a crash left of a database in the making is made anew.
    #[test]
    fn half_a_database_is_never_opened() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(NEW_DATA), b"redb, or the beginning of it").unwrap();
        let kv = open(folder.path(), 1024 * 1024).unwrap();
        put(&kv, b"first").unwrap();
        kv.sync().unwrap();
        assert!(!folder.path().join(NEW_DATA).exists());
    }
}
