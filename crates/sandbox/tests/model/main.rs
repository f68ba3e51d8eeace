//! The model under a virtual clock: every path of an order, every fault, every dialect. No time passes here but what
//! the tests move, and every expected value is literal.

#![allow(clippy::unwrap_used, reason = "in a test's bench, too, a panic is the report")]

mod bench;
mod controls;
mod determinism;
mod dialects;
mod faults;
mod lifecycle;
mod locks;
mod payments;
mod webhook_faults;
mod webhooks;
