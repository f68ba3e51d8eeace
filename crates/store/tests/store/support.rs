//! The backends of this crate as factories, and small bounds that make rows lag and slices happen all the time.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use orderkeep_store::{
    Backend, BoxFuture, EmbeddedConfig, EmbeddedStore, MemoryStore, Store, Tuning,
    conformance::Factory, kv::Kv, kv::MemoryKv, testing::DyingKv,
};
use tempfile::TempDir;
use uuid::Uuid;

/// Rows are written one or two at a time, and some of them always wait.
pub(crate) fn tiny() -> Tuning {
    Tuning {
        lag_rows: 3,
        lag_bytes: 16 * 1024,
        lag_entries: 7,
        stop_factor: 2,
        slice_rows: 2,
        slice_bytes: 1_024,
        seal_entities: 3,
        merge_tables: 2,
        merge_keys: 5,
        tail_records: 4,
    }
}

/// A store over an engine, on the caller's thread.
pub(crate) fn over(kv: Arc<dyn Kv>, tuning: Tuning) -> MemoryStore {
    MemoryStore::over(kv, Uuid::from_u128(0xfeed), tuning).unwrap()
}

/// Stores over engines in memory; the engine outlives the store.
pub(crate) struct Engines {
    tuning: Tuning,
    dying: bool,
    last: Mutex<Option<Arc<dyn Kv>>>,
}

impl Engines {
    pub(crate) fn new(tuning: Tuning, dying: bool) -> Self {
        Self { tuning, dying, last: Mutex::new(None) }
    }
}

impl Factory for Engines {
    fn fresh(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        let kv: Arc<dyn Kv> =
            if self.dying { Arc::new(DyingKv::new()) } else { Arc::new(MemoryKv::new()) };
        *self.last.lock().unwrap() = Some(Arc::clone(&kv));
        let store: Arc<dyn Store> = Arc::new(over(kv, self.tuning.clone()));
        Box::pin(async move { store })
    }

    fn reopen(&self, store: Arc<dyn Store>) -> BoxFuture<'_, Arc<dyn Store>> {
        drop(store);
        let kv = self.last.lock().unwrap().clone().unwrap();
        let store: Arc<dyn Store> = Arc::new(over(kv, self.tuning.clone()));
        Box::pin(async move { store })
    }
}

/// Stores on a backend, each in a folder of its own. Every second one is closed before it is opened again, the others are
/// only dropped.
pub(crate) struct Folders {
    backend: Backend,
    tuning: Tuning,
    folder: TempDir,
    count: AtomicU64,
}

impl Folders {
    pub(crate) fn new(backend: Backend, tuning: Tuning) -> Self {
        Self { backend, tuning, folder: tempfile::tempdir().unwrap(), count: AtomicU64::new(0) }
    }

    fn config(&self, number: u64) -> EmbeddedConfig {
        EmbeddedConfig {
            backend: self.backend,
            tuning: self.tuning.clone(),
            cache_bytes: 16 * 1024 * 1024,
            ballast_bytes: 64 * 1024,
            ..EmbeddedConfig::new(self.folder.path().join(number.to_string()))
        }
    }
}

impl Factory for Folders {
    fn fresh(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let config = self.config(number);
        Box::pin(async move {
            let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(config).unwrap());
            store
        })
    }

    fn reopen(&self, store: Arc<dyn Store>) -> BoxFuture<'_, Arc<dyn Store>> {
        let number = self.count.load(Ordering::Relaxed);
        let config = self.config(number);
        Box::pin(async move {
            if number.is_multiple_of(2) {
                store.close().await.unwrap();
            }
            drop(store);
            let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(config).unwrap());
            store
        })
    }
}
