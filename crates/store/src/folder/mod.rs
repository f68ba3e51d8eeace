//! The folder of an embedded store: who holds it, which format it has, how far its journal had come.
//!
//! ```text
//! LOCK      who has the store open
//! FORMAT    the format of everything here, and what keeps it
//! MARK      the high-water mark, unless it is kept elsewhere
//! BALLAST   room for opening again on a full disk
//! sled/     the engine's own files, under its name
//! ```
//!
//! Nothing here knows what is in the engine.

mod ballast;
mod format;
mod lock;
mod mark;
mod room;

pub(crate) use ballast::Ballast;
pub(crate) use format::{FormatError, check_format, made_with};
pub(crate) use lock::{FolderLock, LockError};
pub(crate) use mark::FileMark;
pub(crate) use room::DiskRoom;

use std::{
    any::Any,
    fs::{self, File},
    io,
    path::Path,
};

/// Makes the entries of a directory survive a power cut.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    // "" is the parent of a relative path of one name.
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}

/// Creates the folder, for its owner alone, and makes that survive a power cut.
pub(crate) fn create(path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path)?;
        if let Some(parent) = path.parent() {
            sync_dir(parent)?;
        }
    }
    sync_dir(path)
}

/// Takes the rights of everybody but the owner from the folder and what is in it: it holds whole orders.
pub(crate) fn restrict(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = fs::symlink_metadata(path)?;
        let mode = if metadata.is_dir() { 0o700 } else { 0o600 };
        if !metadata.is_symlink() && metadata.permissions().mode() & 0o777 != mode {
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        }
        if metadata.is_dir() {
            for entry in fs::read_dir(path)? {
                match restrict(&entry?.path()) {
                    // The engine may remove files of its own meanwhile.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    other => other?,
                }
            }
        }
    }
    Ok(())
}

/// Opens a small file of ours for its owner alone.
pub(crate) fn private(options: &mut fs::OpenOptions) -> &mut fs::OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// What a caught panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&'static str>().copied())
        .unwrap_or("without a message")
        .to_owned()
}
