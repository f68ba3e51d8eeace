//! The embedded default: the journal on sled, in a folder of its own.

use std::{
    any::Any,
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    BoxFuture, CheckReport, Claim, Commit, CommitError, Committed, Cursor, Due, Entity, EntityId,
    Event, FeedPage, Health, InboxItem, InboxSeq, Incarnation, Kind, Label, ListQuery, Micros,
    NewInboxItem, PartitionId, Position, ReadError, Stats, Store, Tuning, Version,
    folder::{self, Ballast, DiskRoom, FileMark, FolderLock, FormatError, LockError, check_format},
    journal::{Guard, Journal, OpenOptions, RecoverError, RoomPolicy},
    kv::sled::{SledFolder, SledKv, SledOpenError},
    writer::GroupBounds,
};

use super::threaded::{Running, Threaded};

/// How a store in a folder is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SledConfig {
    /// The store's own folder; created if it is not there.
    pub path: PathBuf,
    /// Where the high-water mark is kept; `None`: inside the folder. Only a mark on another volume notices that the
    /// whole folder was put back to an older state.
    pub mark_path: Option<PathBuf>,
    /// Open even if the mark says that something is missing, or without a mark. The store becomes a new incarnation:
    /// followers of the feed are told to start again. For restoring on purpose, never for every start.
    pub accept_older: bool,
    /// Bytes that sled may cache. It takes some more.
    pub cache_bytes: u64,
    /// Bytes held back so that the store can be opened again on a full disk.
    pub ballast_bytes: u64,
    /// Below so many free bytes new entities are refused.
    pub reserve_new_bytes: u64,
    /// Below so many free bytes everything is refused; sled does not survive a write that fails for want of room.
    pub reserve_bytes: u64,
    /// Steps in one group; a larger one makes readers wait longer while it is applied.
    pub group_entries: usize,
    /// Bytes in one group.
    pub group_bytes: usize,
    /// Bytes of steps that may wait; further callers wait for their turn.
    pub queue_bytes: usize,
    /// A group that takes longer halts the store.
    pub commit_timeout: Duration,
    /// How far the rows may lag behind the journal.
    pub tuning: Tuning,
}

impl SledConfig {
    /// The defaults, for a service of its own.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            path: path.into(),
            mark_path: None,
            accept_older: false,
            cache_bytes: 128 * MIB,
            ballast_bytes: 4 * MIB,
            reserve_new_bytes: 64 * MIB,
            reserve_bytes: 16 * MIB,
            group_entries: 256,
            group_bytes: 1024 * 1024,
            queue_bytes: 16 * 1024 * 1024,
            commit_timeout: Duration::from_secs(30),
            tuning: Tuning::embedded(),
        }
    }

    fn mark_file(&self) -> PathBuf {
        self.mark_path.clone().unwrap_or_else(|| self.path.join("MARK"))
    }
}

/// Why a store was not opened. Nothing was changed in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The operating system refused something.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("{}: the store is open already, held by {holder}; end that process first", path.display())]
    InUse {
        /// The store's folder.
        path: PathBuf,
        /// Process, host and time of whoever has it.
        holder: String,
    },
    /// A newer program wrote it.
    #[error("{}: the store has format {found}, which this program does not know; use the newer program", path.display())]
    Newer {
        /// The store's folder.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Not a store.
    #[error("{}: not a store: {why}; give the store an empty folder of its own", path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Its files are damaged.
    #[error("{}: damaged: {why}; keep a copy of the folder, then restore a backup", path.display())]
    Damaged {
        /// The file or folder.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// It has less than it once had, or is not the store that it was.
    #[error(
        "{}: {why} (mark: {}); restore the newest backup, or accept the older state explicitly",
        path.display(), mark.display()
    )]
    Lost {
        /// The store's folder.
        path: PathBuf,
        /// The mark's file.
        mark: PathBuf,
        /// What is missing.
        why: String,
    },
}

/// A durable store in a folder; see [`crate::Store`].
#[derive(Debug)]
pub struct SledStore {
    inner: Threaded,
}

impl SledStore {
    /// Opens or creates the store. Blocks for as long as that takes: call it before the service serves.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(config: SledConfig) -> Result<Self, OpenError> {
        let path = config.path.clone();
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Io { path, source }
        };
        folder::create(&path).map_err(at(&path))?;
        let lock = lock(&path)?;
        format(&path)?;
        let mark_file = config.mark_file();
        let (mark, found) = FileMark::open(&mark_file).map_err(at(&mark_file))?;
        let ballast = Ballast::new(&path, config.ballast_bytes);
        let kv = Arc::new(open_engine(&config, &ballast)?);
        folder::restrict(&path).map_err(at(&path))?;
        let options = OpenOptions {
            tuning: config.tuning,
            new_incarnation: Uuid::new_v4(),
            guard: Some(Guard { mark: Box::new(mark), found, accept_older: config.accept_older }),
            room: Some(RoomPolicy {
                room: Box::new(DiskRoom { folder: path.clone() }),
                new_entities: config.reserve_new_bytes,
                everything: config.reserve_bytes,
            }),
        };
        let journal = recover(kv, options, &path, &mark_file)?;
        let running = Running {
            group: GroupBounds { entries: config.group_entries.max(1), bytes: config.group_bytes },
            queue_bytes: config.queue_bytes,
            commit_timeout: config.commit_timeout,
        };
        // On a disk that is nearly full the reserve waits for better days; the store says so by its health.
        let _ = ballast.hold();
        let keep: Box<dyn Any + Send> = Box::new(lock);
        let inner = Threaded::start(journal, running, keep).map_err(at(&path))?;
        Ok(Self { inner })
    }

    /// Compares everything that can be looked up with the whole journal. Commits wait while it runs.
    ///
    /// # Errors
    /// The store has stopped.
    pub async fn check(&self) -> Result<CheckReport, ReadError> {
        self.inner.check().await
    }

    /// Figures about the store.
    ///
    /// # Errors
    /// The store has stopped.
    pub async fn stats(&self) -> Result<Stats, ReadError> {
        self.inner.stats().await
    }
}

fn lock(path: &Path) -> Result<FolderLock, OpenError> {
    FolderLock::acquire(path).map_err(|error| match error {
        LockError::Held(holder) => OpenError::InUse { path: path.to_owned(), holder },
        LockError::Io(source) => OpenError::Io { path: FolderLock::path(path), source },
    })
}

fn format(path: &Path) -> Result<(), OpenError> {
    let path = path.to_owned();
    check_format(&path).map_err(|error| match error {
        FormatError::Io(source) => OpenError::Io { path, source },
        FormatError::Newer { found } => OpenError::Newer { path, found },
        FormatError::Unknown(why) => OpenError::NotAStore { path, why },
    })
}

/// Opens sled; on a full disk once more with the reserve given back.
fn open_engine(config: &SledConfig, ballast: &Ballast) -> Result<SledKv, OpenError> {
    let engine = SledFolder { path: config.path.join("sled"), cache_bytes: config.cache_bytes };
    with_reserve(ballast, || engine.open()).map_err(|error| match error {
        SledOpenError::Io(source) => OpenError::Io { path: engine.path.clone(), source },
        SledOpenError::Damaged(why) => OpenError::Damaged { path: engine.data_file(), why },
    })
}

/// Opens; on a full disk once more with the reserve given back, if there is one.
fn with_reserve<T>(
    ballast: &Ballast,
    mut open: impl FnMut() -> Result<T, SledOpenError>,
) -> Result<T, SledOpenError> {
    match open() {
        Err(SledOpenError::Io(error))
            if error.kind() == io::ErrorKind::StorageFull && ballast.release().unwrap_or(false) =>
        {
            open()
        }
        other => other,
    }
}

/// The journal's own checks; reads of a damaged engine may panic.
fn recover(
    kv: Arc<SledKv>,
    options: OpenOptions,
    path: &Path,
    mark: &Path,
) -> Result<Journal, OpenError> {
    let opened =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Journal::open(kv, options)));
    let damaged = |why| OpenError::Damaged { path: path.join("sled"), why };
    match opened {
        Ok(Ok(journal)) => Ok(journal),
        Ok(Err(error)) => Err(match error {
            RecoverError::Kv(_) | RecoverError::Halted(_) => damaged(error.to_string()),
            RecoverError::Lost { .. }
            | RecoverError::OtherStore { .. }
            | RecoverError::MarkMissing { .. } => OpenError::Lost {
                path: path.to_owned(),
                mark: mark.to_owned(),
                why: error.to_string(),
            },
        }),
        Err(panic) => Err(damaged(format!("sled panicked: {}", folder::panic_text(&*panic)))),
    }
}

impl Store for SledStore {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, CommitError>> {
        self.inner.commit(commit)
    }

    fn append_inbox(&self, item: NewInboxItem) -> BoxFuture<'_, Result<InboxSeq, CommitError>> {
        self.inner.append_inbox(item)
    }

    fn load(&self, id: EntityId) -> BoxFuture<'_, Result<Option<Entity>, ReadError>> {
        self.inner.load(id)
    }

    fn by_claim(&self, claim: &Claim) -> BoxFuture<'_, Result<Option<EntityId>, ReadError>> {
        self.inner.by_claim(claim)
    }

    fn due(
        &self,
        partition: PartitionId,
        until: Micros,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, ReadError>> {
        self.inner.due(partition, until, limit)
    }

    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Vec<Entity>, ReadError>> {
        self.inner.list(query)
    }

    fn counts(&self, kind: Kind) -> BoxFuture<'_, Result<BTreeMap<Label, u64>, ReadError>> {
        self.inner.counts(kind)
    }

    fn history(
        &self,
        id: EntityId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Event>, ReadError>> {
        self.inner.history(id, after, limit)
    }

    fn feed(
        &self,
        after: Option<Cursor>,
        limit: usize,
    ) -> BoxFuture<'_, Result<FeedPage, ReadError>> {
        self.inner.feed(after, limit)
    }

    fn inbox(
        &self,
        after: Option<InboxSeq>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InboxItem>, ReadError>> {
        self.inner.inbox(after, limit)
    }

    fn inbox_len(&self) -> u64 {
        self.inner.inbox_len()
    }

    fn incarnation(&self) -> Incarnation {
        self.inner.incarnation()
    }

    fn durable(&self) -> watch::Receiver<Position> {
        self.inner.durable()
    }

    fn health(&self) -> watch::Receiver<Health> {
        self.inner.health()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        self.inner.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> SledOpenError {
        SledOpenError::Io(io::ErrorKind::StorageFull.into())
    }

    /// An engine that opens only when the reserve is gone.
    #[test]
    fn the_reserve_goes_only_when_an_open_needs_it() {
        let folder = tempfile::tempdir().unwrap();
        let ballast = Ballast::new(folder.path(), 1_000);
        let held = || folder.path().join("BALLAST").exists();
        ballast.hold().unwrap();
        assert!(with_reserve(&ballast, || Ok(())).is_ok() && held());
        let damaged = || Err::<(), _>(SledOpenError::Damaged("torn".to_owned()));
        assert!(with_reserve(&ballast, damaged).is_err() && held());
        let opened = with_reserve(&ballast, || if held() { Err(full()) } else { Ok(()) });
        assert!(opened.is_ok() && !held());
        let mut tries = 0;
        let never = with_reserve(&ballast, || {
            tries += 1;
            Err::<(), _>(full())
        });
        assert!(never.is_err());
        assert_eq!(tries, 1, "without a reserve it is not tried again");
    }
}
