//! A durable store in a folder of its own: the journal on a backend.

mod compact;
mod config;
mod error;
mod open;
mod swap;
mod transfer;

pub use compact::{Compacted, compact};
pub use config::{Backend, EmbeddedConfig, UnknownBackend};
pub use error::OpenError;
pub use open::backend_of;
pub use transfer::{export, import};

use std::{any::Any, io};

use uuid::Uuid;

use crate::{
    CheckReport, Incarnation, Layer, ReadError, Stats, Store, folder::FolderLock, journal::Journal,
    writer::GroupBounds,
};

use super::threaded::{Running, Threaded};
use open::Life;

/// A durable store in a folder; see [`crate::Store`].
#[derive(Debug)]
pub struct EmbeddedStore {
    inner: Threaded,
}

impl EmbeddedStore {
    /// Opens or creates the store. Blocks for as long as that takes, up to [`EmbeddedConfig::open_timeout`]: call it
    /// before the service serves.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(config: EmbeddedConfig) -> Result<Self, OpenError> {
        open::within(config.open_timeout, config, Self::open_here)
    }

    fn open_here(config: EmbeddedConfig) -> Result<Self, OpenError> {
        let open::Opened { journal, lock, ballast } = open::whole(&config, Life::Found)?;
        let running = Running {
            group: GroupBounds { entries: config.group_entries.max(1), bytes: config.group_bytes },
            queue_bytes: config.queue_bytes,
            commit_timeout: config.commit_timeout,
        };
        match ballast.hold(config.reserve_new_bytes) {
            // On a disk that is nearly full the reserve waits for better days; the store says so by its health.
            Err(error) if error.kind() != io::ErrorKind::StorageFull => {
                return Err(open::at(&config.path)(error));
            }
            Ok(()) | Err(_) => {}
        }
        let keep: Box<dyn Any + Send> = Box::new(lock);
        let inner = Threaded::start(journal, running, keep).map_err(open::at(&config.path))?;
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

/// Makes a store in an empty folder, without the threads that run it: an older copy of the life `restored_from`.
pub(crate) fn open_journal(
    config: &EmbeddedConfig,
    restored_from: Option<Uuid>,
) -> Result<(Journal, FolderLock), OpenError> {
    let life = Life::Begin(Incarnation { id: Uuid::new_v4(), restored_from });
    open::whole(config, life).map(|opened| (opened.journal, opened.lock))
}

impl Layer for EmbeddedStore {
    fn below(&self) -> &dyn Store {
        &self.inner
    }
}
