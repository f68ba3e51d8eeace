//! The stores: the journal with an engine below it and a way to run it around it.

#[cfg(feature = "embedded")]
mod embedded;
mod memory;
#[cfg(feature = "embedded")]
mod readers;
#[cfg(feature = "embedded")]
mod threaded;

#[cfg(feature = "embedded")]
pub(crate) use embedded::open_journal;
#[cfg(feature = "embedded")]
pub use embedded::{
    Backend, Compacted, EmbeddedConfig, EmbeddedStore, OpenError, UnknownBackend, backend_of,
    compact, export, import,
};
pub use memory::MemoryStore;
