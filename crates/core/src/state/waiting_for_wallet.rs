//! The provider makes an address in the background.

use serde::{Deserialize, Serialize};

use super::Bound;
use crate::{Input, Order, Outcome, Policy, Timestamp, observe, order::commands};

/// Data of [`crate::State::WaitingForWallet`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingForWallet {
    /// The provider's order.
    pub bound: Bound,
}

impl WaitingForWallet {
    pub(crate) fn on(
        &self,
        order: &Order,
        input: &Input,
        now: Timestamp,
        policy: &Policy,
    ) -> Outcome {
        match input {
            Input::Command(command) => commands::on_bound(order, &self.bound, command, now, policy),
            Input::Create(create) => {
                observe::create_after_binding(order, &self.bound, create, now, policy)
            }
            Input::Observed(seen) => observe::before_the_end(order, &self.bound, seen, now, policy),
            Input::NotFound { provider_order, read_started_at } => observe::not_found(
                order,
                &self.bound,
                provider_order,
                *read_started_at,
                now,
                policy,
            ),
            // Time decides nothing here; what has lasted too long is asked about.
            Input::Woken => observe::woken(order, &self.bound, now, policy),
            Input::Restored { incarnation } => {
                crate::restore::restored(order, *incarnation, now, policy)
            }
        }
    }
}
