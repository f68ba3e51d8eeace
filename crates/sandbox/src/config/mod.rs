//! Configuration: everything the provider's documents leave open, and where the server listens.
//!
//! Values are plain data with serde names, so that one TOML or JSON table configures a process or a test. Nothing
//! here acts.

mod model;
mod server;
mod words;

pub use model::{AutoPay, AutoPayMix, Coin, ModelConfig};
pub use server::{SandboxConfig, Secret};
pub use words::{
    AuthorizationForm, Dialect, LatePolicy, MissingFields, OrderWords, SecondCreate, StatusNames,
    TimestampView, UnknownOrder,
};

/// A configuration that makes no sense; the message names the field and what it may be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("sandbox configuration: `{field}` {problem}")]
pub struct ConfigError {
    /// The field, in its serde spelling.
    pub field: &'static str,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl ConfigError {
    pub(crate) fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}
