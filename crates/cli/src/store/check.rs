//! The whole check: is everything there, and does everything agree.

use std::path::Path;

use orderkeep::store::{CheckReport, OpenError, Store as _};
use serde::Serialize;

use crate::{
    args::OutputFormat,
    exit::{self, Failure, say},
    output,
};

use super::place::{OpenFailure, Place};

/// What a check has found.
#[derive(Debug, Serialize)]
struct Report<'a> {
    path: &'a Path,
    whole: bool,
    records: u64,
    entries: u64,
    events: u64,
    entities: u64,
    /// What is wrong; the first hundred.
    problems: Vec<String>,
}

pub(crate) async fn run(place: &Place, format: OutputFormat) -> Result<(), Failure> {
    say(format_args!("checking {}: its journal, and everything against it", place.data.display()));
    let found = match place.open().await {
        Ok(store) => {
            let found = store.check().await.map_err(Failure::failed)?;
            store.close().await.map_err(Failure::failed)?;
            found
        }
        Err(OpenFailure::Refused(
            error @ (OpenError::Damaged { .. } | OpenError::Lost { .. }),
            _,
        )) => refused(&error),
        Err(other) => return Err(other.into()),
    };
    let report = Report {
        path: &place.data,
        whole: found.problems.is_empty(),
        records: found.records,
        entries: found.entries,
        events: found.events,
        entities: found.entities,
        problems: found.problems,
    };
    show(&report, format);
    if report.whole { Ok(()) } else { Err(damaged(place)) }
}

/// A store that does not open has one problem, and nothing was counted.
fn refused(error: &OpenError) -> CheckReport {
    CheckReport {
        records: 0,
        entries: 0,
        events: 0,
        entities: 0,
        problems: vec![error.to_string()],
    }
}

fn show(report: &Report<'_>, format: OutputFormat) {
    match format {
        OutputFormat::Json => output::json(report),
        OutputFormat::Table => {
            let rows = [
                ("journal records", report.records.to_string()),
                ("steps", report.entries.to_string()),
                ("events", report.events.to_string()),
                ("entities", report.entities.to_string()),
                ("problems", report.problems.len().to_string()),
            ];
            output::table(["checked", "found"], rows.map(|(what, found)| [what.to_owned(), found]));
            if !report.problems.is_empty() {
                let problems = report.problems.iter().map(|problem| [problem.clone()]);
                output::table(["problem"], problems);
            }
        }
    }
}

fn damaged(place: &Place) -> Failure {
    Failure::new(
        exit::DATA,
        format!(
            "{path} is damaged, and was not changed. Keep a copy of it, then restore the newest backup into a new folder \
             and start the engine on that",
            path = place.data.display()
        ),
    )
}
