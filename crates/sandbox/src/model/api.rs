//! Calls of the API, as data: what a client asks, and what it meets on the wire.

use std::fmt;

use uuid::Uuid;

use crate::faults::Endpoint;

/// What a call's `x-api-key` was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The configured key.
    Right,
    /// None was sent.
    Missing,
    /// Some other key.
    Wrong,
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub enum Request<'a> {
    /// `POST /v1/order/lock-rate` with this body.
    Lock(&'a [u8]),
    /// `POST /v1/order` with this body.
    Create(&'a [u8]),
    /// `GET /v1/order/details/{orderId}` with this id as it stood in the path.
    Details(&'a str),
    /// `GET` of the rates.
    Rates,
}

impl Request<'_> {
    /// The endpoint it is for.
    pub const fn endpoint(&self) -> Endpoint {
        match self {
            Self::Lock(_) => Endpoint::Lock,
            Self::Create(_) => Endpoint::Create,
            Self::Details(_) => Endpoint::Details,
            Self::Rates => Endpoint::Rates,
        }
    }
}

/// What a client meets, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Provider milliseconds from the call to this.
    pub after_ms: i64,
    /// What it is.
    pub wire: Wire,
}

/// What happens on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wire {
    /// An answer.
    Answer(Answer),
    /// The connection closes without an answer.
    Closed,
    /// Nothing ever comes, and nothing closes.
    Silence,
    /// No connection came about: certainly nothing was sent.
    Refused,
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `Retry-After`, seconds.
    pub retry_after_s: Option<u32>,
    /// The body, perhaps mangled.
    pub body: String,
}

impl Answer {
    pub(crate) const fn json(status: u16, body: String) -> Self {
        Self { status, content_type: "application/json; charset=utf-8", retry_after_s: None, body }
    }

    pub(crate) fn html(status: u16, title: &str) -> Self {
        Self {
            status,
            content_type: "text/html",
            retry_after_s: None,
            body: format!(
                "<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
            ),
        }
    }
}

impl Reply {
    pub(crate) const fn now(wire: Wire) -> Self {
        Self { after_ms: 0, wire }
    }
}

/// An order, named by its id or by the address that a payer was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderRef {
    /// The provider's order id.
    Id(Uuid),
    /// The address; case does not matter.
    Address(String),
}

impl fmt::Display for OrderRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}
