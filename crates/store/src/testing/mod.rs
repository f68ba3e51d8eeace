//! Engines that fail on command, for tests of what must survive.

mod dying;

pub use dying::{Death, DyingKv, Moment};
