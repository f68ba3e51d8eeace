//! Which format the folder has, so that an older program never writes into a newer store.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// What this program writes. Format 1 knew no sealed entities: a program that knows only it would not find them. Format 2
/// knew no journal whose beginning is gone, and would take it for damaged.
const FORMAT: u32 = 3;

const NAME: &str = "FORMAT";
const PREFIX: &str = "orderkeep store, format ";
const BACKEND: &str = ", made with ";

/// What a store was made with that does not say it.
const FIRST_BACKEND: &str = "sled";

/// Ours, but no sign of a store: they may be there before it is made.
const BEFORE_A_STORE: [&str; 4] = ["LOCK", "MARK", "BALLAST", "FORMAT.new"];

/// Why the folder is not a store for this program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormatError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("format {found}, this program knows up to {FORMAT}")]
    Newer { found: u32 },
    #[error("{0}")]
    Unknown(String),
    #[error("made with {found}")]
    Backend { found: String },
}

/// Checks the folder's format and backend; gives an empty folder ours.
pub(crate) fn check_format(folder: &Path, backend: &str) -> Result<(), FormatError> {
    match said(folder)? {
        Some((FORMAT, found)) if found == backend => Ok(()),
        Some((_, found)) if found == backend => Ok(write(folder, backend)?),
        Some((_, found)) => Err(FormatError::Backend { found }),
        None => {
            refuse_foreign(folder)?;
            Ok(write(folder, backend)?)
        }
    }
}

/// The backend of the store that is in the folder; `None` if there is none.
pub(crate) fn made_with(folder: &Path) -> Result<Option<String>, FormatError> {
    Ok(said(folder)?.map(|(_, backend)| backend))
}

/// The format and the backend.
fn said(folder: &Path) -> Result<Option<(u32, String)>, FormatError> {
    match fs::read_to_string(folder.join(NAME)) {
        Ok(text) => read(text.trim_end()).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(FormatError::Unknown("FORMAT is not a text of this store".to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

fn read(text: &str) -> Result<(u32, String), FormatError> {
    let unknown = || FormatError::Unknown("FORMAT does not say a format of this store".to_owned());
    let said = text.strip_prefix(PREFIX).ok_or_else(unknown)?;
    let (number, backend) = said.split_once(BACKEND).unwrap_or((said, FIRST_BACKEND));
    match number.parse().map_err(|_| unknown())? {
        found @ 1..=FORMAT => Ok((found, backend.to_owned())),
        0 => Err(FormatError::Unknown("format 0 never existed".to_owned())),
        found => Err(FormatError::Newer { found }),
    }
}

fn refuse_foreign(folder: &Path) -> Result<(), FormatError> {
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if !BEFORE_A_STORE.iter().any(|ours| name == *ours) {
            return Err(FormatError::Unknown(format!(
                "it has no FORMAT and is not empty ({})",
                name.display()
            )));
        }
    }
    Ok(())
}

/// Whole or not at all.
fn write(folder: &Path, backend: &str) -> io::Result<()> {
    let new = folder.join("FORMAT.new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut file: File = super::private(&mut options).open(&new)?;
    writeln!(file, "{PREFIX}{FORMAT}{BACKEND}{backend}")?;
    file.sync_all()?;
    fs::rename(&new, folder.join(NAME))?;
    super::sync_dir(folder)
}
