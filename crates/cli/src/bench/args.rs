//! What can be measured, on the command line.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use crate::args::OutputFormat;

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Whole lives of orders through each store, beside what the disk could do.
    Store(BenchStoreArgs),
    /// Many open orders that wait: what they cost in memory, how soon work goes on after a start, how long look-ups take.
    Parked(BenchParkedArgs),
    /// Whole orders over HTTP, provider and engine in processes of their own, beside a service that keeps nothing.
    Engine(BenchEngineArgs),
    /// A daemon over many open orders, stopped and killed under load: how soon it answers again, and what it lost.
    Restart(BenchRestartArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct BenchRestartArgs {
    /// Open orders before the first end.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) orders: u64,
    /// Rounds; in each, one end by SIGTERM and one by SIGKILL.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) rounds: u32,
    /// The program that serves, if not this one: another version, or another build.
    #[arg(long)]
    pub(crate) program: Option<PathBuf>,
    /// A daemon that finds nothing of what it had, to show that the benchmark notices.
    #[arg(long, hide = true)]
    pub(crate) forgetful_twin: bool,
    /// An end comes when callers were told of so many orders more.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) between: u64,
    /// Callers that submit meanwhile.
    #[arg(long, default_value = "16", value_parser = in_flight)]
    pub(crate) inflight: usize,
    /// A folder on the disk to measure; the system's temporary one without it.
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) output: OutputFormat,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BenchEngineArgs {
    /// Orders of each of the two, all rounds together.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(10..=200_000))]
    pub(crate) orders: u64,
    /// Orders in flight at once. With fewer the provider's delays hold the service that keeps nothing back.
    #[arg(long, default_value = "512", value_parser = in_flight)]
    pub(crate) inflight: usize,
    /// Rounds in which the two take turns; the median of them counts.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) rounds: u64,
    /// Whether an address and an end are believed as a webhook says them, or read first.
    #[arg(long, value_enum, default_value_t = Webhooks::Trust)]
    pub(crate) webhooks: Webhooks,
    /// Only the service that keeps nothing: the limit.
    #[arg(long)]
    pub(crate) null: bool,
    /// A folder on the disk to measure; the system's temporary one without it.
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) output: OutputFormat,
    /// An engine that answers webhooks before they are stored, to show that the benchmark notices.
    #[arg(long, hide = true)]
    pub(crate) early_twin: bool,
    /// Be one of the two, in this process.
    #[arg(long, hide = true, value_enum, requires = "config")]
    pub(crate) serve: Option<BenchArm>,
    /// That one's configuration.
    #[arg(long, hide = true)]
    pub(crate) config: Option<PathBuf>,
}

/// How far webhooks are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Webhooks {
    /// An address and an end are taken from them.
    Trust,
    /// The provider is read first: the default of an engine.
    Verify,
}

impl Webhooks {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Trust => "trust",
            Self::Verify => "verify",
        }
    }
}

/// What takes turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchArm {
    /// The engine, every step durable.
    Engine,
    /// The same HTTP exchange, nothing kept.
    Null,
}

impl BenchArm {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Null => "null",
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct BenchParkedArgs {
    /// Open orders.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(10..))]
    pub(crate) orders: u64,
    /// A folder on the disk to measure; the system's temporary one without it.
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) output: OutputFormat,
    /// Measure the store in this folder, in this process.
    #[arg(long, hide = true)]
    pub(crate) measure: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BenchStoreArgs {
    /// Orders in flight at once.
    #[arg(long, value_delimiter = ',', default_value = "1,64,1024", value_parser = in_flight)]
    pub(crate) inflight: Vec<usize>,
    /// Orders in all.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) orders: u64,
    /// No order is begun after so many seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds_max: u64,
    /// Only this one (the raw log runs all the same, to compare with); all without it.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) store: Vec<BenchStore>,
    /// A folder on the disk to measure; the system's temporary one without it.
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) output: OutputFormat,
    /// One store under one load in this process, compared with nothing.
    #[arg(long, hide = true, requires = "store")]
    pub(crate) alone: bool,
}

fn in_flight(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=100_000) => Ok(number),
        Ok(_) | Err(_) => Err("from 1 to 100000 orders can be in flight".to_owned()),
    }
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchStore {
    /// The physical limit: a log in a file that lies there already, one `fdatasync` for each group.
    Raw,
    /// The embedded default.
    Sled,
    /// The other embedded store, with the same journal.
    Redb,
    /// What one writes first on redb: a key for every fact, a transaction for each group.
    RedbPlain,
}

impl BenchStore {
    pub(crate) const ALL: [Self; 4] = [Self::Raw, Self::Sled, Self::Redb, Self::RedbPlain];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Sled => "sled",
            Self::Redb => "redb",
            Self::RedbPlain => "redb-plain",
        }
    }
}
