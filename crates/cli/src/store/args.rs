//! What can be asked about a store on the command line.

use std::path::PathBuf;

use clap::Subcommand;
use orderkeep::store::Backend;

use crate::args::OutputFormat;

#[derive(Debug, clap::Args)]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    #[arg(long, global = true, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) output: OutputFormat,
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

/// Which store.
#[derive(Debug, clap::Args)]
pub(crate) struct PlaceArgs {
    /// The daemon's TOML file, for its `data`, `mark_path` and `store`; flags win over it.
    #[arg(long, global = true, env = "ORDERKEEP_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The data folder.
    #[arg(long, global = true, env = "ORDERKEEP_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Where the store's high-water mark is kept, if not in the data folder.
    #[arg(long, global = true)]
    pub(crate) mark_path: Option<PathBuf>,
    /// What the store was made with: sled or redb. Found out without it.
    #[arg(long, global = true, env = "ORDERKEEP_STORE")]
    pub(crate) store: Option<Backend>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Read all of it: the whole journal against its checksums, and everything that is looked up against the journal.
    Check,
    /// Write all of it as JSON lines, with a checksum at the end; a store on another machine or of another kind can be made
    /// of them.
    Export {
        /// A new file; stdout without it.
        #[arg(long)]
        to: Option<PathBuf>,
    },
    /// Make a store of exported lines, in an empty folder. It is a new incarnation of the store they are of.
    Import {
        /// The file; stdin without it.
        #[arg(long)]
        from: Option<PathBuf>,
    },
    /// Write a store anew that takes more room than what is in it. Needs as much room again meanwhile.
    Compact,
    /// Copy everything that is durable now into one file, of one moment, while the engine runs or not, and read it again.
    Backup(BackupArgs),
    /// Make a store of a backup in a new folder, checked whole, as another life of the store.
    Restore(RestoreArgs),
    /// Take a store as it is although its mark says that something is missing, as another life of it.
    AcceptOlder,
    /// End the hold that a restore began with, in a running engine: what the older copy does not know is accounted for.
    LiftHold(LiftHoldArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct LiftHoldArgs {
    /// The engine's address.
    #[arg(long, default_value = "http://127.0.0.1:7070", env = "ORDERKEEP_URL")]
    pub(crate) url: String,
    /// A file that holds the engine's API token alone.
    #[arg(long, env = "ORDERKEEP_API_TOKEN_FILE")]
    pub(crate) api_token_file: Option<PathBuf>,
    /// Who says so.
    #[arg(long)]
    pub(crate) author: String,
    /// Why it is right; kept on record.
    #[arg(long)]
    pub(crate) reason: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    /// The backup's file; it must not be there yet.
    pub(crate) file: PathBuf,
    /// Ask the engine at this address. Without it: the data folder, or the engine of this machine if that has it open.
    #[arg(long, env = "ORDERKEEP_URL")]
    pub(crate) url: Option<String>,
    /// A file that holds the engine's API token alone.
    #[arg(long, env = "ORDERKEEP_API_TOKEN_FILE")]
    pub(crate) api_token_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// The backup's file.
    pub(crate) file: PathBuf,
}
