//! The stores that are put under faults, and the control arm beside them.

use std::{path::Path, sync::Arc, time::Duration};

use clap::ValueEnum;
use orderkeep_store::{Backend, EmbeddedConfig, EmbeddedStore, OpenError, ReadError};

/// What keeps the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Engine {
    /// The store on sled.
    Sled,
    /// The store on redb.
    Redb,
    /// No store: a file, appended to and synced. What the harness reports of it is the harness's own fault.
    Log,
}

impl Engine {
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// How a child opens it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Opening {
    /// The store's folder.
    #[arg(long)]
    pub(crate) store: std::path::PathBuf,
    /// Where its mark is kept; inside the folder without it.
    #[arg(long)]
    pub(crate) mark: Option<std::path::PathBuf>,
    /// How long a commit may take, in milliseconds.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) patience_ms: u64,
    /// How long the opening may take, in milliseconds.
    #[arg(long, default_value_t = 120_000)]
    pub(crate) open_patience_ms: u64,
    /// How much room is kept back, in KiB.
    #[arg(long, default_value_t = 64)]
    pub(crate) ballast_kib: u64,
}

/// Opens the store.
pub(crate) fn open(engine: Engine, opening: &Opening) -> Result<Arc<EmbeddedStore>, OpenError> {
    let backend = match engine {
        Engine::Sled => Backend::Sled,
        Engine::Redb => Backend::Redb,
        Engine::Log => panic!("the control arm is no store"),
    };
    EmbeddedStore::open(config(&opening.store, opening).backend(backend)).map(Arc::new)
}

/// What a check of everything finds wrong.
pub(crate) async fn problems(store: &EmbeddedStore) -> Result<Vec<String>, ReadError> {
    store.check().await.map(|report| report.problems)
}

fn config(path: &Path, opening: &Opening) -> EmbeddedConfig {
    EmbeddedConfig {
        mark_path: opening.mark.clone(),
        cache_bytes: 16 * 1024 * 1024,
        ballast_bytes: opening.ballast_kib * 1024,
        // The file systems of the campaigns are small.
        reserve_new_bytes: 2 * 1024 * 1024,
        reserve_bytes: 1024 * 1024,
        commit_timeout: Duration::from_millis(opening.patience_ms),
        open_timeout: Duration::from_millis(opening.open_patience_ms),
        ..EmbeddedConfig::new(path)
    }
}
