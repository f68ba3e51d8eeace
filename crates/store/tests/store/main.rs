//! The stores of this crate, seen from outside.

#![expect(clippy::unwrap_used, reason = "a panic is the report")]

mod conformance;
mod crash;
mod differential;
mod smoke;
mod support;
