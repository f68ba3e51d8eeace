//! The built binary as processes: real HTTP, real disk, real kill -9.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic in a test is its report")]

mod api;
mod bench;
mod canary;
mod config;
mod contract;
mod demo;
mod dev;
mod events;
mod fixtures;
mod forged;
mod image;
mod keys;
mod limits;
mod metrics;
mod night_shift;
mod otlp;
mod outgoing;
#[path = "../../src/demo/port.rs"]
mod port;
mod process;
mod readiness;
mod receiver;
mod report;
mod restore;
mod stage;
mod store;
mod supervisor;
mod tls;
mod webhooks;
