//! The port to the network. What is behind it decides which addresses may be reached.

use std::{fmt, time::Duration};

use bytes::Bytes;
use orderkeep_store::port::BoxFuture;
use url::Url;

/// One POST.
#[derive(Clone)]
pub struct Request {
    /// Where to.
    pub url: Url,
    /// Names and values; they hold no secret, but signatures.
    pub headers: Vec<(&'static str, String)>,
    /// The body, as it was signed.
    pub body: Bytes,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("body", &self.body.len()).finish_non_exhaustive()
    }
}

/// What the receiver answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The status; 2xx is taken, everything else is not.
    pub status: u16,
    /// When the receiver wants to be asked again.
    pub retry_after: Option<Duration>,
}

/// No answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Undelivered(pub String);

/// Sends requests, each at most once, within a time of its own, and follows no redirect.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Whether this address may be a target at all, as far as its text says; names are looked at when they are resolved.
    ///
    /// # Errors
    /// Why not.
    fn allows(&self, url: &Url) -> Result<(), String>;

    /// Sends one request.
    fn post(&self, request: Request) -> BoxFuture<'_, Result<Answer, Undelivered>>;
}
