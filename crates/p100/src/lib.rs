//! The client of P100's Partner API: wire format, mapping, webhooks.
//!
//! [`P100`] is the [`Provider`](orderkeep_provider::Provider) of one credential in one environment. It asks, reads what
//! came back into the words of `orderkeep_core`, and says of every call that failed whether it can have had an effect.
//!
//! Deliberately not here: durable retries, rate limits, circuit breakers, the address that webhooks are delivered to,
//! and any decision about an order. Nothing is installed or changed for the whole process: no logger, no TLS provider,
//! no runtime. The environment's proxy variables are not followed.
//!
//! What the provider documents and what is assumed: `docs/provider.md`. Everything assumed is configurable.
//!
//! Reading order: [`config`], `client`, `wire` (bodies), `failure` (classes), `webhook`.

mod authorization;
mod client;
pub mod config;
mod exchange;
mod failure;
mod retry;
mod retry_after;
mod secret;
mod skew;
mod tls;
mod transport;
mod webhook;
mod wire;

pub use authorization::{AuthorizationForm, BadAuthorizationForm};
pub use client::P100;
pub use config::{
    CodeClass, CodeTable, ConfigError, OrderNotFound, P100Config, PRODUCTION_URL, Paths,
    STAGING_URL, StatusTable, Timeouts, WEBHOOK_TOKENS_MAX,
};
pub use exchange::{Answer, Exchange, Fault, Request};
pub use secret::{Secret, SecretError};
