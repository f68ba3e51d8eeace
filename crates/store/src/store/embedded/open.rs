//! The steps of opening a store in a folder, each with its error for people.

use std::{
    fs::{self, TryLockError},
    io,
    path::Path,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::{
    Incarnation,
    folder::{self, Ballast, DiskRoom, FileMark, FolderLock, FormatError, LockError},
    journal::{Guard, Journal, OpenOptions, RecoverError, RoomPolicy},
    kv::{EngineOpenError, Kv, KvError},
    record::MarkRecord,
};

use super::{Backend, EmbeddedConfig, OpenError, swap};

/// Which life of a store is opened.
#[derive(Debug, Clone, Copy)]
pub(super) enum Life {
    /// The one that is there; a new one in an empty folder.
    Found,
    /// This one, in an empty folder.
    Begin(Incarnation),
}

/// A store that nobody drives yet.
pub(super) struct Opened {
    pub(super) journal: Journal,
    pub(super) lock: FolderLock,
    pub(super) ballast: Ballast,
}

/// Every step of opening, in order.
pub(super) fn whole(config: &EmbeddedConfig, life: Life) -> Result<Opened, OpenError> {
    let path = &config.path;
    folder::create(path).map_err(at(path))?;
    let lock = lock(path)?;
    format(path, config.backend)?;
    swap::settle(path, config.backend).map_err(at(path))?;
    let mark_file = config.mark_file();
    let (mark, found) = FileMark::open(&mark_file).map_err(at(&mark_file))?;
    let ballast = Ballast::new(path, config.ballast_bytes);
    let kv = engine(config, &ballast, found.as_ref())?;
    folder::restrict(path).map_err(at(path))?;
    let (new_incarnation, restored_from) = match life {
        Life::Found => (Uuid::new_v4(), None),
        Life::Begin(Incarnation { id, restored_from }) => (id, restored_from),
    };
    let options = OpenOptions {
        tuning: config.tuning.clone(),
        new_incarnation,
        restored_from,
        guard: Some(Guard { mark: Box::new(mark), found, accept_older: config.accept_older }),
        room: Some(RoomPolicy {
            room: Box::new(DiskRoom { folder: path.clone() }),
            new_entities: config.reserve_new_bytes,
            everything: config.reserve_bytes,
        }),
    };
    let journal = recover(kv, options, config, &ballast)?;
    Ok(Opened { journal, lock, ballast })
}

/// How long a backend's threads may hold its files after it was closed.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks.
const CLOSE_PAUSE: Duration = Duration::from_millis(10);

/// Waits until a closed backend has let go of its files: until then they must not be moved.
pub(super) fn wait_released(folder: &Path) -> Result<(), OpenError> {
    let deadline = Instant::now() + CLOSE_PATIENCE;
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        if !path.is_file() {
            continue;
        }
        let file = fs::File::open(&path).map_err(at(&path))?;
        while let Err(error) = file.try_lock() {
            match error {
                TryLockError::WouldBlock if Instant::now() < deadline => {
                    std::thread::sleep(CLOSE_PAUSE);
                }
                error @ (TryLockError::WouldBlock | TryLockError::Error(_)) => {
                    return Err(at(&path)(error.into()));
                }
            }
        }
    }
    Ok(())
}

/// An error of the operating system at this file or folder.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> OpenError + use<> {
    let path = path.to_owned();
    move |source| OpenError::Io { path, source }
}

/// Opens on a thread of its own, so that an engine or a disk that does not come back is not waited for in silence.
pub(super) fn within<T: Send + 'static>(
    waited: Duration,
    config: EmbeddedConfig,
    open: impl FnOnce(EmbeddedConfig) -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    let path = config.path.clone();
    let (reply, answer) = mpsc::channel();
    let opening = move || {
        // Who asked may have given up: then the store is closed again.
        let _ = reply.send(open(config));
    };
    thread::Builder::new()
        .name("store-open".to_owned())
        .spawn(opening)
        .map_err(|source| OpenError::Io { path: path.clone(), source })?;
    match answer.recv_timeout(waited) {
        Ok(opened) => opened,
        Err(RecvTimeoutError::Timeout) => Err(OpenError::Stuck { path, waited }),
        Err(RecvTimeoutError::Disconnected) => {
            Err(OpenError::Damaged { path, why: "opening it panicked".to_owned() })
        }
    }
}

fn lock(path: &Path) -> Result<FolderLock, OpenError> {
    FolderLock::acquire(path).map_err(|error| match error {
        LockError::Held(holder) => OpenError::InUse { path: path.to_owned(), holder },
        LockError::Io(source) => OpenError::Io { path: FolderLock::path(path), source },
    })
}

fn format(path: &Path, backend: Backend) -> Result<(), OpenError> {
    folder::check_format(path, backend.name()).map_err(|error| not_ours(path, backend, error))
}

/// What a store in this folder was made with; `None` if there is no store.
///
/// # Errors
/// The folder cannot be read, or holds a store that this program does not know.
pub fn backend_of(path: &Path) -> Result<Option<Backend>, OpenError> {
    let found = folder::made_with(path).and_then(|found| {
        found.map(|name| name.parse().map_err(|_| FormatError::Backend { found: name })).transpose()
    });
    found.map_err(|error| not_ours(path, Backend::default(), error))
}

fn not_ours(path: &Path, wanted: Backend, error: FormatError) -> OpenError {
    let path = path.to_owned();
    match error {
        FormatError::Io(source) => OpenError::Io { path, source },
        FormatError::Newer { found } => OpenError::Newer { path, found },
        FormatError::Unknown(why) => OpenError::NotAStore { path, why },
        FormatError::Backend { found } => match found.parse() {
            Ok(found) => OpenError::OtherBackend { path, found, wanted },
            Err(error) => OpenError::NotAStore { path, why: error.to_string() },
        },
    }
}

/// Opens the backend; on a full disk once more with the reserve given back.
fn engine(
    config: &EmbeddedConfig,
    ballast: &Ballast,
    mark: Option<&MarkRecord>,
) -> Result<Arc<dyn Kv>, OpenError> {
    let mark_generation = Some(mark.map_or(0, |mark| mark.generation));
    let folder = config.path.join(config.backend.name());
    backend(config.backend, &folder, config.cache_bytes, mark_generation, ballast)
}

/// Opens or makes a backend's own files in a folder. `mark_generation`: `None` for new files, in which an open can
/// destroy nothing.
pub(super) fn backend(
    backend: Backend,
    folder: &Path,
    cache_bytes: u64,
    mark_generation: Option<u64>,
    ballast: &Ballast,
) -> Result<Arc<dyn Kv>, OpenError> {
    let open: Opener = match backend {
        #[cfg(feature = "sled")]
        Backend::Sled => |folder, cache_bytes, mark_generation| {
            let path = folder.to_owned();
            let folder = crate::kv::sled::SledFolder { path, cache_bytes, mark_generation };
            folder.open().map(|kv| Arc::new(kv) as Arc<dyn Kv>)
        },
        #[cfg(feature = "redb")]
        Backend::Redb => |folder, cache, _| {
            crate::kv::redb::open(folder, cache).map(|kv| Arc::new(kv) as Arc<dyn Kv>)
        },
        #[cfg(not(all(feature = "sled", feature = "redb")))]
        missing => return Err(OpenError::NotBuiltIn(missing)),
    };
    with_reserve(ballast, || open(folder, cache_bytes, mark_generation)).map_err(
        |error| match error {
            EngineOpenError::Io(source) => OpenError::Io { path: folder.to_owned(), source },
            EngineOpenError::Damaged(why) => OpenError::Damaged { path: folder.to_owned(), why },
        },
    )
}

/// By its folder, the bytes it may cache, and how often the mark had been noted before.
type Opener = fn(&Path, u64, Option<u64>) -> Result<Arc<dyn Kv>, EngineOpenError>;

/// Opens; on a full disk once more with the reserve given back, if there is one.
fn with_reserve<T>(
    ballast: &Ballast,
    mut open: impl FnMut() -> Result<T, EngineOpenError>,
) -> Result<T, EngineOpenError> {
    match open() {
        Err(EngineOpenError::Io(error))
            if error.kind() == io::ErrorKind::StorageFull && ballast.release().unwrap_or(false) =>
        {
            open()
        }
        other => other,
    }
}

/// The journal's own checks; reads of a damaged engine may panic.
fn recover(
    kv: Arc<dyn Kv>,
    options: OpenOptions,
    config: &EmbeddedConfig,
    ballast: &Ballast,
) -> Result<Journal, OpenError> {
    let accept = || match kv.accept() {
        Err(KvError::Full(_)) if ballast.release().unwrap_or(false) => kv.accept(),
        other => other,
    };
    let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let journal = Journal::open(Arc::clone(&kv), options)?;
        accept()?;
        Ok(journal)
    }));
    if !matches!(opened, Ok(Ok(_))) {
        // The folder is left as it was found.
        kv.close();
    }
    let backend = config.backend;
    let damaged = |why| OpenError::Damaged { path: config.path.join(backend.name()), why };
    match opened {
        Ok(Ok(journal)) => Ok(journal),
        Ok(Err(error)) => Err(match error {
            RecoverError::Kv(_) | RecoverError::Halted(_) => damaged(error.to_string()),
            RecoverError::Lost { .. }
            | RecoverError::OtherStore { .. }
            | RecoverError::MarkMissing { .. } => OpenError::Lost {
                path: config.path.clone(),
                mark: config.mark_file(),
                why: error.to_string(),
            },
        }),
        Err(panic) => Err(damaged(format!("{backend} panicked: {}", folder::panic_text(&*panic)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> EngineOpenError {
        EngineOpenError::Io(io::ErrorKind::StorageFull.into())
    }

    /// An engine that opens only when the reserve is gone.
    #[test]
    fn the_reserve_goes_only_when_an_open_needs_it() {
        let folder = tempfile::tempdir().unwrap();
        let ballast = Ballast::new(folder.path(), 1_000);
        let held = || folder.path().join("BALLAST").exists();
        ballast.hold(0).unwrap();
        assert!(with_reserve(&ballast, || Ok(())).is_ok() && held());
        let damaged = || Err::<(), _>(EngineOpenError::Damaged("torn".to_owned()));
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
