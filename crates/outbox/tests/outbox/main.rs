//! The outbox over a store in memory, in virtual time, with receivers that fail as told.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod crash;
mod failing;
mod log;
mod managed;
mod order;
mod world;
