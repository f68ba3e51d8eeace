//! Webhooks out: every event of every order to every endpoint that asked for it, signed, at least once, in order per
//! order.
//!
//! The feed is complete and can be read again, so there is no second queue: an endpoint is a *position* in the feed, and
//! the few orders that it *holds back* because a delivery of theirs failed. Both are durable, and both move only after the
//! receiver answered. One task owns an endpoint, so a dead one delays nobody.
//!
//! Reading order: [`Endpoint`] (what is kept), `worker` (who delivers), `schedule` (when again), [`Secret`] (how it is
//! signed), [`Transport`] (the port to the network), [`Outbox`] (the handle).

mod endpoint;
mod error;
mod log;
mod message;
pub mod metrics;
mod needs;
mod outbox;
mod records;
mod schedule;
mod secret;
mod transport;
mod worker;

pub use endpoint::{Draft, Endpoint, EndpointId, Held, Off, Source, Start, Update, address};
pub use error::OutboxError;
pub use log::{DELIVERIES_KEPT, DELIVERIES_KEPT_MAX, Delivery};
pub use message::{EVENT_TYPE_PREFIX, Render, event_type};
pub use outbox::{Outbox, OutboxConfig, Replay};
pub use secret::{BadSecret, Secret};
pub use transport::{Answer, Request, Transport, Undelivered};

#[doc(hidden)]
pub use worker::Twin;
