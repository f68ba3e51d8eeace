//! Once the faults have stopped, everything ends well, in time: every order is at its end or asks for a person, and what
//! the engine says is what the provider's ledger says.

use std::sync::Arc;

use orderkeep_core::{
    AccountId, FailReason, Order, OrderId, OrderResult, ProviderOrderId, ReviewReason, State,
};
use orderkeep_driver::Engine;
use orderkeep_sandbox::OrderEntry;
use rust_decimal::Decimal;

use crate::{plan::Millis, world::Shared};

/// How long it may take after the last fault: longer than any lock, payment, review and watch of a plan together.
const PATIENCE: Millis = 40 * 60 * 1_000;

/// Ends the run if all is well; looks again later if not.
pub(crate) async fn all_is_well(shared: Arc<Shared>, engine: Engine) {
    let unmet = match unmet(&shared, &engine).await {
        Ok(unmet) => unmet,
        Err(error) => Some(error),
    };
    let mut world = shared.world();
    if world.is_dead() {
        return;
    }
    let waited = world.now() - world.plan.quiet_at;
    match unmet {
        None => {
            world.say("ORACLE", || "all is well".to_owned());
            world.finish();
        }
        Some(what) if waited > PATIENCE => {
            world.violated("once the faults stop, everything ends well", what);
        }
        Some(what) => {
            world.say("ORACLE", || format!("not yet: {what}"));
            world.check_again((waited / 4).clamp(10_000, 60_000));
        }
    }
    drop(world);
    shared.poke.notify_one();
}

/// The first thing that is not well.
async fn unmet(shared: &Shared, engine: &Engine) -> Result<Option<String>, String> {
    let sales = {
        let world = shared.world();
        if world.pays_later() {
            return Ok(Some("a payment is to come".to_owned()));
        }
        world.sales.len()
    };
    let text = |error: &dyn std::fmt::Display| error.to_string();
    for sale in 0..sales {
        let Some(id) = shared.world().sales[sale].id() else {
            return Ok(Some(format!("sale {sale} is not taken")));
        };
        let order = engine.order(id).await.map_err(|error| text(&error))?;
        let Some(order) = order else { return Ok(Some(format!("{id} is lost"))) };
        let history = engine.history(id, 0, 1_000).await.map_err(|error| text(&error))?;
        let records: Vec<_> = history.into_iter().map(|(_, record)| record).collect();
        let folded = Order::fold(&records).map_err(|error| text(&error))?;
        if folded != order {
            return Ok(Some(format!("the history of {id} does not fold to its state")));
        }
        let (at_the_provider, told_of) = {
            let world = shared.world();
            let (told, heard) = (world.sales[sale].told, world.heard_of(id));
            if order.version != heard || order.version < told {
                let version = order.version;
                return Ok(Some(format!("{id} is at {version}, the feed at {heard}, told {told}")));
            }
            let made = world.all_made_of(sale);
            let told_of: Vec<_> = made
                .iter()
                .filter(|made| world.watcher.was_told_of(&made.order_id))
                .map(|made| made.order_id.clone())
                .collect();
            let last_lock = world.watcher.lock_of(id).map(str::to_owned);
            let forgotten = world.sales[sale].is_forgotten();
            (Provided { made, last_lock, forgotten }, told_of)
        };
        if let Some(wrong) = ends_well(&order, &at_the_provider) {
            return Ok(Some(format!("sale {sale} is {}: {wrong}", order.state_name())));
        }
        if let Some(wrong) = lost(engine, &told_of, &at_the_provider.made, id).await? {
            return Ok(Some(format!("sale {sale}: {wrong}")));
        }
    }
    let status = engine.status().await.map_err(|error| text(&error))?;
    if status.inbox > 0 {
        return Ok(Some(format!("{} webhooks wait", status.inbox)));
    }
    Ok(None)
}

/// What there is of a sale at the provider.
struct Provided {
    /// Every order of its locks.
    made: Vec<OrderEntry>,
    /// The lock that counts.
    last_lock: Option<String>,
    /// An older copy of the store took over: what it cannot know counts as possible.
    forgotten: bool,
}

/// An order that an accepted webhook told of is known; and one that an older copy made again of it is right.
async fn lost(
    engine: &Engine,
    told_of: &[String],
    made: &[OrderEntry],
    known: OrderId,
) -> Result<Option<String>, String> {
    for theirs in made {
        let Ok(id) = ProviderOrderId::new(theirs.order_id.clone()) else { continue };
        let found = engine.order_by_provider_order(&AccountId::main(), &id).await;
        match found.map_err(|error| error.to_string())? {
            None if told_of.contains(&theirs.order_id) => {
                return Ok(Some(format!("nobody knows of {id}, which a webhook told")));
            }
            Some(order) if order.id != known => {
                let one = Provided { made: vec![theirs.clone()], last_lock: None, forgotten: true };
                let wrong = ends_well(&order, &one);
                if wrong.is_some() {
                    return Ok(wrong);
                }
            }
            None | Some(_) => {}
        }
    }
    Ok(None)
}

/// Why an order is not where the ledger says it should be.
fn ends_well(order: &Order, at_the_provider: &Provided) -> Option<String> {
    let made = &at_the_provider.made;
    if let Some(open) = made.iter().find(|made| !is_final(made)) {
        return Some(format!("the provider has not ended it: {}", open.status));
    }
    let Some(bound) = order.state.bound() else {
        return unbound(order, at_the_provider);
    };
    let theirs = made.iter().find(|made| made.order_id == bound.provider_order.as_str());
    let Some(theirs) = theirs else {
        return Some(format!("it is bound to {}", bound.provider_order));
    };
    let expected = match theirs.status.as_str() {
        "COMPLETED" => OrderResult::Executed,
        "REVERSED" => OrderResult::Reversed,
        _ => OrderResult::Failed,
    };
    let found = order.outcome.as_ref().map(|outcome| outcome.result);
    if found != Some(expected) {
        return Some(format!("it came to {found:?}, the provider says {}", theirs.status));
    }
    let received: Decimal = theirs.received.parse().unwrap_or_default();
    let known = order.state.deposit().map(|deposit| deposit.payment.received.value());
    if known.is_some_and(|known| known != received) {
        return Some(format!("it received {received}, and says {known:?}"));
    }
    questions(order, expected, received)
}

/// What a person must have been asked.
fn questions(order: &Order, result: OrderResult, received: Decimal) -> Option<String> {
    let asked = |reasons: &[ReviewReason]| {
        order.review.iter().any(|review| reasons.contains(&review.reason))
    };
    let missing = match result {
        OrderResult::Failed if !received.is_zero() => {
            !asked(&[ReviewReason::FundsOnFailed, ReviewReason::LateFunds])
        }
        OrderResult::Reversed => !asked(&[ReviewReason::Reversed]),
        OrderResult::Executed if matches!(order.state, State::Failed(_)) => {
            !asked(&[ReviewReason::Corrected, ReviewReason::UnexpectedProviderOrder])
        }
        OrderResult::Executed | OrderResult::Failed => false,
    };
    missing.then(|| format!("nobody is asked about {result:?} with {received} received"))
}

/// An order that has none at the provider, as far as we know.
fn unbound(order: &Order, at_the_provider: &Provided) -> Option<String> {
    let Provided { made, last_lock, forgotten } = at_the_provider;
    let held = made.iter().any(|made| made.received != "0" && made.received != "0.0");
    let nobody_paid = !held;
    let asked_of_the_copy =
        || order.review.iter().any(|review| review.reason == ReviewReason::ExposurePossible);
    match &order.state {
        State::Failed(failed) => match &failed.reason {
            // It was made, and nobody was ever shown where to pay.
            FailReason::UnknownCreate if nobody_paid => None,
            FailReason::LockExpired | FailReason::LockInvalid | FailReason::Cancelled
                if !made.iter().any(|made| Some(&made.lock_id) == last_lock.as_ref())
                    && nobody_paid =>
            {
                None
            }
            reason @ (FailReason::UnknownCreate
            | FailReason::LockExpired
            | FailReason::LockInvalid
            | FailReason::Cancelled
            | FailReason::Expired
            | FailReason::Underpaid
            | FailReason::Provider(_)) => {
                Some(format!("it failed as {}, the provider has {made:?}", reason.name()))
            }
        },
        State::Locked(_)
            if (nobody_paid || (*forgotten && asked_of_the_copy()))
                && (order.needs_review() || is_in_hand(order)) =>
        {
            None
        }
        State::Locked(_)
        | State::Created(_)
        | State::WaitingForWallet(_)
        | State::AwaitingPayment(_)
        | State::Executed(_) => Some("it has not ended, and asks nobody".to_owned()),
    }
}

/// A person was asked, and has said that it is seen to.
fn is_in_hand(order: &Order) -> bool {
    order.review.iter().any(|review| review.settled.as_ref().is_some_and(|by| by.by.is_some()))
}

fn is_final(order: &OrderEntry) -> bool {
    matches!(order.status.as_str(), "COMPLETED" | "EXPIRED" | "FAILED" | "REVERSED")
}
