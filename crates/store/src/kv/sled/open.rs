//! Opening sled so that nothing it does at that moment can hurt.
//!
//! A crash while sled opens can leave a torn `snap.*.generating`, which it takes for its newest snapshot ever after: it is
//! removed first. Damage makes it return an error or panic: both end as an error that names the folder. What it creates
//! is synced with its directories, which it does not do itself.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::RwLock,
    time::{Duration, Instant},
};

use crate::{
    folder::{panic_text, sync_dir},
    kv::Space,
};

use super::{Open, SledKv};

/// Its threads let go of the file a moment after the last handle is dropped.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Between two tries for the file.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Where sled lives and how much it may cache.
#[derive(Debug, Clone)]
pub(crate) struct SledFolder {
    pub(crate) path: PathBuf,
    pub(crate) cache_bytes: u64,
}

pub(crate) use crate::kv::EngineOpenError as SledOpenError;

impl SledFolder {
    /// The file that holds the data, for messages.
    pub(crate) fn data_file(&self) -> PathBuf {
        self.path.join("db")
    }

    /// Opens what is there, or creates it.
    pub(crate) fn open(&self) -> Result<SledKv, SledOpenError> {
        fs::create_dir_all(&self.path)?;
        self.remove_torn_snapshots()?;
        let deadline = Instant::now() + LOCK_PATIENCE;
        let opened = loop {
            match self.try_open() {
                Err(error) if is_lock(&error) && Instant::now() < deadline => {
                    std::thread::sleep(LOCK_PAUSE);
                }
                other => break other?,
            }
        };
        self.sync_created()?;
        Ok(opened)
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

    fn try_open(&self) -> Result<SledKv, SledOpenError> {
        let opened = catch_unwind(AssertUnwindSafe(|| -> sled::Result<_> {
            let db = sled::Config::new()
                .path(&self.path)
                .cache_capacity(self.cache_bytes)
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
            Ok(Err(sled::Error::Io(error))) => return Err(SledOpenError::Io(error)),
            Ok(Err(error)) => return Err(SledOpenError::Damaged(error.to_string())),
            Err(panic) => {
                return Err(SledOpenError::Damaged(format!(
                    "sled panicked: {}",
                    panic_text(&*panic)
                )));
            }
        };
        let trees = trees
            .try_into()
            .map_err(|_| SledOpenError::Damaged("sled opened fewer trees than asked".to_owned()))?;
        let data = fs::OpenOptions::new().read(true).write(true).open(self.data_file())?;
        data.sync_all()?;
        Ok(SledKv { open: RwLock::new(Some(Open { db, trees, data })) })
    }

    /// What was just created must still be found after a power cut.
    fn sync_created(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
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
        sync_dir(&self.path)?;
        self.path.parent().map_or(Ok(()), sync_dir)
    }
}

fn is_lock(error: &SledOpenError) -> bool {
    match error {
        SledOpenError::Io(error) => error.to_string().contains("could not acquire lock"),
        SledOpenError::Damaged(_) => false,
    }
}
