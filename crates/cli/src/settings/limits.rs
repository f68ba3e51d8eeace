//! How much callers may ask for, and how long they may take.

use orderkeep::{EngineConfig, http::Limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::Span;

/// How much callers may ask for. What is beyond it waits, or is answered 413, 429 or 503 with `Retry-After`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitsSettings {
    /// Connections at once; never more than the process may open files, less 128 for the store. Further ones wait.
    pub(crate) connections: usize,
    /// A request's headers are here within this time, and a connection that asks nothing is closed after it.
    pub(crate) headers_within: Span,
    /// A request's line and headers are at most so many bytes long; 8192 at least.
    pub(crate) header_bytes: usize,
    /// Requests that are answered at once, event streams and waits aside.
    pub(crate) in_flight: usize,
    /// Event streams at once.
    pub(crate) streams: usize,
    /// Waits for an order at once; 4096 at most.
    pub(crate) waits: usize,
    /// The body of a request, in bytes.
    pub(crate) body_bytes: usize,
    /// The bodies of all requests together, in bytes: so much memory do they take, however many connections there are.
    pub(crate) bodies_bytes: usize,
    /// A request's body is here within this time after its headers.
    pub(crate) body_within: Span,
    /// A request is given up after this time; a wait for an order ends after five sixths of it.
    pub(crate) answer_within: Span,
    /// Requests of one key, per second on average.
    pub(crate) key_per_second: f64,
    /// Requests of one key at once after a pause.
    pub(crate) key_burst: u32,
    /// Webhooks that wait to be worked off; the provider is answered 503 beyond it, and sends again.
    pub(crate) inbox: u64,
    /// The body of a webhook, in bytes; 1048576 at most.
    pub(crate) webhook_bytes: usize,
    /// At the end, requests on their way are seen through for so long.
    pub(crate) drain: Span,
}

impl Default for LimitsSettings {
    fn default() -> Self {
        let (api, engine) = (Limits::default(), EngineConfig::default());
        Self {
            connections: 4_096,
            headers_within: Duration::from_secs(15).into(),
            header_bytes: 64 * 1024,
            in_flight: api.in_flight,
            streams: api.streams,
            waits: api.waits,
            body_bytes: api.body_bytes,
            bodies_bytes: api.bodies_bytes,
            body_within: api.body_within.into(),
            answer_within: api.answer_within.into(),
            key_per_second: 200.0,
            key_burst: 400,
            inbox: engine.inbox_max,
            webhook_bytes: engine.webhook_bytes_max,
            drain: Duration::from_secs(15).into(),
        }
    }
}

impl LimitsSettings {
    /// Those that the API itself keeps.
    pub(crate) fn of_the_api(&self) -> Limits {
        Limits {
            in_flight: self.in_flight,
            streams: self.streams,
            waits: self.waits,
            body_bytes: self.body_bytes,
            bodies_bytes: self.bodies_bytes,
            body_within: self.body_within.0,
            answer_within: self.answer_within.0,
        }
    }

    /// What cannot be: nothing would be served any more.
    pub(crate) fn wrong(&self) -> Option<String> {
        let counts = [
            ("connections", self.connections),
            ("in_flight", self.in_flight),
            ("inbox", usize::try_from(self.inbox).unwrap_or(usize::MAX)),
            ("webhook_bytes", self.webhook_bytes),
            ("body_bytes", self.body_bytes),
            ("key_burst", self.key_burst as usize),
        ];
        if let Some((name, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Some(format!("`limits.{name}` is 0: nobody would be served; give at least 1"));
        }
        // What the receiver reads at most, whatever the engine would take.
        if self.webhook_bytes > 1024 * 1024 {
            return Some("`limits.webhook_bytes` is above 1048576".to_owned());
        }
        if self.waits > 4_096 {
            return Some("`limits.waits` is above 4096".to_owned());
        }
        if self.bodies_bytes < self.body_bytes {
            return Some(
                "`limits.bodies_bytes` is below `limits.body_bytes`: no whole body would be read"
                    .to_owned(),
            );
        }
        if self.body_within.0.is_zero() || self.answer_within.0.is_zero() {
            return Some(
                "`limits.body_within` or `limits.answer_within` is 0: no request would be answered"
                    .to_owned(),
            );
        }
        // Below it the HTTP library panics.
        if self.header_bytes < 8_192 {
            return Some("`limits.header_bytes` is below 8192".to_owned());
        }
        if !self.key_per_second.is_finite() || self.key_per_second <= 0.0 {
            return Some("`limits.key_per_second` must be above 0".to_owned());
        }
        if self.headers_within.0.is_zero() {
            return Some("`limits.headers_within` is 0: no request would be read".to_owned());
        }
        None
    }
}
