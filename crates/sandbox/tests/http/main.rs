//! The server over real loopback HTTP: credentials, bodies, controls, webhooks, outages, load.

#![allow(clippy::unwrap_used, reason = "in a test's bench, too, a panic is the report")]

mod api;
mod controls;
mod outages;
mod receiver;
mod webhooks;
mod wire;
