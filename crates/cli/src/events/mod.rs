//! What happens in a running engine, as it happens.

mod sse;

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    args::{EventsArgs, EventsCommand, OutputFormat, TailArgs},
    client::{self, Client},
    exit::{self, Failure, say},
    orders::text,
    output,
};

/// How long to wait before the engine is asked again: first, longest.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));

pub(crate) async fn run(args: EventsArgs) -> Result<(), Failure> {
    let client = Client::new(&args.server.url, args.server.api_token_file.as_deref())?;
    match args.command {
        EventsCommand::Tail(tail) => {
            Tail::new(tail, args.server.output.plain()?).run(&client).await
        }
    }
}

/// A follower: where it stands, and how much it still wants.
#[derive(Debug)]
struct Tail {
    after: String,
    left: Option<u64>,
    format: OutputFormat,
    wait: Duration,
}

impl Tail {
    fn new(args: TailArgs, format: OutputFormat) -> Self {
        Self { after: args.after, left: args.limit, format, wait: RETRY.0 }
    }

    fn done(&self) -> bool {
        self.left == Some(0)
    }

    /// Follows through every end of a stream and of the engine; only what another try cannot mend ends it.
    async fn run(mut self, client: &Client) -> Result<(), Failure> {
        while !self.done() {
            match self.follow(client).await {
                Ok(()) => self.wait = RETRY.0,
                Err(Ended::ForGood(failure)) => return Err(failure),
                Err(Ended::ForNow(why)) => {
                    say(format_args!("{why}; trying again, nothing is missed"));
                    tokio::time::sleep(self.wait).await;
                    self.wait = (self.wait * 2).min(RETRY.1);
                }
            }
        }
        Ok(())
    }

    async fn follow(&mut self, client: &Client) -> Result<(), Ended> {
        let path = format!("/v1/events?after={}", self.after);
        let mut stream = client.stream(&path).await?;
        let mut reader = sse::Reader::default();
        while let Some(bytes) = stream.chunk().await? {
            for block in reader.push(&bytes) {
                let data = block.data.unwrap_or_default();
                if block.kind.as_deref() == Some("error") {
                    let problem: Value = serde_json::from_str(&data).unwrap_or_default();
                    return Err(Ended::ForNow(text(&problem["detail"])));
                }
                let event: Value = serde_json::from_str(&data).map_err(|error| {
                    Ended::ForGood(Failure::failed(format_args!("not an event: {error}: {data}")))
                })?;
                self.show(&event);
                self.after = block.id.unwrap_or_else(|| self.after.clone());
                self.wait = RETRY.0;
                self.left = self.left.map(|left| left.saturating_sub(1));
                if self.done() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn show(&self, event: &Value) {
        match self.format {
            OutputFormat::Json => output::json(event),
            OutputFormat::Table => {
                let kind = text(&event["type"]);
                let kind = kind.strip_prefix("orderkeep.order.").unwrap_or(&kind);
                let (time, id) = (text(&event["time"]), text(&event["subject"]));
                let cause = text(&event["data"]["cause"]);
                output::line(format_args!("{time}  {id}  {kind:<22} by {cause}"));
            }
        }
    }
}

/// Why a stream ended.
#[derive(Debug)]
enum Ended {
    ForNow(String),
    ForGood(Failure),
}

impl From<client::Interrupted> for Ended {
    fn from(error: client::Interrupted) -> Self {
        match error {
            client::Interrupted::Unreachable(error) => Self::ForNow(error.to_string()),
            client::Interrupted::Refused(answer) => match answer.status {
                StatusCode::GONE => {
                    let oldest = text(&answer.body["oldestCursor"]);
                    Self::ForGood(Failure::new(
                        exit::CONFLICT,
                        format!(
                            "the feed cannot go on from there: what came between is not kept; read the orders anew, then go on with --after {oldest}"
                        ),
                    ))
                }
                StatusCode::SERVICE_UNAVAILABLE => Self::ForNow(text(&answer.body["detail"])),
                _ => match answer.good() {
                    Ok(_) => Self::ForNow("no stream".to_owned()),
                    Err(failure) => Self::ForGood(failure),
                },
            },
        }
    }
}
