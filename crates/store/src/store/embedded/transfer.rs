//! A store in a folder as lines, and lines as one.

use std::{
    fs,
    io::{BufRead, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use uuid::Uuid;

use crate::{
    Incarnation,
    folder::sync_dir,
    transfer::{self, Lines, Progress, TransferError, Transferred},
};

use super::{
    EmbeddedConfig, OpenError,
    open::{self, Life, at},
};

/// Writes a store that nobody has open as JSON lines. Every checksum of its journal is checked on the way.
///
/// # Errors
/// The store does not open or is damaged, or the lines cannot be written.
pub fn export(
    config: &EmbeddedConfig,
    out: &mut dyn Write,
    progress: Progress<'_>,
) -> Result<Transferred, TransferError> {
    let open::Opened { journal, lock, .. } = open::whole(config, Life::Found)?;
    let done = transfer::write(&journal, out, progress);
    journal.shared().kv.close();
    drop(lock);
    done
}

/// Makes a store of JSON lines, where there is none. It is a new incarnation of the one that was exported, which may have
/// gone on since: followers of the feed are told, and so is the engine. A crash leaves nothing that could be opened.
///
/// # Errors
/// There is a store (or anything else) already, or a mark of one; or a line is wrong, and which.
pub fn import(
    config: &EmbeddedConfig,
    input: &mut dyn BufRead,
    progress: Progress<'_>,
) -> Result<Transferred, TransferError> {
    refuse_what_is_there(config)?;
    let making = making(&config.path);
    if making.exists() {
        fs::remove_dir_all(&making).map_err(at(&making))?;
    }
    let done = make(config, &making, input, progress);
    if done.is_err() {
        // Nothing there is needed; what stays is thrown away by the next import.
        let _ = fs::remove_dir_all(&making);
    }
    done
}

/// Beside the folder, so that it gets its name at once.
fn making(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or(path.as_os_str()).to_owned();
    name.push(".importing");
    path.with_file_name(name)
}

fn refuse_what_is_there(config: &EmbeddedConfig) -> Result<(), TransferError> {
    let path = &config.path;
    let there = path.exists() && fs::read_dir(path).map_err(at(path))?.next().is_some();
    if there {
        return Err(TransferError::NotEmpty(path.clone()));
    }
    match &config.mark_path {
        Some(mark) if mark.exists() => Err(OpenError::Lost {
            path: path.clone(),
            mark: mark.clone(),
            why:
                "the mark is of a store that is not here; remove the mark if that store is given up"
                    .to_owned(),
        }
        .into()),
        Some(_) | None => Ok(()),
    }
}

fn make(
    config: &EmbeddedConfig,
    making: &Path,
    input: &mut dyn BufRead,
    progress: Progress<'_>,
) -> Result<Transferred, TransferError> {
    let mut lines = Lines::new(input);
    let (source, entries) = lines.head()?;
    let life = Incarnation { id: Uuid::new_v4(), restored_from: Some(source) };
    let inside = EmbeddedConfig { path: making.to_owned(), mark_path: None, ..config.clone() };
    let open::Opened { mut journal, lock, .. } = open::whole(&inside, Life::Begin(life))?;
    let kv = Arc::clone(&journal.shared().kv);
    let done = lines.into_journal(&mut journal, entries, progress).and_then(|done| {
        journal.catch_up().map_err(|halt| TransferError::Store(halt.to_string()))?;
        Ok(done)
    });
    drop(journal);
    kv.close();
    drop(lock);
    let done = done?;
    open::wait_released(&making.join(config.backend.name()))?;
    if let Some(mark) = &config.mark_path {
        fs::copy(inside.mark_file(), mark).map_err(at(mark))?;
        fs::File::open(mark).and_then(|file| file.sync_all()).map_err(at(mark))?;
        mark.parent().map_or(Ok(()), sync_dir).map_err(at(mark))?;
        fs::remove_file(inside.mark_file()).map_err(at(making))?;
    }
    sync_dir(making).map_err(at(making))?;
    fs::rename(making, &config.path).map_err(at(&config.path))?;
    config.path.parent().map_or(Ok(()), sync_dir).map_err(at(&config.path))?;
    Ok(done)
}
