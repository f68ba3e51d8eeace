//! Waiting for an order.

use std::{sync::Arc, time::Duration};

use orderkeep_core::{Order, OrderId, StateName};

use super::Engine;
use crate::EngineError;

/// So many may wait for orders at once.
const WAITERS_MAX: usize = 4_096;

/// An order that was waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waited {
    /// As it is now.
    pub order: Order,
    /// Why the wait is over.
    pub end: WaitEnd,
}

/// Why a wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitEnd {
    /// The order is where it was wanted, or past it.
    Reached,
    /// The order is at its end, and will never be where it was wanted.
    Ended,
    /// The time is over; the order goes on.
    TimedOut,
}

impl WaitEnd {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Ended => "ended",
            Self::TimedOut => "timed_out",
        }
    }
}

impl Engine {
    /// Waits until an order is in this state or past it, or at its end, but at most for so long. `None`: there is no
    /// such order.
    ///
    /// # Errors
    /// It cannot be read, the engine stops, or too many wait already.
    pub async fn wait(
        &self,
        id: OrderId,
        wanted: StateName,
        within: Duration,
    ) -> Result<Option<Waited>, EngineError> {
        let parts = &self.inner.parts;
        let mut waiter = parts
            .waiting
            .enter(id, WAITERS_MAX)
            .ok_or(EngineError::Busy("too many wait for orders already"))?;
        let deadline = tokio::time::Instant::now() + within;
        // Entered before it is read: no step falls between the two.
        let Some(order) = self.order(id).await? else { return Ok(None) };
        let mut order = Arc::new(order);
        loop {
            if let Some(end) = ended(order.state_name(), wanted) {
                return Ok(Some(Waited { order: Arc::unwrap_or_clone(order), end }));
            }
            tokio::select! {
                // What is told may be older than what was read.
                told = waiter.step() => if told.version > order.version { order = told },
                () = parts.stop.cancelled() => return Err(EngineError::ShuttingDown),
                () = tokio::time::sleep_until(deadline) => {
                    let order = Arc::unwrap_or_clone(order);
                    return Ok(Some(Waited { order, end: WaitEnd::TimedOut }));
                }
            }
        }
    }
}

fn ended(state: StateName, wanted: StateName) -> Option<WaitEnd> {
    // Failed is no way past anything.
    if state == wanted || (state > wanted && state != StateName::Failed) {
        Some(WaitEnd::Reached)
    } else if state.is_end() {
        Some(WaitEnd::Ended)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StateName::{AwaitingPayment, Created, Executed, Failed, Locked};

    #[test]
    fn a_wait_ends_where_it_was_wanted_or_past_it_or_at_the_end() {
        for (state, wanted, end) in [
            (Locked, AwaitingPayment, None),
            (AwaitingPayment, AwaitingPayment, Some(WaitEnd::Reached)),
            (AwaitingPayment, Created, Some(WaitEnd::Reached)),
            (Executed, AwaitingPayment, Some(WaitEnd::Reached)),
            (Failed, AwaitingPayment, Some(WaitEnd::Ended)),
            (Executed, Failed, Some(WaitEnd::Ended)),
            (Failed, Executed, Some(WaitEnd::Ended)),
            (Failed, Failed, Some(WaitEnd::Reached)),
        ] {
            assert_eq!(ended(state, wanted), end, "{state} for {wanted}");
        }
    }
}
