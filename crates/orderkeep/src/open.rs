//! The embedded store, opened off the runtime's threads: replaying a journal takes a while.

use std::{path::PathBuf, sync::Arc};

use orderkeep_store::{EmbeddedConfig, EmbeddedStore, OpenError, Store};

/// Opens (or makes) a store in this folder, with the defaults.
///
/// # Errors
/// The folder is in use by another process (it is named), was written by a newer version, or is damaged; the error
/// says what to do.
pub async fn open(path: impl Into<PathBuf>) -> Result<Arc<dyn Store>, OpenError> {
    open_with(EmbeddedConfig::new(path)).await
}

/// Opens (or makes) a store; on redb with `EmbeddedConfig::new(path).backend(Backend::Redb)`.
///
/// # Errors
/// As [`open`].
pub async fn open_with(config: EmbeddedConfig) -> Result<Arc<dyn Store>, OpenError> {
    let opened = tokio::task::spawn_blocking(move || EmbeddedStore::open(config)).await;
    match opened {
        Ok(store) => store.map(|store| Arc::new(store) as Arc<dyn Store>),
        // `EmbeddedStore::open` guards itself against panics; what is left is ours to pass on.
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}
