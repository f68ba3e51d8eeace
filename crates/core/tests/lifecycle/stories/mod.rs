//! One story per thing that must be survived: what happened, and the right outcome.

mod adoption;
mod after_the_end;
mod answers;
mod bounds;
mod cancel;
mod clock_ahead;
mod held;
mod left_alone;
mod money;
mod questions;
mod reads;
mod relock;
mod repeated;
mod replay;
mod restored;
mod trust;

use crate::fixture::*;
use orderkeep_core::{
    FailReason, Funds, OrderResult, State,
    state::{Create, Failed, Locked},
};

pub(super) fn failed(story: &Story) -> Option<&FailReason> {
    match &story.order.state {
        State::Failed(Failed { reason, .. }) => Some(reason),
        State::Locked(_)
        | State::Created(_)
        | State::WaitingForWallet(_)
        | State::AwaitingPayment(_)
        | State::Executed(_) => None,
    }
}

pub(super) fn create(story: &Story) -> &Create {
    let State::Locked(Locked { create }) = &story.order.state else {
        panic!("the order is {}", story.name())
    };
    create
}

pub(super) fn funds(story: &Story) -> &Funds {
    &story.order.outcome.as_ref().unwrap().funds
}

pub(super) fn result(story: &Story) -> OrderResult {
    story.order.outcome.as_ref().unwrap().result
}
