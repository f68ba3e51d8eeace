//! The API as a router in this process: what would be dear or impossible to bring about between processes.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod amounts;
mod commands;
mod document;
mod events;
mod ill;
mod keys;
mod orders;
mod pages;
mod provider;
mod refusals;
mod report;
mod sell;
mod store;
mod waits;
mod world;
