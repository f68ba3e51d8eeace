//! Letting go of what is over.

use std::sync::Arc;

use super::{Engine, builder::watched};
use crate::{Follower, Retention, retention};

impl Engine {
    /// From now on lets go of orders that have been over for so long, and of what is older in the feed: in small steps,
    /// beside the work. Nothing goes that one of `followers` has not got; give every [`Follower`] that there is (the
    /// outbox is one). Who reads the feed for itself and comes back later than that is told so
    /// ([`crate::EngineError::CursorGone`]): it lists the open orders, and follows from the cursor that it was given.
    ///
    /// Call it once, after the start. Without it everything stays for ever.
    pub async fn retain(&self, retention: Retention, followers: Vec<Arc<dyn Follower>>) {
        let parts = &self.inner.parts;
        let run = retention::run(parts.clone(), retention, followers);
        // Before the others: the store is closed after the last task.
        self.inner.tasks.lock().await.push(watched(parts, "retention", run));
    }
}
