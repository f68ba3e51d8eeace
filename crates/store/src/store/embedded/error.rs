//! Why an embedded store does not open.

use std::{io, path::PathBuf, time::Duration};

use super::Backend;

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
    /// Made with another backend.
    #[error(
        "{}: the store was made with {found}, not {wanted}; say `store = \"{found}\"`, or move it with store export and import",
        path.display()
    )]
    OtherBackend {
        /// The store's folder.
        path: PathBuf,
        /// What it was made with.
        found: Backend,
        /// What it was to be opened with.
        wanted: Backend,
    },
    /// This program was built without it.
    #[error(
        "this program was built without {0}; build it with that feature, or choose another store"
    )]
    NotBuiltIn(Backend),
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
    /// It did not come back in time. Its thread is still at it and holds the folder: only the end of the process frees
    /// it.
    #[error(
        "{}: opening has not come back within {waited:?}: the disk does not answer, the engine is deadlocked, or the \
         store is large and was not closed; end the process and start it again, with a longer open_timeout if it was \
         still reading", path.display()
    )]
    Stuck {
        /// The store's folder.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
}
