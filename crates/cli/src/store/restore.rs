//! A store made of a backup, as another life of it; and a store that is taken as it is although something is missing.

use orderkeep::store::{EmbeddedConfig, OpenError, RestoreError, Restored, Store as _, restore};
use serde::Serialize;

use crate::{
    args::OutputFormat,
    exit::{self, Failure, say},
    output,
};

use super::{
    args::RestoreArgs,
    place::{OpenFailure, Place},
    progress::Progress,
};

/// A life that begins with an older copy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    path: &'a std::path::Path,
    incarnation: String,
    restored_from: Option<String>,
    position: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    entities: Option<u64>,
}

const WHAT_FOLLOWS: &str = "\
this is another life of the store. At its first start every order that was Locked becomes unknown, exposure possible: it
is never sent and never ended by the engine alone. Every other open order is read from the provider first. Submits of
locks that were not taken in this life are held, and lost orders rebuilt into review, until you say that what is missing
is accounted for: orderkeep store lift-hold --author YOU --reason 'WHY'. See docs/operations.md";

pub(crate) async fn run(
    place: &Place,
    args: RestoreArgs,
    format: OutputFormat,
) -> Result<(), Failure> {
    let mut config = EmbeddedConfig::new(&place.data).backend(place.backend.unwrap_or_default());
    config.mark_path.clone_from(&place.mark_path);
    let made = tokio::task::spawn_blocking(move || {
        let (mut reading, mut writing) = (Some(Progress::bytes("read")), None);
        restore(&args.file, &config, |written, info| {
            if written {
                drop(reading.take());
                writing.get_or_insert_with(|| Progress::bytes("restored")).at(info.bytes);
            } else if let Some(reading) = &reading {
                reading.at(info.bytes);
            }
        })
    });
    let Restored { incarnation, backup, check } =
        made.await.map_err(Failure::failed)?.map_err(refused)?;
    show(
        &Report {
            path: &place.data,
            incarnation: incarnation.id.to_string(),
            restored_from: incarnation.restored_from.map(|id| id.to_string()),
            position: backup.position.0,
            entities: Some(check.entities),
        },
        format,
    );
    say(WHAT_FOLLOWS);
    Ok(())
}

fn refused(error: RestoreError) -> Failure {
    Failure::new(exit::DATA, error.to_string())
}

/// Opens a store that its mark stands against, as another life of it.
pub(crate) async fn accept_older(place: &Place, format: OutputFormat) -> Result<(), Failure> {
    match place.open().await {
        Ok(store) => {
            store.close().await.map_err(Failure::failed)?;
            let path = place.data.display();
            let what = "nothing is missing in it; it stays the store that it was";
            return Err(Failure::new(exit::CONFLICT, format!("{path}: {what}")));
        }
        Err(OpenFailure::Refused(OpenError::Lost { why, .. }, _)) => {
            say(format_args!("{}: {why}; taken as it is", place.data.display()));
        }
        Err(other) => return Err(other.into()),
    }
    let config = EmbeddedConfig { accept_older: true, ..place.config()? };
    let store = orderkeep::open_with(config)
        .await
        .map_err(|error| Failure::new(exit::DATA, error.to_string()))?;
    let incarnation = store.incarnation();
    let position = store.durable().borrow().0;
    store.close().await.map_err(Failure::failed)?;
    show(
        &Report {
            path: &place.data,
            incarnation: incarnation.id.to_string(),
            restored_from: incarnation.restored_from.map(|id| id.to_string()),
            position,
            entities: None,
        },
        format,
    );
    say(WHAT_FOLLOWS);
    Ok(())
}

fn show(report: &Report<'_>, format: OutputFormat) {
    match format {
        OutputFormat::Json => output::json(report),
        OutputFormat::Table => {
            let rows = [
                ("data folder", report.path.display().to_string()),
                ("up to step", report.position.to_string()),
                ("life of the store", report.incarnation.clone()),
                ("an older copy of", report.restored_from.clone().unwrap_or_default()),
            ];
            output::table(["store", "restored"], rows.map(|(what, is)| [what.to_owned(), is]));
        }
    }
}
