//! The stores: the journal with an engine below it and a way to run it around it.

mod memory;
#[cfg(feature = "sled")]
mod readers;
#[cfg(feature = "sled")]
mod sled;
#[cfg(feature = "sled")]
mod threaded;

pub use memory::MemoryStore;
#[cfg(feature = "sled")]
pub use sled::{OpenError, SledConfig, SledStore};
