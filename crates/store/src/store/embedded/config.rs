//! How an embedded store is opened.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::Tuning;

/// The storage engine below the journal. What is durable, and how the store behaves, does not depend on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Backend {
    /// sled 0.34, with the care that it needs.
    #[default]
    Sled,
    /// redb 4: smaller on the disk, and kept up by its author.
    Redb,
}

impl Backend {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Sled, Self::Redb];

    /// Its name in configurations and on the disk; never changed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Redb => "redb",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The word names no backend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no store of this program; there are sled and redb")]
pub struct UnknownBackend(String);

impl FromStr for Backend {
    type Err = UnknownBackend;

    fn from_str(word: &str) -> Result<Self, UnknownBackend> {
        Self::ALL
            .into_iter()
            .find(|backend| backend.name() == word)
            .ok_or_else(|| UnknownBackend(word.to_owned()))
    }
}

/// How a store in a folder is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedConfig {
    /// The store's own folder; created if it is not there.
    pub path: PathBuf,
    /// What keeps the data. A folder stays with the one that it was made with.
    pub backend: Backend,
    /// Where the high-water mark is kept; `None`: inside the folder. Only a mark on another volume notices that the
    /// whole folder was put back to an older state.
    pub mark_path: Option<PathBuf>,
    /// Open even if the mark says that something is missing, or without a mark. The store becomes a new incarnation:
    /// followers of the feed are told to start again. For restoring on purpose, never for every start.
    pub accept_older: bool,
    /// Bytes that the backend may cache. It takes some more.
    pub cache_bytes: u64,
    /// Bytes held back so that the store can be opened again on a full disk.
    pub ballast_bytes: u64,
    /// Below so many free bytes new entities are refused.
    pub reserve_new_bytes: u64,
    /// Below so many free bytes everything is refused; no backend survives a write that fails for want of room.
    pub reserve_bytes: u64,
    /// Steps in one group; a larger one makes readers wait longer while it is applied.
    pub group_entries: usize,
    /// Bytes in one group.
    pub group_bytes: usize,
    /// Bytes of steps that may wait; further callers wait for their turn.
    pub queue_bytes: usize,
    /// A group that takes longer halts the store.
    pub commit_timeout: Duration,
    /// An open that takes longer is given up. After a crash everything that was written since the last start is read
    /// again, so it may be long for a large store.
    pub open_timeout: Duration,
    /// How far the rows may lag behind the journal.
    pub tuning: Tuning,
}

impl EmbeddedConfig {
    /// The defaults, for a service of its own, on the default backend.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            path: path.into(),
            backend: Backend::default(),
            mark_path: None,
            accept_older: false,
            cache_bytes: 32 * MIB,
            ballast_bytes: 4 * MIB,
            reserve_new_bytes: 64 * MIB,
            reserve_bytes: 16 * MIB,
            group_entries: 256,
            group_bytes: 1024 * 1024,
            queue_bytes: 16 * 1024 * 1024,
            commit_timeout: Duration::from_secs(30),
            open_timeout: Duration::from_secs(300),
            tuning: Tuning::embedded(),
        }
    }

    /// The same with another backend.
    #[must_use]
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    pub(super) fn mark_file(&self) -> PathBuf {
        self.mark_path.clone().unwrap_or_else(|| self.path.join("MARK"))
    }
}
