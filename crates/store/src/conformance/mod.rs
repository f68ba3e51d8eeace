//! What every backend must do, as one suite.
//!
//! [`exercise`] holds a backend against the promises of the port, case by case; a violated one panics with what was
//! expected. [`world`] turns small random operations into steps, [`Model`] says what they must do, and [`Snapshot`] reads
//! everything that can be read: the three together make differential and crash tests. The model is plain maps and calls
//! no code of a backend.

mod cases;
mod model;
mod snapshot;
mod world;

pub use model::{Model, Outcome};
pub use snapshot::Snapshot;
pub use world::{Operation, World, perform};

use std::sync::Arc;

use crate::{BoxFuture, Store};

/// Makes stores of one backend.
pub trait Factory: Send + Sync {
    /// A new, empty store.
    fn fresh(&self) -> BoxFuture<'_, Arc<dyn Store>>;

    /// The same store again, after its process has ended at this moment. It may be closed first, or not.
    fn reopen(&self, store: Arc<dyn Store>) -> BoxFuture<'_, Arc<dyn Store>>;
}

/// Runs every case on stores of a backend, one after the other. Wants a tokio runtime.
///
/// # Panics
/// At the first promise that is not kept.
pub async fn exercise(factory: &dyn Factory) {
    cases::all(factory).await;
}
