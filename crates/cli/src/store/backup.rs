//! A copy of a store in one file, of one moment, read again before it counts.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Write as _},
    path::{Path, PathBuf},
};

use orderkeep::store::{Backup, BackupInfo, EmbeddedStore, OpenError, Store as _, verify_backup};
use serde::Serialize;

use crate::{
    args::OutputFormat,
    client::Client,
    exit::{self, Failure, say},
    output,
};

use super::{
    args::BackupArgs,
    place::{OpenFailure, Place},
    progress::Progress,
};

/// A backup that is there.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    file: &'a Path,
    /// `engine` (running) or `folder`.
    from: &'static str,
    /// The last step in it.
    position: u64,
    records: u64,
    bytes: u64,
    incarnation: String,
}

/// Where the copy comes from.
enum Source {
    Engine(reqwest::Response),
    Folder(EmbeddedStore, Backup),
}

impl Source {
    /// A running engine gives its own copy; a store that nobody has open is read here.
    async fn of(place: &Place, args: &BackupArgs) -> Result<Self, Failure> {
        if let Some(url) = &args.url {
            return Self::engine(url, args).await;
        }
        match place.open().await {
            Ok(store) => {
                let backup = store.backup().await.map_err(Failure::failed)?;
                Ok(Self::Folder(store, backup))
            }
            Err(OpenFailure::Refused(OpenError::InUse { holder, .. }, _)) => {
                say(format_args!("the store is open, held by {holder}: asking the engine"));
                Self::engine("http://127.0.0.1:7070", args).await
            }
            Err(other) => Err(other.into()),
        }
    }

    async fn engine(url: &str, args: &BackupArgs) -> Result<Self, Failure> {
        let client = Client::new(url, args.api_token_file.as_deref())?;
        Ok(Self::Engine(client.download("/v1/store/backup").await?))
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Engine(_) => "engine",
            Self::Folder(..) => "folder",
        }
    }

    async fn write(self, file: &mut File, progress: &Progress) -> Result<(), Failure> {
        match self {
            Self::Engine(mut response) => {
                while let Some(chunk) = response.chunk().await.map_err(|error| {
                    Failure::failed(format_args!("the engine's copy broke off: {error}"))
                })? {
                    file.write_all(&chunk).map_err(Failure::failed)?;
                    progress.add(chunk.len());
                }
            }
            Self::Folder(store, mut backup) => {
                while let Some(chunk) = backup.next().await {
                    let chunk = chunk.map_err(Failure::failed)?;
                    file.write_all(&chunk).map_err(Failure::failed)?;
                    progress.add(chunk.len());
                }
                store.close().await.map_err(Failure::failed)?;
            }
        }
        file.sync_all().map_err(Failure::failed)
    }
}

pub(crate) async fn run(
    place: &Place,
    args: &BackupArgs,
    format: OutputFormat,
) -> Result<(), Failure> {
    let file = &args.file;
    if file.exists() {
        let what = "is there already, and a backup is never overwritten; give another name";
        return Err(Failure::new(exit::DATA, format!("{} {what}", file.display())));
    }
    let source = Source::of(place, args).await?;
    let from = source.name();
    let partial = with_suffix(file, ".partial");
    let written = write(source, &partial).await;
    let info = match written {
        Ok(info) => info,
        Err(failure) => {
            // Half a backup is none.
            drop(fs::remove_file(&partial));
            return Err(failure);
        }
    };
    keep(&partial, file)
        .map_err(|error| Failure::failed(format_args!("{}: {error}", file.display())))?;
    show(
        &Report {
            file,
            from,
            position: info.position.0,
            records: info.records,
            bytes: info.bytes,
            incarnation: info.incarnation.id.to_string(),
        },
        format,
    );
    Ok(())
}

async fn write(source: Source, partial: &Path) -> Result<BackupInfo, Failure> {
    let at = |error: io::Error| Failure::failed(format_args!("{}: {error}", partial.display()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // It holds whole orders.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(partial).map_err(at)?;
    let progress = Progress::bytes("copied");
    source.write(&mut file, &progress).await?;
    progress.end();
    say("reading it again: every record against its checksum");
    let path = partial.to_owned();
    let verified = tokio::task::spawn_blocking(move || {
        let progress = Progress::bytes("read");
        verify_backup(BufReader::new(File::open(path)?), |info| progress.at(info.bytes))
    });
    verified.await.map_err(Failure::failed)?.map_err(|error| {
        Failure::new(exit::DATA, format!("what was written is no whole backup: {error}"))
    })
}

/// Gives it its name, durably.
fn keep(partial: &Path, file: &Path) -> io::Result<()> {
    fs::rename(partial, file)?;
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn show(report: &Report<'_>, format: OutputFormat) {
    match format {
        OutputFormat::Json => output::json(report),
        OutputFormat::Table => {
            let rows = [
                ("file", report.file.display().to_string()),
                ("from", report.from.to_owned()),
                ("up to step", report.position.to_string()),
                ("journal records", report.records.to_string()),
                ("bytes", report.bytes.to_string()),
                ("life of the store", report.incarnation.clone()),
            ];
            output::table(["backup", "whole"], rows.map(|(what, is)| [what.to_owned(), is]));
        }
    }
}
