//! Sold. The state never changes again; what comes to light after is a fact of its own.

use serde::{Deserialize, Serialize};

use super::{Bound, Deposit};
use crate::{Input, Order, Outcome, Policy, Timestamp, observe, order::commands};

/// Data of [`crate::State::Executed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executed {
    /// The provider's order.
    pub bound: Bound,
    /// Where was paid, and what.
    pub deposit: Option<Deposit>,
}

impl Executed {
    pub(crate) fn on(
        &self,
        order: &Order,
        input: &Input,
        now: Timestamp,
        policy: &Policy,
    ) -> Outcome {
        match input {
            Input::Command(command) => {
                commands::on_ended(order, Some(&self.bound), command, now, policy)
            }
            Input::Create(create) => {
                observe::create_after_binding(order, &self.bound, create, now, policy)
            }
            Input::Observed(seen) => observe::after_the_end(order, &self.bound, seen, now, policy),
            Input::NotFound { provider_order, read_started_at } => observe::not_found(
                order,
                &self.bound,
                provider_order,
                *read_started_at,
                now,
                policy,
            ),
            Input::Woken => Outcome::AlreadyThere(crate::Already::Duplicate),
            Input::Restored { incarnation } => {
                crate::restore::restored(order, *incarnation, now, policy)
            }
        }
    }
}
