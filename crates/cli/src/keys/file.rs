//! The file that keys are kept in: changed whole or not at all, by one at a time, readable by its owner alone.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use orderkeep::http::{Key, KeyRing};

use crate::exit::Failure;

/// How soon a running daemon sees a change.
const LOOK: Duration = Duration::from_secs(1);

/// Beside the data folder, not in it: a folder that is restored or rewritten must not bring old keys back.
pub(crate) fn beside(data: &Path) -> PathBuf {
    let mut name: OsString = data.as_os_str().to_owned();
    name.push(".keys.json");
    name.into()
}

/// All keys; none where there is no file.
pub(crate) fn read(path: &Path) -> Result<Vec<Key>, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::config(format_args!("{}: {error}", path.display()))
    };
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| unreadable(&error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(unreadable(&error)),
    }
}

/// Changes the keys. Durable when it returns.
pub(crate) fn change<T>(
    path: &Path,
    change: impl FnOnce(&mut Vec<Key>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let failed = |error: io::Error| {
        Failure::failed(format_args!("cannot write {}: {error}", path.display()))
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let own = |path: &Path| {
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
    };
    // Released when it is closed, whatever happens.
    let lock = own(&path.with_extension("lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let mut keys = read(path)?;
    let result = change(&mut keys)?;
    let text = serde_json::to_vec_pretty(&keys).map_err(Failure::failed)?;
    let fresh = path.with_extension("new");
    let write = || {
        let mut file = own(&fresh)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(failed)?;
    Ok(result)
}

/// Keeps a ring as the file is. A file that is gone or cannot be read changes nothing: nobody gets in by breaking it.
pub(crate) async fn follow(path: PathBuf, ring: KeyRing, more: Vec<Key>) {
    let stamp = |path: &Path| -> Option<(SystemTime, u64)> {
        let meta = fs::metadata(path).ok()?;
        Some((meta.modified().ok()?, meta.len()))
    };
    // What was read before this began may be older than this stamp, so it is read once more.
    let mut seen = None;
    loop {
        let now = stamp(&path);
        if now.is_some() && now != seen {
            match read(&path) {
                Ok(keys) => {
                    ring.replace(keys.into_iter().chain(more.iter().cloned()).collect());
                    seen = now;
                }
                Err(failure) => tracing::error!(?failure, "the keys stay as they were"),
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}
