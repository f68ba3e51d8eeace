//! What the endpoints must still get: nothing of it may go.

use futures_util::future::BoxFuture;
use orderkeep_driver::{EngineError, Follower, Needs};
use orderkeep_store::EntityId;

use crate::{Outbox, OutboxError};

/// Endpoints that are off, too: what they missed, they get when they are on again. Who will never be on again is to be
/// deleted.
impl Follower for Outbox {
    fn needs(&self) -> BoxFuture<'_, Result<Needs, EngineError>> {
        Box::pin(async move {
            let endpoints = self.stored().await.map_err(|error| {
                if let OutboxError::Engine(error) = error {
                    return error;
                }
                EngineError::Store(error.to_string())
            })?;
            let mut needs = Needs::default();
            for endpoint in endpoints.into_iter().filter(|endpoint| !endpoint.deleted) {
                needs.read.push(endpoint.cursor());
                needs.subjects.extend(endpoint.held.iter().map(|held| EntityId(held.subject)));
            }
            Ok(needs)
        })
    }
}
