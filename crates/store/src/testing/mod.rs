//! Engines that fail on command, for tests of what must survive, and the limit that a store is measured against.

mod dying;
mod forgetful;
#[cfg(feature = "embedded")]
mod grouped;
#[cfg(feature = "embedded")]
mod raw_log;
mod records;
#[cfg(feature = "redb")]
mod redb_plain;

pub use dying::{Death, DyingKv, Moment};
pub use forgetful::ForgetfulKv;
#[cfg(feature = "embedded")]
pub use raw_log::RawLog;
pub use records::read_as_every_record;
#[cfg(feature = "redb")]
pub use redb_plain::RedbPlain;
