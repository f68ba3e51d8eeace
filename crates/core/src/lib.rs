//! The life of an order, pure: state, input and time in; events, effects and the next wake-up out.
//!
//! Nothing here reads a clock, a socket or a random number, and nothing waits. The contract with whoever runs it:
//!
//! 1. Load the order, ask [`Order::step`] what one [`Input`] does to it.
//! 2. Make the step's events durable, all of them or none, against the version they were computed from.
//! 3. Only then carry out its [`Effect`]s. What they come to is a new input.
//! 4. Keep the wake-up of every order that has one; when it is due, ask [`Order::due`] what to do.
//!
//! History folds back to the state: `Order::fold(events) == state`, always.
//!
//! Reading order: [`state`] (the six states), [`input`], [`outcome`], [`event`], then [`mod@order`] and the state files.

pub mod effect;
pub mod event;
pub mod explain;
pub mod facts;
pub mod id;
pub mod input;
pub mod metadata;
pub mod money;
pub mod observation;
mod observe;
#[cfg(feature = "openapi")]
mod openapi;
pub mod order;
pub mod outcome;
pub mod payment;
pub mod policy;
pub mod replay;
pub mod report;
mod restore;
pub mod retry;
pub mod review;
pub mod schedule;
pub mod state;
pub mod table;
pub mod terms;
mod text;
pub mod time;

pub use effect::Effect;
pub use event::{Cause, Event, EventRecord};
pub use explain::{Calls, Explanation, Outlook};
pub use facts::{AfterFact, Fact, FailReason, Funds, OrderOutcome, OrderResult};
pub use id::{AccountId, Author, IdempotencyKey, LockId, OrderId, ProviderOrderId};
pub use input::{
    Command, CreateAnswer, CreateInput, Input, Resolution, SecondOrderAcknowledged, Submit,
};
pub use metadata::Metadata;
pub use money::{Currency, Exact, Network};
pub use observation::{Address, Observation, ProviderStatus, Source, TransactionHash};
pub use order::{EarlierLock, Order};
pub use outcome::{Already, Disposition, Outcome, Refusal, Step};
pub use payment::{Payment, PaymentKind};
pub use policy::Policy;
pub use retry::{AnswerClass, AnswerTable, CreateVerdict};
pub use review::{Review, ReviewReason};
pub use schedule::{Due, WakeUp};
pub use state::{State, StateName};
pub use terms::{Relock, Terms};
pub use time::Timestamp;
