//! The stores of this crate, seen from outside.

#![expect(clippy::unwrap_used, reason = "a panic is the report")]

mod backup;
mod compact;
mod conformance;
mod crash;
mod damage;
mod differential;
mod fixtures;
mod folder;
mod process;
mod retention;
mod sealed;
mod smoke;
mod support;
mod tamper;
mod transfer;
