//! A store as JSON lines, and lines as a store.

use std::{
    fs,
    io::{self, BufReader, BufWriter},
    path::{Path, PathBuf},
};

use orderkeep::store::{self, EmbeddedConfig, TransferError, Transferred};
use serde_json::json;

use crate::{
    args::OutputFormat,
    exit::{self, Failure, say},
    output,
};

use super::{place::Place, progress};

/// Writes the store to a file, or to stdout.
pub(crate) fn export(
    place: &Place,
    to: Option<&Path>,
    format: OutputFormat,
) -> Result<(), Failure> {
    let config = place.config()?;
    let Some(path) = to else {
        let done = write(&config, &mut io::stdout().lock())?;
        say(format_args!("exported {} entries with {} events", done.entries, done.events));
        return Ok(());
    };
    let file = fs::File::create_new(path).map_err(|error| at(path, &error))?;
    let done = write(&config, &mut BufWriter::new(&file))
        .and_then(|done| file.sync_all().map(|()| done).map_err(|error| at(path, &error)));
    if done.is_err() {
        // A part of an export is of no use to anybody.
        drop(fs::remove_file(path));
    }
    show(done?, path, format);
    Ok(())
}

fn write(config: &EmbeddedConfig, out: &mut dyn io::Write) -> Result<Transferred, Failure> {
    let bar = progress::bar("exporting");
    let done = store::export(config, out, &mut progress::tell(&bar));
    bar.finish_and_clear();
    done.map_err(|error| failed(&error, None))
}

/// Makes a store of a file, or of stdin.
pub(crate) fn import(
    place: &Place,
    from: Option<PathBuf>,
    format: OutputFormat,
) -> Result<(), Failure> {
    let config = place.new_config();
    let bar = progress::bar("importing");
    let mut tell = progress::tell(&bar);
    let done = match &from {
        Some(path) => {
            let file = fs::File::open(path).map_err(|error| at(path, &error))?;
            store::import(&config, &mut BufReader::new(file), &mut tell)
        }
        None => store::import(&config, &mut io::stdin().lock(), &mut tell),
    };
    drop(tell);
    bar.finish_and_clear();
    let done = done.map_err(|error| failed(&error, from.as_deref()))?;
    say(format_args!(
        "{} holds a new incarnation on {}: who followed the feed of the old one is told to start again",
        config.path.display(),
        config.backend
    ));
    show(done, &config.path, format);
    Ok(())
}

fn show(done: Transferred, path: &Path, format: OutputFormat) {
    match format {
        OutputFormat::Json => output::json(&json!({
            "path": path,
            "entries": done.entries,
            "events": done.events,
        })),
        OutputFormat::Table => output::table(
            ["entries", "events", "in"],
            [[done.entries.to_string(), done.events.to_string(), path.display().to_string()]],
        ),
    }
}

fn at(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format_args!("{}: {error}", path.display()))
}

/// A failure of a transfer; `file` is what was read.
pub(crate) fn failed(error: &TransferError, file: Option<&Path>) -> Failure {
    match (error, file) {
        (TransferError::BadLine { .. } | TransferError::Io(_), Some(file)) => {
            Failure::failed(format_args!("{}: {error}; nothing was made of it", file.display()))
        }
        (TransferError::BadLine { .. } | TransferError::Io(_), None) => Failure::failed(error),
        (TransferError::Open(_) | TransferError::Store(_) | TransferError::NotEmpty(_) | _, _) => {
            Failure::new(exit::DATA, error.to_string())
        }
    }
}
