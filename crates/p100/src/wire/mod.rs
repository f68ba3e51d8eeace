//! The provider's bodies, both documented generations, read into the engine's words.
//!
//! Pure. Amounts go from their JSON text straight into exact decimals; no float is ever made of them. Nothing here
//! repeats a value in an error: addresses and amounts do not belong into logs.

mod create;
mod details;
mod envelope;
mod fields;
mod lock;
#[cfg(test)]
mod properties;
mod rates;

pub(crate) use create::{create, create_body};
pub(crate) use details::{about, details, observe};
pub(crate) use envelope::ErrorEnvelope;
pub(crate) use fields::{Fields, Unreadable, cut};
pub(crate) use lock::{lock, lock_body, lock_taken_elsewhere};
pub(crate) use rates::rates;
