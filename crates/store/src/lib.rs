//! The durable store: its port, the journal, and the embedded backends.
//!
//! One promise: **when a commit returns, the step survives a power cut; when it does not return, the step is there
//! whole or not at all.** The port ([`port`]) knows no order, only entities; a second lifecycle needs no second store.

mod backup;
#[cfg(feature = "testing")]
pub mod conformance;
#[cfg(feature = "embedded")]
mod folder;
mod journal;
pub mod kv;
pub mod limits;
pub mod port;
mod record;
mod store;
pub mod testing;
#[cfg(feature = "embedded")]
mod transfer;
#[cfg(feature = "embedded")]
mod writer;

pub use backup::{Backup, BackupError, BackupInfo, BackupReader, verify_backup};
#[cfg(feature = "embedded")]
pub use backup::{RestoreError, Restored, restore};
pub use journal::{CheckReport, Stats, Tuning};
pub use port::*;
pub use record::RecordError;
pub use store::MemoryStore;
#[cfg(feature = "embedded")]
pub use store::{Backend, EmbeddedConfig, EmbeddedStore, OpenError, UnknownBackend, backend_of};

#[cfg(feature = "embedded")]
pub use store::{Compacted, compact, export, import};
#[cfg(feature = "embedded")]
pub use transfer::{Progress, TransferError, Transferred};

/// A store on its default backend.
#[cfg(feature = "sled")]
pub type SledStore = EmbeddedStore;
/// How a store on its default backend is opened.
#[cfg(feature = "sled")]
pub type SledConfig = EmbeddedConfig;
