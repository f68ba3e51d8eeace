//! The seam under the client: one request out, at most one answer back.
//!
//! HTTP is the one that counts ([`crate::P100::new`]); a simulation carries requests in another way
//! ([`crate::P100::over`]), and everything above this stays what it is in production.

use std::{fmt, time::Duration};

use orderkeep_provider::BoxFuture;

/// A request of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whether it may have an effect: `POST`; otherwise `GET`.
    pub is_post: bool,
    /// Its path under the base address.
    pub path: String,
    /// The JSON body of a `POST`.
    pub body: Option<Vec<u8>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
    /// The body, or why it could not be had.
    pub body: Result<Vec<u8>, Fault>,
}

/// Why nothing came back, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Whether it is certain that no byte of the request was written.
    pub not_sent: bool,
    /// In words.
    pub why: String,
}

/// Carries requests. Bounds every one of them in time, and never sends one twice.
pub trait Exchange: fmt::Debug + Send + Sync + 'static {
    /// Sends once. Dropped early, it leaves the outcome unknown.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, Fault>>;
}
