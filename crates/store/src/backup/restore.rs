//! Making a store of a copy: a new life of it, in a folder of its own, held against the journal before anybody uses it.

use std::{
    fs::{self, File},
    io::{self, BufReader},
    path::{Path, PathBuf},
};

use super::{
    BackupError, BackupInfo, BackupReader,
    fill::{FillError, fill},
    verify_backup,
};
use crate::{CheckReport, EmbeddedConfig, Incarnation, OpenError, folder, store::open_journal};

/// A store that was made of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The life that begins with it.
    pub incarnation: Incarnation,
    /// What it was made of.
    pub backup: BackupInfo,
    /// The whole check of what was made; no problems, or it would not be there.
    pub check: CheckReport,
}

/// Why no store was made of a backup. Nothing is left where it was to be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The backup cannot be used.
    #[error("{}: {error}", path.display())]
    Backup {
        /// The backup's file.
        path: PathBuf,
        /// Why.
        error: BackupError,
    },
    /// There is something in the folder.
    #[error(
        "{}: not empty; restore into a new folder, and start the engine on that once it is done", .0.display()
    )]
    NotEmpty(PathBuf),
    /// A mark of some store is where this one's is to be.
    #[error(
        "{}: the mark of a store is here already; if that store is lost, move its mark away, otherwise give another mark", .0.display()
    )]
    MarkInUse(PathBuf),
    /// The operating system refused something.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// The new store does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The new store stopped, or is not what the backup says.
    #[error("the restored store is not whole: {0}")]
    NotWhole(String),
}

/// Makes a store in `config`'s folder of the backup in `file`; `progress` is told now and then, first of the reading
/// (`false`), then of the writing (`true`). Blocks for as long as that takes.
///
/// The store is built beside its place and moved there when it is whole and checked, so there never is half of one.
///
/// # Errors
/// See [`RestoreError`].
pub fn restore(
    file: &Path,
    config: &EmbeddedConfig,
    mut progress: impl FnMut(bool, &BackupInfo),
) -> Result<Restored, RestoreError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| RestoreError::Io { path, error }
    };
    let bad = |error| RestoreError::Backup { path: file.to_owned(), error };
    if is_taken(&config.path).map_err(at(&config.path))? {
        return Err(RestoreError::NotEmpty(config.path.clone()));
    }
    if let Some(mark) = &config.mark_path
        && mark.exists()
    {
        return Err(RestoreError::MarkInUse(mark.clone()));
    }
    let opened = || File::open(file).map(BufReader::new).map_err(|error| bad(error.into()));
    verify_backup(opened()?, |info| progress(false, info)).map_err(bad)?;

    let building = beside(&config.path);
    // What an attempt before left when it was killed.
    remove(&building).map_err(at(&building))?;
    let mut reader = BackupReader::new(opened()?).map_err(bad)?;
    let life = reader.info().incarnation;
    let made = build(
        &mut reader,
        life,
        &EmbeddedConfig { path: building.clone(), ..config.clone() },
        &mut progress,
        file,
    );
    let (incarnation, check) = match made {
        Ok(made) => made,
        Err(error) => {
            // The error that was there first says more.
            drop(remove(&building));
            return Err(error);
        }
    };
    if config.path.exists() {
        fs::remove_dir(&config.path).map_err(at(&config.path))?;
    }
    fs::rename(&building, &config.path).map_err(at(&config.path))?;
    if let Some(parent) = config.path.parent() {
        folder::sync_dir(parent).map_err(at(parent))?;
    }
    Ok(Restored { incarnation, backup: reader.info(), check })
}

fn build(
    reader: &mut BackupReader<BufReader<File>>,
    life: Incarnation,
    config: &EmbeddedConfig,
    progress: &mut impl FnMut(bool, &BackupInfo),
    file: &Path,
) -> Result<(Incarnation, CheckReport), RestoreError> {
    let (mut journal, _lock) = open_journal(config, Some(life.id))?;
    let filled = fill(reader, &mut journal, |info| progress(true, info));
    let check = filled.map_err(|error| match error {
        FillError::Backup(error) => RestoreError::Backup { path: file.to_owned(), error },
        FillError::NotWhole(why) => RestoreError::NotWhole(why),
    })?;
    let incarnation = journal.shared().incarnation;
    journal.shared().kv.close();
    Ok((incarnation, check))
}

fn is_taken(path: &Path) -> io::Result<bool> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where it is built: on the same volume, so that moving it is one step.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".restoring");
    path.with_file_name(name)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
