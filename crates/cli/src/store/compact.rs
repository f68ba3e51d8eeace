//! A store that grew, written anew.

use orderkeep::store;
use serde_json::json;

use crate::{args::OutputFormat, exit::Failure, output};

use super::{place::Place, progress, transfer};

pub(crate) fn run(place: &Place, format: OutputFormat) -> Result<(), Failure> {
    let config = place.config()?;
    let bar = progress::bar("compacting");
    let done = store::compact(&config, &mut progress::tell(&bar));
    bar.finish_and_clear();
    let done = done.map_err(|error| transfer::failed(&error, None))?;
    match format {
        OutputFormat::Json => output::json(&json!({
            "path": config.path,
            "rows": done.rows,
            "bytesBefore": done.before,
            "bytesAfter": done.after,
        })),
        OutputFormat::Table => output::table(
            ["rows", "bytes before", "bytes after"],
            [[done.rows.to_string(), done.before.to_string(), done.after.to_string()]],
        ),
    }
    Ok(())
}
