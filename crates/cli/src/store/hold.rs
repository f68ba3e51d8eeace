//! The hold that a restore began with.

use serde_json::json;

use crate::{args::OutputFormat, client::Client, exit::Failure, orders::text, output};

use super::args::LiftHoldArgs;

pub(crate) async fn lift(args: LiftHoldArgs, format: OutputFormat) -> Result<(), Failure> {
    let client = Client::new(&args.url, args.api_token_file.as_deref())?;
    let body = json!({ "author": args.author, "reason": args.reason });
    let answer = client.post("/v1/restore-hold/lift", &body).await?.good()?;
    match format {
        OutputFormat::Json => output::json(&answer),
        OutputFormat::Table => {
            let rows = [
                ("life of the store", text(&answer["incarnation"])),
                ("a copy of", text(&answer["restoredFrom"])),
                ("lifted by", text(&answer["lifted"]["author"])),
                ("because", text(&answer["lifted"]["reason"])),
                ("at", text(&answer["lifted"]["at"])),
            ];
            output::table(["hold", "lifted"], rows.map(|(what, is)| [what.to_owned(), is]));
        }
    }
    Ok(())
}
