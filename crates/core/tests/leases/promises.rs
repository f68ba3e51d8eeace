//! What must hold at every moment, and what must be met at least once for the exploration to mean anything.

use orderkeep_core::{FailReason, Order, State, state::Create};
use stateright::Property;

use crate::{
    model::{Leases, attempts},
    world::{Clock, Hand, Holder, World},
};

pub(crate) const ONE_ORDER: &str =
    "the provider makes one order per lock, and one more per acknowledged risk";
const SENT_ONCE: &str = "every request has a durable intent of its own, and is written once";
const NO_INTENT_LOST: &str = "an intent that was durable is never forgotten";
const NO_DOUBT_LOST: &str = "while something may be there, nothing is due or given up as not sent";
const WAKES_UP: &str = "an order that has not ended has a wake-up";

pub(crate) fn all() -> Vec<Property<Leases>> {
    vec![
        Property::<Leases>::always(ONE_ORDER, |_, world| world.made <= 1 + world.authorised),
        Property::always(SENT_ONCE, sent_once),
        Property::<Leases>::always(NO_INTENT_LOST, |_, world| {
            world.intents.iter().all(|attempt| *attempt <= attempts(&world.row.order))
        }),
        Property::<Leases>::always(NO_DOUBT_LOST, |_, world| {
            !(may_be_there(world)
                && world.authorised == 0
                && forgets(&world.row.order, world.clock))
        }),
        Property::<Leases>::always(WAKES_UP, |model, world| {
            let order = &world.row.order;
            order.state_name().is_end() || order.wake_up(world.clock.now(), &model.policy).is_some()
        }),
        Property::<Leases>::sometimes(
            "two holders believe that they hold the order",
            |_, world| world.holders.iter().filter(|holder| is_up(holder)).count() > 1,
        ),
        Property::<Leases>::sometimes(
            "a stale holder is about to write its request",
            |_, world| stale(world).any(|hand| matches!(hand, Hand::Checked(_))),
        ),
        Property::<Leases>::sometimes("a stale holder comes back with an answer", |_, world| {
            stale(world).any(|hand| matches!(hand, Hand::Answered(..)))
        }),
        Property::<Leases>::sometimes("a request arrives when its sender is gone", |_, world| {
            world.wire.iter().any(|request| !is_up(&world.holders[request.from]))
        }),
        Property::<Leases>::sometimes("a create is unknown, and the order exists", |_, world| {
            world.row.order.create_unknown() && world.made == 1
        }),
        Property::<Leases>::sometimes("a create is unknown, and no order exists", |_, world| {
            world.row.order.create_unknown() && world.made == 0 && world.wire.is_empty()
        }),
        Property::<Leases>::sometimes("an unknown create is bound by a read", |_, world| {
            world.row.order.state.bound().is_some() && world.row.order.version > 4
        }),
        Property::<Leases>::sometimes("an unknown create ends by policy", |_, world| {
            failed(&world.row.order) == Some(&FailReason::UnknownCreate)
        }),
        Property::<Leases>::sometimes(
            "a cancel ends it before anything was sent",
            |model, world| {
                !model.cancel || failed(&world.row.order) == Some(&FailReason::Cancelled)
            },
        ),
    ]
}

/// Attempts are numbered by their intents, so a number that was sent twice was intended once.
fn sent_once(_: &Leases, world: &World) -> bool {
    let mut sent = world.sent.clone();
    sent.sort_unstable();
    sent.dedup();
    let mut intents = world.intents.clone();
    intents.sort_unstable();
    intents.dedup();
    sent.len() == world.sent.len()
        && intents.len() == world.intents.len()
        && sent.iter().all(|attempt| intents.contains(attempt))
}

/// An order is there, or a request that may make one is on its way or in somebody's hands.
fn may_be_there(world: &World) -> bool {
    world.made > 0
        || !world.wire.is_empty()
        || world.holders.iter().filter_map(hand).any(|hand| match hand {
            Hand::ToSend(_) | Hand::Checked(_) | Hand::Waiting(_) => true,
            Hand::Empty | Hand::Answered(..) => false,
        })
}

/// The durable order says that nothing of it is at the provider, as if that were certain.
fn forgets(order: &Order, clock: Clock) -> bool {
    match &order.state {
        State::Locked(state) => matches!(state.create, Create::NotSent { .. }),
        State::Failed(failed) if failed.bound.is_none() => {
            // By policy, once nobody can pay any more: not certain, and said so.
            let given_up = failed.reason == FailReason::UnknownCreate;
            !(given_up && clock == Clock::WindowEnded)
        }
        State::Created(_)
        | State::WaitingForWallet(_)
        | State::AwaitingPayment(_)
        | State::Executed(_)
        | State::Failed(_) => false,
    }
}

fn failed(order: &Order) -> Option<&FailReason> {
    match &order.state {
        State::Failed(failed) => Some(&failed.reason),
        State::Locked(_)
        | State::Created(_)
        | State::WaitingForWallet(_)
        | State::AwaitingPayment(_)
        | State::Executed(_) => None,
    }
}

const fn is_up(holder: &Holder) -> bool {
    matches!(holder, Holder::Up { .. })
}

const fn hand(holder: &Holder) -> Option<&Hand> {
    match holder {
        Holder::Down => None,
        Holder::Up { create, .. } => Some(create),
    }
}

/// What the holders have in their hands whose lease is not the newest one.
fn stale(world: &World) -> impl Iterator<Item = &Hand> {
    world.holders.iter().filter_map(|holder| match holder {
        Holder::Up { epoch, create, .. } if *epoch < world.row.epoch => Some(create),
        Holder::Up { .. } | Holder::Down => None,
    })
}
