//! What runs the lifecycle: shards, calls, inbox, reconciliation.
//!
//! `driver` decides nothing about an order: it asks the lifecycle what an input does, makes the step durable, and only
//! then acts. Nothing is remembered only in memory: after a restart the state and its durable wake-up say what to do,
//! so recovery is the ordinary path. It knows the ports, never a concrete store, provider or server.
//!
//! Reading order: `engine` (the handle), `shard` (who owns orders), `slot` (one order at work), `gate` (the request
//! budget), `inbox` (webhooks).

mod calls;
pub mod clock;
pub mod codec;
mod conditions;
pub mod config;
pub mod engine;
mod entropy;
mod error;
mod feed;
#[cfg(test)]
mod fixture;
mod gate;
mod inbox;
pub mod metrics;
pub mod records;
mod restore;
mod retention;
mod shard;
mod span;
mod stats;
mod waiting;

pub use clock::{Clock, SystemClock, TokioClock};
pub use conditions::Pace;
pub use config::{Budget, EngineConfig};
pub use engine::{
    Answered, Builder, Engine, OrderList, SubmitRequest, Submitted, TermsSource, WaitEnd, Waited,
};
pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use error::{CommandError, EngineError, StartError, SubmitError, WebhookError};
pub use feed::{EventPage, Feed, FeedEvent};
pub use gate::GateState;
pub use inbox::{OtherWebhook, WebhookReceipt};
pub use orderkeep_store::{Backup, BadCursor, Cursor};
pub use restore::{LiftError, Lifted, Restore};
pub use retention::{Follower, Needs, Retention};
pub use stats::{AccountStatus, Status};
