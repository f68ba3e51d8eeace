//! Not sold. The state never changes again; an order that turns up at the provider after all is a fact of its own.

use serde::{Deserialize, Serialize};

use super::{Bound, Deposit};
use crate::{
    Already, CreateAnswer, CreateInput, Event, FailReason, Input, Order, Outcome, Policy, Refusal,
    ReviewReason, Timestamp,
    event::BoundBy,
    observe,
    order::{Draft, commands},
    restore,
};

/// Data of [`crate::State::Failed`]. Where the funds are stands in [`Order::outcome`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Why.
    pub reason: FailReason,
    /// The provider's order, if one is known.
    pub bound: Option<Bound>,
    /// Where was or could be paid, and what.
    pub deposit: Option<Deposit>,
}

impl Failed {
    pub(crate) fn on(
        &self,
        order: &Order,
        input: &Input,
        now: Timestamp,
        policy: &Policy,
    ) -> Outcome {
        match &self.bound {
            Some(bound) => self.on_bound(bound, order, input, now, policy),
            None => Self::on_unbound(order, input, now, policy),
        }
    }

    fn on_bound(
        &self,
        bound: &Bound,
        order: &Order,
        input: &Input,
        now: Timestamp,
        policy: &Policy,
    ) -> Outcome {
        match input {
            Input::Command(command) => commands::on_ended(order, Some(bound), command, now, policy),
            Input::Create(create) => {
                observe::create_after_binding(order, bound, create, now, policy)
            }
            Input::Observed(seen) => observe::after_the_end(order, bound, seen, now, policy),
            Input::NotFound { provider_order, read_started_at } => {
                observe::not_found(order, bound, provider_order, *read_started_at, now, policy)
            }
            Input::Woken => Outcome::AlreadyThere(Already::Duplicate),
            Input::Restored { incarnation } => restore::restored(order, *incarnation, now, policy),
        }
    }

    fn on_unbound(order: &Order, input: &Input, now: Timestamp, policy: &Policy) -> Outcome {
        match input {
            Input::Command(command) => commands::on_ended(order, None, command, now, policy),
            Input::Create(CreateInput::Answered {
                answer: CreateAnswer::Accepted { provider_order },
                ..
            }) => {
                let mut draft = Draft::for_create(order, now, policy);
                draft.push(Event::Bound {
                    provider_order: provider_order.clone(),
                    by: BoundBy::Answer,
                });
                draft.raise(
                    ReviewReason::UnexpectedProviderOrder,
                    "its create was answered after the end".to_owned(),
                );
                draft.finish()
            }
            Input::Create(
                CreateInput::Answered {
                    answer: CreateAnswer::NotSent { .. } | CreateAnswer::Refused { .. },
                    ..
                }
                | CreateInput::Interrupted { .. }
                | CreateInput::Locked { .. }
                | CreateInput::LockRefused { .. },
            ) => Outcome::AlreadyThere(Already::Stale),
            Input::Create(CreateInput::Permit) => Outcome::Refused(Refusal::Ended),
            Input::Observed(seen) => observe::unbound(order, seen, now, policy),
            Input::NotFound { provider_order, .. } => {
                observe::adoption_not_found(order, provider_order, now, policy)
            }
            Input::Woken => Outcome::AlreadyThere(Already::Duplicate),
            Input::Restored { incarnation } => restore::restored(order, *incarnation, now, policy),
        }
    }
}
