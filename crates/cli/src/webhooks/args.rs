//! The arguments of `orderkeep webhooks`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::{args::ServerArgs, settings::Span};

#[derive(Debug, clap::Args)]
pub(crate) struct WebhooksArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(subcommand)]
    pub(crate) command: WebhooksCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WebhooksCommand {
    /// Make an endpoint. Its secret is shown once.
    Create {
        /// Where events are sent.
        #[arg(value_name = "URL")]
        target: String,
        /// What you call it.
        #[arg(long, default_value = "")]
        description: String,
        /// Only events of this type, such as orderkeep.order.executed; again for more. All without it.
        #[arg(long = "type")]
        types: Vec<String>,
        /// A file that holds the secret (`whsec_...`) alone; one is made without it.
        #[arg(long)]
        secret_file: Option<PathBuf>,
        /// Begin with what is new (`latest`), with the `oldest` event that is kept, or after a cursor of the feed.
        #[arg(long, default_value = "latest")]
        after: String,
    },
    /// All endpoints.
    List,
    /// One endpoint: where it stands, what it holds back and why.
    Show {
        /// Its id.
        id: String,
    },
    /// Change an endpoint.
    Update {
        /// Its id.
        id: String,
        /// Where events are sent.
        #[arg(long, value_name = "URL")]
        target: Option<String>,
        /// What you call it.
        #[arg(long)]
        description: Option<String>,
        /// Only events of this type; again for more.
        #[arg(long = "type")]
        types: Option<Vec<String>>,
        /// Events of all types.
        #[arg(long, conflicts_with = "types")]
        all_types: bool,
    },
    /// Sign with a new secret, and for a while with the old one too.
    Rotate {
        /// Its id.
        id: String,
        /// How long the old one signs too, such as 24h (the default); seven days at most.
        #[arg(long, value_parser = span)]
        overlap: Option<Span>,
        /// A file that holds the new secret alone; one is made without it.
        #[arg(long)]
        secret_file: Option<PathBuf>,
    },
    /// Switch an endpoint on; what it missed, it gets now.
    Enable {
        /// Its id.
        id: String,
    },
    /// Switch an endpoint off; its position stays.
    Disable {
        /// Its id.
        id: String,
    },
    /// End an endpoint for good.
    Delete {
        /// Its id.
        id: String,
    },
    /// Send a test event now, once, and say how it went.
    Test {
        /// Its id.
        id: String,
    },
    /// What was tried lately.
    Deliveries {
        /// Its id.
        id: String,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Deliver again, with the same ids.
    Replay {
        /// Its id.
        id: String,
        /// Everything that happened since then, such as 2026-02-13T11:28:46Z.
        #[arg(long, required_unless_present = "event")]
        since: Option<String>,
        /// One event, by its id.
        #[arg(long, conflicts_with = "since")]
        event: Option<String>,
    },
}

fn span(text: &str) -> Result<Span, String> {
    let wrong = || format!("`{text}` is no duration; write it like 24h or 30m");
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    parsed.try_into().map(Span).map_err(|_| wrong())
}
