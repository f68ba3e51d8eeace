//! What can be asked on the command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand, ValueEnum};
use orderkeep::store::Backend;

use crate::{
    bench::args::BenchCommand, config::ConfigCommand, exit::Failure, store::args::StoreArgs,
    webhooks::args::WebhooksArgs,
};

/// Carries every order from a locked rate to its end.
#[derive(Debug, Parser)]
#[command(name = "orderkeep", version, after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// How logs are written to stderr; without it as text on a terminal, and as JSON elsewhere.
    #[arg(long, global = true, value_enum, env = "ORDERKEEP_LOG_FORMAT")]
    pub(crate) log: Option<LogFormat>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   failed (demo: something was lost, made twice, left open, or does not agree with the provider)
  2   the command line is wrong
  3   no such order
  4   conflict: the key, the lock or the state of the order stands against it
  5   not done in time
  70  the engine has halted; start it again, it goes on from the disk
  73  the data folder is in use, damaged, or from a newer version
  75  the store did not open in time; start it again
  78  the configuration is wrong

stdout is data, stderr is talk. Logs: ORDERKEEP_LOG=debug (as tracing's env-filter).";

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// How results are written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people.
    Table,
    /// For machines: one JSON object (`watch`: one a line).
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See it work: orders carried through kill -9 against a rough provider, then compared with its ledger.
    Demo(DemoArgs),
    /// The engine as a daemon.
    Serve(ServeArgs),
    /// The stand-in provider.
    Sandbox(SandboxArgs),
    /// Engine and stand-in provider in one process, to try things out.
    Dev(DevArgs),
    /// Orders of a running engine.
    Orders(OrdersArgs),
    /// A store that no engine has open: check it, keep it, move it.
    Store(StoreArgs),
    /// Measure this machine with this program.
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Webhooks out: where events are sent, and how that goes.
    Webhooks(WebhooksArgs),
    /// What happens in a running engine, in order.
    Events(EventsArgs),
    /// The keys of the API, kept hashed beside the data folder; a running daemon follows within a second.
    Keys(KeysArgs),
    /// The configuration: check it, show what is in force, describe it.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Looks at everything that the engine needs, and says what to do about it: configuration, data folder, disk, clock,
    /// provider, webhooks. Changes nothing.
    Doctor(Box<DoctorArgs>),
    /// Completions for a shell, on stdout.
    Completions {
        /// Which one.
        shell: clap_complete::Shell,
    },
    /// Man pages, one for each command.
    Man {
        /// Where they are written.
        folder: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// How many orders.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) orders: u32,
    /// How often the engine is killed with SIGKILL while orders are open.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub(crate) kills: u32,
    /// What the provider does wrong.
    #[arg(long, value_enum, default_value_t = Faults::Rough)]
    pub(crate) faults: Faults,
    /// Decides every random choice of the provider, the payers and the kills.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Keep the engine's data and the logs here; otherwise they are removed when all went well.
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) output: OutputFormat,
    /// Run a wrong engine, to see that this demo notices.
    #[arg(long, value_enum)]
    pub(crate) twin: Option<Twin>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Faults {
    /// A provider on its best day.
    None,
    /// Lost answers, errors before and after the order was made, throttling, outages; lost, doubled, late and forged
    /// webhooks; reads that lag.
    Rough,
}

impl Faults {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Rough => "rough",
        }
    }
}

/// A wrong engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Twin {
    /// Posts a create again when its outcome is unknown, as most code does.
    Resend,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// A TOML file; flags win over it.
    #[arg(long, env = "ORDERKEEP_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The data folder.
    #[arg(long, env = "ORDERKEEP_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// What keeps the data: sled or redb. A data folder stays with the one that it was made with.
    #[arg(long, env = "ORDERKEEP_STORE")]
    pub(crate) store: Option<Backend>,
    /// Where the API and the webhooks are served.
    #[arg(long, env = "ORDERKEEP_LISTEN")]
    pub(crate) listen: Option<SocketAddr>,
    /// The provider's base address.
    #[arg(long, env = "ORDERKEEP_PROVIDER_URL")]
    pub(crate) provider_url: Option<String>,
    /// A file that holds the provider's API key alone.
    #[arg(long, env = "ORDERKEEP_API_KEY_FILE")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// A file that holds the webhook security token alone; twice while one replaces the other.
    #[arg(long, env = "ORDERKEEP_WEBHOOK_TOKEN_FILE", value_delimiter = ',')]
    pub(crate) webhook_token_file: Vec<PathBuf>,
    /// A file that holds the token that callers of the API must send.
    #[arg(long, env = "ORDERKEEP_API_TOKEN_FILE")]
    pub(crate) api_token_file: Option<PathBuf>,
    /// Run a wrong engine, for tests of the tests.
    #[arg(long, value_enum, hide = true)]
    pub(crate) twin: Option<Twin>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// The address under which the provider reaches this engine, such as `https://orders.example.com`; asked as well.
    #[arg(long)]
    pub(crate) public_url: Option<String>,
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) output: OutputFormat,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SandboxArgs {
    /// A TOML file with the sandbox's configuration; flags win over it.
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
    /// Where the provider's API and the control API are served.
    #[arg(long)]
    pub(crate) listen: Option<SocketAddr>,
    /// Where the control API is served as well; it stays up through an outage.
    #[arg(long)]
    pub(crate) control_listen: Option<SocketAddr>,
    /// Where webhooks go.
    #[arg(long)]
    pub(crate) webhook_url: Option<String>,
    /// What goes wrong.
    #[arg(long, value_enum)]
    pub(crate) faults: Option<Faults>,
    /// Decides every random choice.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Provider time runs this many times as fast.
    #[arg(long)]
    pub(crate) time_factor: Option<u32>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DevArgs {
    /// The data folder; without it a temporary one, removed at the end.
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    /// Where the API and the webhooks are served.
    #[arg(long, default_value = "127.0.0.1:7070")]
    pub(crate) listen: SocketAddr,
    /// Where the stand-in provider is served.
    #[arg(long, default_value = "127.0.0.1:7071")]
    pub(crate) sandbox_listen: SocketAddr,
    /// What the provider does wrong.
    #[arg(long, value_enum, default_value_t = Faults::None)]
    pub(crate) faults: Faults,
    /// The provider works this many times as fast; a lock still lasts 40 s, and a payer still has 15 minutes.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) time_factor: u32,
}

#[derive(Debug, clap::Args)]
pub(crate) struct OrdersArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(subcommand)]
    pub(crate) command: OrdersCommand,
}

#[derive(Debug, clap::Args)]
pub(crate) struct KeysArgs {
    /// The daemon's data folder; the keys are in a file beside it, `<data>.keys.json`.
    #[arg(long, global = true, default_value = "data", env = "ORDERKEEP_DATA")]
    pub(crate) data: PathBuf,
    #[arg(long, global = true, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) output: OutputFormat,
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key. It is shown once.
    Create {
        /// Who will hold it; an operator's acts are recorded under this name.
        #[arg(long)]
        name: String,
        /// What it may do: read, write (locks and orders), operate (commands) or admin; each holds the ones before it.
        #[arg(long)]
        scope: orderkeep::http::Scope,
        /// Until when: a date, a time, or so long from now (`90d`).
        #[arg(long)]
        expires: Option<String>,
    },
    /// All keys, without their secrets.
    List,
    /// Make a new key of a name with the same scope; the old ones end after the overlap.
    Rotate {
        /// The name.
        name: String,
        /// How long the old keys are still good.
        #[arg(long, default_value = "24h")]
        overlap: String,
        /// Until when the new key is good: a date, a time, or so long from now (`90d`).
        #[arg(long)]
        expires: Option<String>,
    },
    /// End a key, by its id, or all keys of a name.
    Revoke {
        /// Id or name.
        key: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(subcommand)]
    pub(crate) command: EventsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// Follow all events, through restarts of the engine, until interrupted. With `--output json` each line is a
    /// CloudEvent, whose `cursor` is where to go on after it.
    Tail(TailArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct TailArgs {
    /// Begin after this cursor, with the `oldest` event that is kept, or with what is new (`latest`).
    #[arg(long, default_value = "latest", value_parser = cursor)]
    pub(crate) after: String,
    /// End after so many events.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

fn cursor(text: &str) -> Result<String, String> {
    let known = matches!(text, "oldest" | "latest");
    if known || text.parse::<orderkeep::Cursor>().is_ok() {
        return Ok(text.to_owned());
    }
    Err("give `oldest`, `latest`, or the `cursor` of an event".to_owned())
}

/// Which engine.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerArgs {
    /// The engine's address.
    #[arg(long, global = true, default_value = "http://127.0.0.1:7070", env = "ORDERKEEP_URL")]
    pub(crate) url: String,
    /// A file that holds the engine's API token alone; or the token itself in ORDERKEEP_API_TOKEN.
    #[arg(long, global = true, env = "ORDERKEEP_API_TOKEN_FILE")]
    pub(crate) api_token_file: Option<PathBuf>,
    #[arg(long, global = true, value_enum, default_value_t = ServerFormat::Table)]
    pub(crate) output: ServerFormat,
}

/// How an engine's answers are written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServerFormat {
    /// For people.
    Table,
    /// For machines: one JSON object (`watch`: one a line).
    Json,
    /// For spreadsheets; only `report`.
    Csv,
}

impl ServerFormat {
    /// What all commands write.
    pub(crate) fn plain(self) -> Result<OutputFormat, Failure> {
        match self {
            Self::Table => Ok(OutputFormat::Table),
            Self::Json => Ok(OutputFormat::Json),
            Self::Csv => Err(Failure::config("only `orders report` writes CSV")),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrdersCommand {
    /// Take a lock and submit an order, or submit one for a lock that there is.
    Submit(SubmitArgs),
    /// One order.
    Show {
        /// Its id.
        id: String,
        /// Its history too.
        #[arg(long)]
        history: bool,
    },
    /// Orders, newest first.
    List {
        /// Only in this state.
        #[arg(long)]
        state: Option<String>,
        /// Only those that need a person.
        #[arg(long)]
        review: bool,
        /// Only those that have not ended.
        #[arg(long)]
        open: bool,
        /// Only those with exactly this word of yours.
        #[arg(long)]
        reference: Option<String>,
        /// Only those submitted after this time, such as 2026-02-13T11:28:46Z.
        #[arg(long)]
        created_after: Option<String>,
        /// Only those submitted before this time.
        #[arg(long)]
        created_before: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Why an order is where it is, from its evidence, what happens next and when.
    Explain {
        /// Its id.
        id: String,
    },
    /// The orders that were submitted on a day: locked against executed amounts, funds on failed orders, what is left
    /// to settle.
    Report {
        /// The day, such as 2026-03-01.
        #[arg(long)]
        day: String,
        /// Whose day it is, such as Europe/Berlin.
        #[arg(long, default_value = "UTC")]
        tz: String,
    },
    /// What needs a person, with the exact commands that settle it.
    Review {
        /// Only this question, such as `unknown_create`.
        #[arg(long)]
        reason: Option<String>,
        /// At most so many orders.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Settle what was asked about an order.
    Resolve {
        #[command(flatten)]
        asked: AskedArgs,
        /// The question that was dealt with; `all` for whatever is open.
        #[arg(long, required_unless_present = "no_provider_order")]
        review: Option<String>,
        /// The provider was asked, and has no order for this lock: an unknown create ends as failed, without funds.
        #[arg(long, conflicts_with = "review")]
        no_provider_order: bool,
    },
    /// Say which order at the provider is this one; a read must show its lock before anything is believed.
    Adopt {
        #[command(flatten)]
        asked: AskedArgs,
        /// Its id at the provider.
        #[arg(long)]
        provider_order: String,
    },
    /// Do now what is due later. Never posts an unknown create again.
    Retry {
        #[command(flatten)]
        asked: AskedArgs,
    },
    /// End it if nothing was sent; otherwise the address is withheld, and only the provider ends it.
    Cancel {
        #[command(flatten)]
        asked: AskedArgs,
    },
    /// Post a create again whose outcome is unknown. It may make a second order at the provider.
    PostAgain {
        #[command(flatten)]
        asked: AskedArgs,
        /// The order's lock, to say that you know.
        #[arg(long)]
        lock_id: String,
    },
    /// Write something into the history of an order.
    Note {
        /// Its id.
        id: String,
        /// What.
        text: String,
        /// Who writes it.
        #[arg(long, env = "ORDERKEEP_AUTHOR")]
        author: String,
    },
    /// Follow one order to its end, or all orders until interrupted.
    Watch {
        /// Its id; all orders without it.
        id: Option<String>,
        /// Give up after so many seconds.
        #[arg(long)]
        timeout: Option<u64>,
    },
}

/// Which order, who asks and why; both are kept in its history.
#[derive(Debug, clap::Args)]
pub(crate) struct AskedArgs {
    /// The order's id.
    pub(crate) id: String,
    /// Who asks.
    #[arg(long, env = "ORDERKEEP_AUTHOR")]
    pub(crate) author: String,
    /// Why, in words.
    #[arg(long)]
    pub(crate) reason: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SubmitArgs {
    /// The fiat amount to take a lock for.
    #[arg(long, required_unless_present_any = ["lock_id", "lock_answer", "terms"])]
    pub(crate) amount: Option<String>,
    /// The crypto currency the payer sends.
    #[arg(long, default_value = "usdc")]
    pub(crate) currency: String,
    /// On which chain.
    #[arg(long, default_value = "polygon")]
    pub(crate) network: String,
    /// A lock that the engine took.
    #[arg(long, conflicts_with_all = ["amount", "lock_answer", "terms"])]
    pub(crate) lock_id: Option<String>,
    /// A file with the provider's whole answer to a lock that was taken elsewhere, as it came.
    #[arg(long, conflicts_with_all = ["amount", "terms"])]
    pub(crate) lock_answer: Option<PathBuf>,
    /// A JSON file with the terms of a lock that was taken elsewhere, as this engine shows them.
    #[arg(long, conflicts_with = "amount")]
    pub(crate) terms: Option<PathBuf>,
    /// Your own key: the same key is the same order. A new one without it.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// Your own word for the order.
    #[arg(long)]
    pub(crate) reference: Option<String>,
    /// What else to hang on the order; as often as wanted.
    #[arg(long, value_name = "NAME=TEXT", value_parser = named_text)]
    pub(crate) metadata: Vec<(String, String)>,
    /// If the lock ends first, take a fresh one as long as the payer need not pay more than this.
    #[arg(long)]
    pub(crate) relock_max_pay: Option<String>,
    /// Take no fresh lock after this time, such as 2026-02-13T11:28:46Z.
    #[arg(long, requires = "relock_max_pay")]
    pub(crate) relock_until: Option<String>,
    /// Which account.
    #[arg(long, default_value = "default")]
    pub(crate) account: String,
}

/// `NAME=TEXT`; the text may hold more of `=`.
fn named_text(argument: &str) -> Result<(String, String), String> {
    let (name, text) = argument.split_once('=').ok_or("it is `NAME=TEXT`")?;
    Ok((name.to_owned(), text.to_owned()))
}
