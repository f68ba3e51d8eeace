//! Putting a new copy of a backend's files in the place of the old ones.
//!
//! ```text
//! sled/  sled.compact/     the copy is in the making: whatever is in it is thrown away
//! sled.old/  sled.compact/ between the two renames: the old files go back
//! sled/  sled.old/         the copy is in its place: the old files go
//! ```
//!
//! The old files are whole until the copy is, so each of these is one whole store. An open settles what a crash left.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::folder::sync_dir;

use super::Backend;

/// Where the copy is made.
pub(super) fn copy_path(store: &Path, backend: Backend) -> PathBuf {
    store.join(format!("{backend}.compact"))
}

fn old_path(store: &Path, backend: Backend) -> PathBuf {
    store.join(format!("{backend}.old"))
}

/// Puts a complete and synced copy into place.
pub(super) fn swap(store: &Path, backend: Backend) -> io::Result<()> {
    let live = store.join(backend.name());
    fs::rename(&live, old_path(store, backend))?;
    sync_dir(store)?;
    fs::rename(copy_path(store, backend), &live)?;
    sync_dir(store)?;
    settle(store, backend)
}

/// Ends what a crash has interrupted, with one whole store.
pub(super) fn settle(store: &Path, backend: Backend) -> io::Result<()> {
    let (live, old) = (store.join(backend.name()), old_path(store, backend));
    if old.is_dir() {
        if live.is_dir() {
            fs::remove_dir_all(&old)?;
        } else {
            fs::rename(&old, &live)?;
        }
        sync_dir(store)?;
    }
    discard(store, backend)
}

/// Throws a copy away.
pub(super) fn discard(store: &Path, backend: Backend) -> io::Result<()> {
    let copy = copy_path(store, backend);
    if copy.is_dir() {
        fs::remove_dir_all(&copy)?;
        sync_dir(store)?;
    }
    Ok(())
}
