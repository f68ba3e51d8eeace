//! Engines that fail on command, for tests of what must survive, and the limit that a store is measured against.

mod dying;
#[cfg(feature = "embedded")]
mod raw_log;
mod records;

pub use dying::{Death, DyingKv, Moment};
#[cfg(feature = "embedded")]
pub use raw_log::RawLog;
pub use records::read_as_every_record;
