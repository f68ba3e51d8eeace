//! The durable store: its port, the journal, and the embedded backends.
//!
//! One promise: **when a commit returns, the step survives a power cut; when it does not return, the step is there
//! whole or not at all.** The port ([`port`]) knows no order, only entities; a second lifecycle needs no second store.

pub mod port;

pub use port::*;
