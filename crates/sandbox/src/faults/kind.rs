//! The kinds of faults. Each says what happens to the call or event, and when relative to its effect.

use serde::{Deserialize, Serialize};

/// A call of the provider's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `POST /v1/order/lock-rate`.
    Lock,
    /// `POST /v1/order`.
    Create,
    /// `GET /v1/order/details/{orderId}`.
    Details,
    /// `GET` of the rates.
    Rates,
}

impl Endpoint {
    /// The serde spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Create => "create",
            Self::Details => "details",
            Self::Rates => "rates",
        }
    }
}

/// The two error codes whose effect is unclear to a client. Both arrive as HTTP 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorCode {
    /// Unknown exception.
    P500,
    /// Service temporarily unavailable.
    P501,
}

/// What a mangled success looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GarbageShape {
    /// A page of HTML under the success status.
    Html,
    /// The right JSON, cut in the middle.
    Truncated,
    /// The success status with no body.
    Empty,
}

/// What goes wrong with one call. "Before" leaves no effect; "after" means the provider did its part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum CallFault {
    /// After: the connection closes without an answer.
    AnswerLost {},
    /// After: nothing is answered and nothing closed, until the client gives up.
    AnswerHung {},
    /// Before: the connection closes without an answer. To a client this looks the same as `AnswerLost`, as it does
    /// in the world; what a client can tell apart is a refused connection, which only an outage makes.
    Dropped {},
    /// Before: the error, and no effect.
    ErrorBefore {
        /// Which of the two.
        code: ErrorCode,
    },
    /// After: the error, though the effect is there.
    ErrorAfter {
        /// Which of the two.
        code: ErrorCode,
    },
    /// Before: 401 as for a wrong key.
    Denied {},
    /// Before: 429.
    Throttled {
        /// Seconds in `Retry-After`.
        retry_after_s: u32,
    },
    /// After: the success status with an unreadable body.
    Garbage {
        /// What stands in the body's place.
        shape: GarbageShape,
    },
    /// After: the right answer, late.
    Slow {
        /// Provider milliseconds between effect and answer.
        delay_ms: i64,
    },
    /// Details only: the order as it was a while ago; an order younger than that is not found.
    Stale {
        /// How far behind, provider milliseconds.
        lag_ms: i64,
    },
}

impl CallFault {
    /// The name under which it is counted.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AnswerLost {} => "answer_lost",
            Self::AnswerHung {} => "answer_hung",
            Self::Dropped {} => "dropped",
            Self::ErrorBefore { code: ErrorCode::P500 } => "p500_before",
            Self::ErrorBefore { code: ErrorCode::P501 } => "p501_before",
            Self::ErrorAfter { code: ErrorCode::P500 } => "p500_after",
            Self::ErrorAfter { code: ErrorCode::P501 } => "p501_after",
            Self::Denied {} => "denied",
            Self::Throttled { .. } => "throttled",
            Self::Garbage { .. } => "garbage",
            Self::Slow { .. } => "slow",
            Self::Stale { .. } => "stale",
        }
    }
}

/// What is false about a forged webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forgery {
    /// Right token, an address that is not the order's.
    FalseAddress,
    /// Right token, a final status the order does not have.
    FalseStatus,
    /// The true body under a wrong token.
    WrongToken,
}

/// What goes wrong with the webhook of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum WebhookFault {
    /// Every try is lost on its way: the provider gives up, the receiver heard nothing.
    LostAll {},
    /// The first try is lost; the next one follows by the schedule.
    LostTry {},
    /// Delivered twice, each with tries of its own.
    Doubled {},
    /// The first try comes later.
    Delayed {
        /// Provider milliseconds.
        delay_ms: i64,
    },
    /// Held back until the order's next event has overtaken it, at most one minute.
    Reordered {},
    /// Besides the true webhook, a forged one.
    Forged {
        /// What is false.
        forgery: Forgery,
    },
}

impl WebhookFault {
    /// The name under which it is counted.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::LostAll {} => "lost_all",
            Self::LostTry {} => "lost_try",
            Self::Doubled {} => "doubled",
            Self::Delayed { .. } => "delayed",
            Self::Reordered {} => "reordered",
            Self::Forged { forgery: Forgery::FalseAddress } => "forged_address",
            Self::Forged { forgery: Forgery::FalseStatus } => "forged_status",
            Self::Forged { forgery: Forgery::WrongToken } => "forged_token",
        }
    }
}

/// What a client meets during an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutageMode {
    /// Every call is answered with HTTP 503 and a page of HTML, as by a proxy in front of a dead service.
    #[serde(rename = "http_503")]
    Http503,
    /// Connections are accepted and closed at once, nothing read: ambiguous to a client.
    Drop,
    /// Nobody listens: connections are refused by the operating system.
    Refuse,
}

impl OutageMode {
    /// The name under which calls in an outage are counted.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http503 => "http_503",
            Self::Drop => "drop",
            Self::Refuse => "refuse",
        }
    }
}
