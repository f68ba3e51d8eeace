//! Opening sled so that nothing it does at that moment can hurt.
//!
//! A crash while sled opens can leave a torn `snap.*.generating`, which it takes for its newest snapshot ever after: it is
//! removed first. Damage makes it return an error or panic: both end as an error that names the folder. What it creates
//! is synced with its directories, which it does not do itself. A new database is made under another name and gets its own
//! once it is complete: half of one could never be opened.

use std::{
    fs::{self, TryLockError},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, RwLock},
    time::{Duration, Instant},
};

use crate::{
    folder::{panic_text, sync_dir},
    kv::{EngineOpenError, Kv, Space},
};

use super::{
    Open, SledKv,
    keepsake::{DATA, Keepsake},
};

/// How long they may take.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Between two tries for the file.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Where sled lives and how much it may cache.
#[derive(Debug, Clone)]
pub(crate) struct SledFolder {
    pub(crate) path: PathBuf,
    pub(crate) cache_bytes: u64,
    /// How often the mark had been noted before this open; with it an older keepsake is told from this one's. `None`: new
    /// files, of which nothing has to be kept.
    pub(crate) mark_generation: Option<u64>,
}

impl SledFolder {
    /// Opens what is there, or creates it. Until [`crate::kv::Kv::accept`] a close leaves the folder as it was before.
    pub(crate) fn open(&self) -> Result<SledKv, EngineOpenError> {
        self.create()?;
        let keepsake = match self.mark_generation {
            Some(generation) => self.keep(generation)?,
            None => None,
        };
        let opened = open_once_free(&self.path, self.cache_bytes)
            .and_then(|kv| sync_created(&self.path).map(|()| kv).map_err(EngineOpenError::Io));
        match opened {
            Ok(kv) => {
                *kv.keepsake() = keepsake;
                Ok(kv)
            }
            Err(error) => {
                if let Some(keepsake) = keepsake {
                    // Where that is not possible now it stays, and the next open does it.
                    let _ = keepsake.put_back_once_free();
                }
                Err(error)
            }
        }
    }

    /// Keeps what an open may destroy; first ends what an open before may have left.
    fn keep(&self, generation: u64) -> io::Result<Option<Keepsake>> {
        let store = self.path.parent().unwrap_or(&self.path);
        let keepsake = Keepsake::new(store, &self.path);
        keepsake.put_back_left_over(generation)?;
        self.remove_torn_snapshots()?;
        match keepsake.take(generation) {
            Ok(()) => Ok(Some(keepsake)),
            // Without room it is opened all the same: a full disk is common, and that it is damaged as well is not.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a database where there is none, whole or not at all.
    fn create(&self) -> Result<(), EngineOpenError> {
        if self.path.is_dir() {
            return Ok(());
        }
        let unfinished = self.path.with_extension("new");
        if unfinished.is_dir() {
            fs::remove_dir_all(&unfinished)?;
        }
        fs::create_dir_all(&unfinished)?;
        open_once_free(&unfinished, self.cache_bytes)?.close();
        wait_until_free(&unfinished)?;
        sync_created(&unfinished)?;
        fs::rename(&unfinished, &self.path)?;
        self.path.parent().map_or(Ok(()), sync_dir)?;
        Ok(())
    }

    fn remove_torn_snapshots(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "generating") {
                fs::remove_file(&path)?;
            }
        }
        sync_dir(&self.path)
    }
}

/// Its threads let go of the file a moment after the last handle is dropped.
fn open_once_free(folder: &Path, cache_bytes: u64) -> Result<SledKv, EngineOpenError> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match try_open(folder, cache_bytes) {
            Err(error) if is_lock(&error) && Instant::now() < deadline => {
                std::thread::sleep(LOCK_PAUSE);
            }
            other => return other,
        }
    }
}

/// Waits until sled's threads have let go of the file.
pub(super) fn wait_until_free(folder: &Path) -> io::Result<()> {
    let data = fs::File::open(folder.join(DATA))?;
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match data.try_lock() {
            Ok(()) => return data.unlock(),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(LOCK_PAUSE);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn try_open(folder: &Path, cache_bytes: u64) -> Result<SledKv, EngineOpenError> {
    let opened = catch_unwind(AssertUnwindSafe(|| -> sled::Result<_> {
        let db = sled::Config::new()
            .path(folder)
            .cache_capacity(cache_bytes)
            // We sync after every batch; its own periodic sync would only be in the way.
            .flush_every_ms(None)
            .open()?;
        let mut trees = Vec::with_capacity(Space::ALL.len());
        for space in Space::ALL {
            trees.push(db.open_tree(space.name())?);
        }
        Ok((db, trees))
    }));
    let (db, trees) = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(sled::Error::Io(error))) => return Err(EngineOpenError::Io(error)),
        Ok(Err(error)) => return Err(EngineOpenError::Damaged(error.to_string())),
        Err(panic) => {
            return Err(EngineOpenError::Damaged(format!(
                "sled panicked: {}",
                panic_text(&*panic)
            )));
        }
    };
    let trees = trees
        .try_into()
        .map_err(|_| EngineOpenError::Damaged("sled opened fewer trees than asked".to_owned()))?;
    let data = fs::OpenOptions::new().read(true).write(true).open(folder.join(DATA))?;
    data.sync_all()?;
    Ok(SledKv { open: RwLock::new(Some(Open { db, trees, data })), keepsake: Mutex::new(None) })
}

/// What was just created must still be found after a power cut.
fn sync_created(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_dir(&path)?;
        } else {
            match fs::File::open(&path) {
                Ok(file) => file.sync_all()?,
                // A snapshot that sled has just replaced.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    sync_dir(folder)?;
    folder.parent().map_or(Ok(()), sync_dir)
}

fn is_lock(error: &EngineOpenError) -> bool {
    match error {
        EngineOpenError::Io(error) => error.to_string().contains("could not acquire lock"),
        EngineOpenError::Damaged(_) => false,
    }
}
