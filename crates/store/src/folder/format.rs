//! Which format the folder has, so that an older program never writes into a newer store.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// What this program writes.
const FORMAT: u32 = 1;

const NAME: &str = "FORMAT";
const PREFIX: &str = "orderkeep store, format ";

/// Ours, but no sign of a store: they may be there before it is made.
const BEFORE_A_STORE: [&str; 4] = ["LOCK", "MARK", "BALLAST", "FORMAT.new"];

/// Whether a store was ever made in this folder, whatever its state is now.
#[must_use]
pub fn is_store(folder: &Path) -> bool {
    folder.join(NAME).is_file()
}

/// Why the folder is not a store for this program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormatError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("format {found}, this program knows up to {FORMAT}")]
    Newer { found: u32 },
    #[error("{0}")]
    Unknown(String),
}

/// Checks the folder's format; gives an empty folder ours.
pub(crate) fn check_format(folder: &Path) -> Result<(), FormatError> {
    let path = folder.join(NAME);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let found = text
                .trim_end()
                .strip_prefix(PREFIX)
                .and_then(|number| number.parse::<u32>().ok())
                .ok_or_else(|| {
                    FormatError::Unknown("FORMAT does not say a format of this store".to_owned())
                })?;
            match found {
                FORMAT => Ok(()),
                0 => Err(FormatError::Unknown("format 0 never existed".to_owned())),
                _ => Err(FormatError::Newer { found }),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            refuse_foreign(folder)?;
            Ok(write(folder)?)
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(FormatError::Unknown("FORMAT is not a text of this store".to_owned()))
        }
        Err(error) => Err(error.into()),
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
fn write(folder: &Path) -> io::Result<()> {
    let new = folder.join("FORMAT.new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut file: File = super::private(&mut options).open(&new)?;
    writeln!(file, "{PREFIX}{FORMAT}")?;
    file.sync_all()?;
    fs::rename(&new, folder.join(NAME))?;
    super::sync_dir(folder)
}
