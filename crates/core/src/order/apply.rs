//! What one event does to an order: the fold. It decides nothing; whatever an event means stands in the event.

use super::{CancelWish, EarlierLock, Hint, Order};
use crate::{
    AfterFact, Cause, Event, EventRecord, Exact, Fact, Funds, OrderOutcome, OrderResult, Review,
    State, Timestamp,
    review::Settled,
    state::{
        AwaitingPayment, Bound, Create, Created, Deposit, Executed, Failed, Locked,
        WaitingForWallet,
    },
};

/// A history that no order can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadHistory(String);

impl BadHistory {
    pub(crate) fn empty() -> Self {
        Self("a history without events".to_owned())
    }

    fn at(order: &Order, event: &Event) -> Self {
        Self(format!(
            "event {} of order {}, {}, cannot follow in {}",
            order.version + 1,
            order.id,
            event.name(),
            order.state_name()
        ))
    }
}

/// The order that a first event makes.
pub(crate) fn begin(first: &EventRecord) -> Result<Order, BadHistory> {
    let Event::Submitted { id, account, key, terms, reference, metadata } = &first.event else {
        return Err(BadHistory(format!("a history that begins with {}", first.event.name())));
    };
    Ok(Order {
        id: *id,
        account: account.clone(),
        key: key.clone(),
        reference: reference.clone(),
        terms: (**terms).clone(),
        created_at: first.at,
        since: first.at,
        version: 1,
        state: State::Locked(Locked {
            create: Create::NotSent {
                attempts: 0,
                next_at: first.at,
                held: None,
                unknown_before: false,
            },
        }),
        review: Vec::new(),
        cancel: None,
        hint: None,
        adopting: None,
        other_orders: Vec::new(),
        outcome: None,
        after: Vec::new(),
        claims: 0,
        relock: None,
        earlier_locks: Vec::new(),
        metadata: metadata.clone(),
    })
}

/// Applies one event.
pub(crate) fn apply(order: &mut Order, record: &EventRecord) -> Result<(), BadHistory> {
    let before = order.state_name();
    event(order, record)?;
    order.version += 1;
    if order.state_name() != before {
        order.since = record.at;
    }
    Ok(())
}

fn event(order: &mut Order, record: &EventRecord) -> Result<(), BadHistory> {
    let at = record.at;
    match &record.event {
        Event::Submitted { .. } => return Err(BadHistory::at(order, &record.event)),
        Event::CreateIntended { .. }
        | Event::CreateNotSent { .. }
        | Event::CreateHeld { .. }
        | Event::CreateUnknown { .. }
        | Event::RelockWanted { .. }
        | Event::Relocked { .. }
        | Event::MarginWidened { .. }
        | Event::PostAgainAuthorised => create(order, record)?,
        Event::Bound { provider_order, by } => {
            bind(order, Bound::new(provider_order.clone(), *by, at), record)?
        }
        Event::AdoptionAsked { provider_order } => order.adopting = Some(provider_order.clone()),
        Event::AdoptionRefused { .. } => order.adopting = None,
        Event::Claimed { claim } => {
            order.hint = Some(Hint { heard_at: claim.at(), claim: claim.clone() });
            order.claims = order.claims.saturating_add(1);
        }
        Event::Read { seen } => {
            let Some(bound) = order.state.bound_mut() else {
                return Err(BadHistory::at(order, &record.event));
            };
            let newest = bound.is_newest(seen.at());
            if newest {
                if bound.last_read.as_ref().is_none_or(|last| !last.says_the_same(seen)) {
                    order.claims = 0;
                }
                bound.take_in(seen);
                if order.hint.as_ref().is_some_and(|hint| seen.at() >= hint.heard_at) {
                    order.hint = None;
                }
            }
            if let Some(deposit) = order.state.deposit_mut() {
                deposit.take_in(seen, newest);
            }
        }
        Event::WalletRequested => match &order.state {
            State::Created(Created { bound }) => {
                order.state = State::WaitingForWallet(WaitingForWallet { bound: bound.clone() });
            }
            State::Locked(_)
            | State::WaitingForWallet(_)
            | State::AwaitingPayment(_)
            | State::Executed(_)
            | State::Failed(_) => return Err(BadHistory::at(order, &record.event)),
        },
        Event::WalletGiven { address } => {
            let mut deposit = Deposit::new(address.clone(), order.terms.pay_amount.clone());
            if let Some(last) = order.state.bound().and_then(|bound| bound.last_read.as_ref()) {
                deposit.take_in(last, true);
            }
            match &mut order.state {
                State::Created(Created { bound })
                | State::WaitingForWallet(WaitingForWallet { bound }) => {
                    order.state =
                        State::AwaitingPayment(AwaitingPayment { bound: bound.clone(), deposit });
                }
                // An end that came before its address: the missing fact is filled in.
                State::Executed(Executed { deposit: empty @ None, .. })
                | State::Failed(Failed { deposit: empty @ None, .. }) => *empty = Some(deposit),
                State::Locked(_)
                | State::AwaitingPayment(_)
                | State::Executed(_)
                | State::Failed(_) => {
                    return Err(BadHistory::at(order, &record.event));
                }
            }
        }
        Event::NotFound
        | Event::Noted { .. }
        | Event::Resolved { .. }
        | Event::Restored { .. }
        | Event::RelockDeclined { .. } => {}
        Event::RelockAllowed { relock } => order.relock = Some(relock.clone()),
        Event::GivenUpOrderFound { provider_order, .. } => {
            order.other_orders.push(provider_order.clone());
            if order.adopting.as_ref() == Some(provider_order) {
                order.adopting = None;
            }
        }
        Event::SecondOrderFound { provider_order } => {
            order.other_orders.push(provider_order.clone())
        }
        Event::Executed { received } => execute(order, received.as_ref(), record)?,
        Event::Failed { reason, funds } => {
            let (bound, deposit) = match &order.state {
                State::Locked(_) => (None, None),
                State::Created(Created { bound })
                | State::WaitingForWallet(WaitingForWallet { bound }) => {
                    (Some(bound.clone()), None)
                }
                State::AwaitingPayment(AwaitingPayment { bound, deposit }) => {
                    (Some(bound.clone()), Some(deposit.clone()))
                }
                State::Executed(_) | State::Failed(_) => {
                    return Err(BadHistory::at(order, &record.event));
                }
            };
            order.state = State::Failed(Failed { reason: reason.clone(), bound, deposit });
            let accounted = match funds {
                Funds::Held(amount) => amount.clone(),
                Funds::None | Funds::Settled | Funds::Unclear => Exact::zero(),
            };
            order.outcome = Some(OrderOutcome {
                result: OrderResult::Failed,
                funds: funds.clone(),
                accounted,
                proven_at: at,
            });
        }
        Event::LateFunds { received } => {
            after(order, at, Fact::LateFunds(received.clone()), |outcome| {
                outcome.accounted = received.clone().max(outcome.accounted.clone());
                if outcome.result == OrderResult::Failed {
                    outcome.funds = Funds::Held(received.clone());
                }
            });
        }
        Event::Reversed => after(order, at, Fact::Reversal, |outcome| {
            outcome.result = OrderResult::Reversed;
            outcome.funds = Funds::Unclear;
        }),
        Event::Corrected { result } => after(order, at, Fact::Correction(*result), |outcome| {
            outcome.result = *result;
            outcome.funds = match result {
                OrderResult::Executed => Funds::Settled,
                OrderResult::Failed | OrderResult::Reversed => Funds::Unclear,
            };
        }),
        Event::ReviewRaised { reason, detail } => {
            order.review.retain(|review| review.reason != *reason);
            order.review.push(Review {
                reason: *reason,
                since: at,
                detail: detail.clone(),
                settled: None,
            });
        }
        Event::ReviewSettled { reason, by } => {
            for review in order.review.iter_mut().filter(|review| review.reason == *reason) {
                // Evidence speaks last: what a person settled may come back once it was over.
                if review.settled.is_none() || by.is_none() {
                    review.settled = Some(Settled { by: by.clone(), at });
                }
            }
        }
        Event::CancelWished { author } => {
            order.cancel = Some(CancelWish { author: author.clone(), at })
        }
        Event::RetryAsked => {
            if let State::Locked(Locked { create: Create::NotSent { next_at, held, .. } }) =
                &mut order.state
            {
                *next_at = at;
                *held = None;
            }
        }
    }
    Ok(())
}

fn create(order: &mut Order, record: &EventRecord) -> Result<(), BadHistory> {
    let at = record.at;
    let State::Locked(Locked { create }) = &mut order.state else {
        return Err(BadHistory::at(order, &record.event));
    };
    let was_unknown = match create {
        Create::NotSent { unknown_before, .. } | Create::InFlight { unknown_before, .. } => {
            *unknown_before
        }
        Create::Unknown { .. } => true,
        Create::Relocking { .. } => false,
    };
    match &record.event {
        Event::CreateIntended { attempt } => {
            *create =
                Create::InFlight { attempt: *attempt, since: at, unknown_before: was_unknown };
        }
        Event::CreateNotSent { attempt, next_at, .. } => {
            *create = Create::NotSent {
                attempts: *attempt,
                next_at: *next_at,
                held: None,
                unknown_before: false,
            };
        }
        Event::CreateHeld { attempt, why } => {
            *create = Create::NotSent {
                attempts: *attempt,
                next_at: at,
                held: Some(why.clone()),
                unknown_before: false,
            };
        }
        Event::CreateUnknown { attempt, why } => {
            *create = Create::Unknown { attempt: *attempt, since: at, why: why.clone() };
        }
        Event::PostAgainAuthorised => {
            if let Create::Unknown { attempt, .. } = create {
                *create = Create::NotSent {
                    attempts: *attempt,
                    next_at: at,
                    held: None,
                    unknown_before: true,
                };
            }
        }
        // Told for the reader's sake; what it led to follows.
        Event::MarginWidened { .. } => {}
        Event::RelockWanted { instead_of } => {
            let (Create::NotSent { attempts, .. }
            | Create::InFlight { attempt: attempts, .. }
            | Create::Unknown { attempt: attempts, .. }
            | Create::Relocking { attempts, .. }) = create;
            let (attempts, instead_of) = (*attempts, instead_of.clone());
            *create = Create::Relocking { since: at, attempts, instead_of };
        }
        Event::Relocked { terms } => {
            let Create::Relocking { attempts: last_attempt, .. } = *create else {
                return Err(BadHistory::at(order, &record.event));
            };
            *create = Create::NotSent {
                attempts: last_attempt,
                next_at: at,
                held: None,
                unknown_before: false,
            };
            let terms = std::mem::replace(&mut order.terms, (**terms).clone());
            order.earlier_locks.push(EarlierLock { terms, last_attempt });
        }
        Event::Submitted { .. }
        | Event::Bound { .. }
        | Event::AdoptionAsked { .. }
        | Event::AdoptionRefused { .. }
        | Event::Claimed { .. }
        | Event::Read { .. }
        | Event::WalletRequested
        | Event::WalletGiven { .. }
        | Event::NotFound
        | Event::SecondOrderFound { .. }
        | Event::Executed { .. }
        | Event::Failed { .. }
        | Event::LateFunds { .. }
        | Event::Reversed
        | Event::Corrected { .. }
        | Event::ReviewRaised { .. }
        | Event::ReviewSettled { .. }
        | Event::Resolved { .. }
        | Event::CancelWished { .. }
        | Event::RetryAsked
        | Event::Noted { .. }
        | Event::Restored { .. }
        | Event::RelockAllowed { .. }
        | Event::RelockDeclined { .. }
        | Event::GivenUpOrderFound { .. } => {}
    }
    Ok(())
}

fn bind(order: &mut Order, bound: Bound, record: &EventRecord) -> Result<(), BadHistory> {
    match &mut order.state {
        State::Locked(_) => order.state = State::Created(Created { bound }),
        State::Failed(Failed { bound: empty @ None, .. }) => {
            *empty = Some(bound);
            after(order, record.at, Fact::ProviderOrderFound, |_| {});
        }
        State::Created(_)
        | State::WaitingForWallet(_)
        | State::AwaitingPayment(_)
        | State::Executed(_)
        | State::Failed(_) => return Err(BadHistory::at(order, &record.event)),
    }
    order.adopting = None;
    Ok(())
}

fn execute(
    order: &mut Order,
    received: Option<&Exact>,
    record: &EventRecord,
) -> Result<(), BadHistory> {
    let (bound, deposit) = match &order.state {
        State::Created(Created { bound }) | State::WaitingForWallet(WaitingForWallet { bound }) => {
            (bound.clone(), None)
        }
        State::AwaitingPayment(AwaitingPayment { bound, deposit }) => {
            (bound.clone(), Some(deposit.clone()))
        }
        State::Locked(_) | State::Executed(_) | State::Failed(_) => {
            return Err(BadHistory::at(order, &record.event));
        }
    };
    let known = deposit.as_ref().map(|deposit: &Deposit| &deposit.payment.received);
    let accounted = received.max(known).filter(|amount| !amount.is_zero());
    // Sold without a word about how much was paid: then no more than was asked for.
    let accounted = accounted.unwrap_or(&order.terms.pay_amount).clone();
    order.state = State::Executed(Executed { bound, deposit });
    order.outcome = Some(OrderOutcome {
        result: OrderResult::Executed,
        funds: Funds::Settled,
        accounted,
        proven_at: record.at,
    });
    Ok(())
}

fn after(order: &mut Order, at: Timestamp, fact: Fact, change: impl FnOnce(&mut OrderOutcome)) {
    order.after.push(AfterFact { at, fact });
    if let Some(outcome) = &mut order.outcome {
        change(outcome);
        outcome.proven_at = at;
    }
}

impl From<&Cause> for &'static str {
    fn from(cause: &Cause) -> Self {
        match cause {
            Cause::Submit => "submit",
            Cause::Command(_) | Cause::CommandFor { .. } => "command",
            Cause::Create => "create",
            Cause::Webhook => "webhook",
            Cause::Read => "read",
            Cause::Clock => "clock",
            Cause::Restore => "restore",
        }
    }
}
