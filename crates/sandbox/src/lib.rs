//! A faithful stand-in for the provider's Orders API.
//!
//! Three layers, each usable without the next:
//!
//! - [`Model`]: the provider as a value. Every verb takes the provider's time; nothing here opens a socket, reads a
//!   clock or draws from an unseeded generator, so one seed and the same calls give the same [`Ledger`].
//! - [`FaultScript`]: what goes wrong, by rule or by chance, decided by the model's own seeded dice and counted.
//! - [`Sandbox`]: the model behind real HTTP, with real webhooks and a control API.
//!
//! What the provider's documents leave open is configuration ([`ModelConfig`]), never a constant buried in the code.
//! The sandbox shares no code with any client of the provider: both were written from the documents, so that one
//! can catch the other's misreading.
//!
//! The fault kinds, the controls and an example stand in the crate's `README.md`.
//!
//! It deliberately does not move money, talk to a chain, or keep anything on disk.

mod amount;
mod config;
mod faults;
mod http;
mod ledger;
mod model;
mod stamp;

pub use config::{
    AuthorizationForm, AutoPay, AutoPayMix, Coin, ConfigError, Dialect, LatePolicy, MissingFields,
    ModelConfig, OrderWords, SandboxConfig, SecondCreate, Secret, StatusNames, TimestampView,
    UnknownOrder,
};
pub use faults::{
    CallChances, CallFault, Endpoint, ErrorCode, FaultError, FaultScript, Forgery, GarbageShape,
    Outage, OutageMode, Range, Rule, RuleFault, WebhookChances, WebhookFault,
};
pub use http::{Control, Sandbox, SandboxHandle, StartError};
pub use ledger::{
    CallCount, CreateEntry, DeliveryEntry, DeliveryOutcome, Ledger, LockEntry, OrderEntry,
    PaymentEntry, Summary,
};
pub use model::{
    Answer, ApiError, ControlError, Key, LockRequest, Model, OrderRef, Reply, Request, WebhookDue,
    Wire,
};
pub use stamp::Stamps;
