//! What can be asked for.

use clap::{Parser, ValueEnum};
use orderkeep_sim::Twin;

/// Runs the whole engine under virtual time against a provider, a network and a disk that fail, one run per seed, and
/// says which rules were broken. Exits non-zero when one was.
#[derive(Debug, Parser)]
#[command(name = "orderkeep-sim", version)]
pub(crate) struct Args {
    /// Run so many seeds.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    pub(crate) from: u64,
    /// Replay this seed alone, and tell what happens in it; a failing one is shrunk and told again.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Run the written plans in place of drawn ones; with a name, that one alone, told as a seed is.
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["seed", "twin"])]
    pub(crate) script: Option<String>,
    /// Break the engine on purpose, and stop at the first seed that notices (exit code 1; not noticed: 0).
    #[arg(long)]
    pub(crate) twin: Option<Twin>,
    /// Run on so many threads.
    #[arg(long, default_value_t = 1)]
    pub(crate) threads: usize,
    /// Say which cells of the state table were visited.
    #[arg(long)]
    pub(crate) cells: bool,
    /// For people or for machines.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Tables.
    Table,
    /// One JSON object.
    Json,
}
