//! No event without its cause in the world: what an order's history says happened is so in the provider's ledger.

use orderkeep_core::{Cause, Event, EventRecord, FailReason, OrderId, OrderResult};
use orderkeep_sandbox::{OrderEntry, PaymentEntry};
use rust_decimal::Decimal;

use super::followed::Followed;
use crate::world::World;

pub(super) fn is_final(order: &OrderEntry) -> bool {
    matches!(order.status.as_str(), "COMPLETED" | "EXPIRED" | "FAILED" | "REVERSED")
}

/// Whether the ledger has a say in it; filling one costs more than the event.
const fn says_something_of_the_provider(event: &Event) -> bool {
    matches!(
        event,
        Event::Bound { .. }
            | Event::WalletGiven { .. }
            | Event::Executed { .. }
            | Event::Corrected { .. }
            | Event::Reversed
            | Event::LateFunds { .. }
            | Event::Failed { .. }
            | Event::RelockWanted { .. }
            | Event::Relocked { .. }
    )
}

/// Whether an order fails of this because the provider says so.
const fn is_by_the_provider(reason: &FailReason) -> bool {
    match reason {
        FailReason::Expired | FailReason::Underpaid | FailReason::Provider(_) => true,
        FailReason::LockExpired
        | FailReason::LockInvalid
        | FailReason::Cancelled
        | FailReason::UnknownCreate => false,
    }
}

/// The provider's own order is at its end, and that is none that was sold; unless it was, late, after its time was over.
fn judge_end(reason: &FailReason, own: &[&OrderEntry]) -> Option<String> {
    let ended = own.iter().any(|own| match reason {
        FailReason::Provider(_) => own.status == "FAILED",
        FailReason::Expired
        | FailReason::Underpaid
        | FailReason::LockExpired
        | FailReason::LockInvalid
        | FailReason::Cancelled
        | FailReason::UnknownCreate => is_final(own) && own.status != "FAILED",
    });
    (!ended).then(|| format!("it failed as {}, and that is not so there", reason.name()))
}

impl World {
    /// Every order that the provider made of a sale's locks.
    pub(crate) fn all_made_of(&self, sale: usize) -> Vec<OrderEntry> {
        let locks = self.sales[sale].locks();
        if locks.is_empty() {
            return Vec::new();
        }
        let orders = self.model.ledger().orders;
        orders.into_iter().filter(|order| locks.contains(&order.lock_id)).collect()
    }

    /// After every create: a lock has at most one order, and none was asked for twice without knowing.
    pub(crate) fn judge_create(&mut self) {
        let ledger = self.model.ledger();
        let wanted: Vec<&String> = self
            .sales
            .iter()
            .filter(|sold| sold.post_again)
            .flat_map(|sold| sold.locks())
            .collect();
        let unwanted: Vec<_> =
            ledger.locks.iter().filter(|(lock_id, _)| !wanted.contains(lock_id)).collect();
        for (lock_id, lock) in unwanted {
            let orders = ledger.orders_per_lock.get(lock_id).map_or(0, Vec::len);
            let twice = lock.resent_after_ambiguous;
            let detail = format!("lock {lock_id}: {orders} orders");
            if orders > 1 {
                self.violated("a lock becomes one order at most", detail);
            } else if twice {
                self.violated("a create whose outcome is unknown is not sent again", detail);
            }
        }
    }

    /// One event.
    pub(super) fn judge(&mut self, sale: usize, id: OrderId, record: &EventRecord) {
        if !says_something_of_the_provider(&record.event) {
            return;
        }
        let made = self.all_made_of(sale);
        let followed = self.watcher.orders.get(&id);
        let lock = followed.and_then(Followed::lock);
        let own = followed.map_or_else(Vec::new, |followed| followed.its_own(&made));
        let wrong = match &record.event {
            Event::Bound { provider_order, .. } => {
                let ours = |made: &OrderEntry| {
                    made.order_id == provider_order.as_str() && Some(made.lock_id.as_str()) == lock
                };
                (!made.iter().any(ours))
                    .then(|| "it was bound to an order that its lock did not make".to_owned())
            }
            Event::WalletGiven { address } => {
                let theirs = own.iter().any(|own| own.address.as_deref() == Some(address.as_str()));
                let changed = followed.is_some_and(|f| f.has_another_address(address.as_str()));
                (changed || !theirs).then(|| format!("its address is said to be {address}"))
            }
            Event::Executed { .. } | Event::Corrected { result: OrderResult::Executed } => {
                let executed = own.iter().any(|own| own.executed);
                (!executed).then(|| "it is said to be executed".to_owned())
            }
            Event::Reversed | Event::Corrected { result: OrderResult::Reversed } => {
                let reversed = own.iter().any(|own| own.status == "REVERSED");
                (!reversed).then(|| "it is said to be taken back".to_owned())
            }
            Event::Failed { reason, .. } => match followed.and_then(Followed::relocks) {
                Some(relocks) => self.judge_declined(lock, reason, relocks, &made),
                None if is_by_the_provider(reason) => judge_end(reason, &own),
                None => self.judge_failed(sale, lock, reason, record, &made),
            },
            Event::RelockWanted { instead_of } => {
                self.judge_failed(sale, lock, instead_of, record, &made)
            }
            Event::Relocked { terms } => return self.judge_relock(sale, id, terms, record),
            Event::Corrected { result: OrderResult::Failed } => {
                let failed = |own: &&OrderEntry| is_final(own) && !own.executed;
                (!own.iter().any(failed)).then(|| "it is said to have failed after all".to_owned())
            }
            Event::LateFunds { received } => {
                let paid = |own: &&OrderEntry| {
                    let amount = |paid: &PaymentEntry| paid.amount.parse::<Decimal>();
                    let amounts = own.payments.iter().map(amount);
                    amounts.map(Result::unwrap_or_default).sum::<Decimal>() >= received.value()
                };
                (!own.iter().any(paid)).then(|| format!("{received} is said to have been received"))
            }
            Event::Submitted { .. }
            | Event::CreateIntended { .. }
            | Event::CreateNotSent { .. }
            | Event::CreateHeld { .. }
            | Event::CreateUnknown { .. }
            | Event::AdoptionAsked { .. }
            | Event::AdoptionRefused { .. }
            | Event::Claimed { .. }
            | Event::Read { .. }
            | Event::WalletRequested
            | Event::NotFound
            | Event::SecondOrderFound { .. }
            | Event::ReviewRaised { .. }
            | Event::ReviewSettled { .. }
            | Event::Resolved { .. }
            | Event::CancelWished { .. }
            | Event::RetryAsked
            | Event::PostAgainAuthorised
            | Event::Restored { .. }
            | Event::RelockAllowed { .. }
            | Event::RelockDeclined { .. }
            | Event::GivenUpOrderFound { .. }
            | Event::MarginWidened { .. }
            | Event::Noted { .. } => None,
        };
        if let Some(wrong) = wrong {
            let detail = format!("sale {sale}: {wrong}; the provider has {made:?}");
            self.violated("no event without its cause at the provider", detail);
        }
    }

    /// Whether an order of the lock is there, or may still be made.
    pub(super) fn is_or_will_be_there(&self, lock: Option<&str>, made: &[OrderEntry]) -> bool {
        // What a lock that was given up made, nobody was shown.
        let there = made.iter().any(|order| Some(order.lock_id.as_str()) == lock);
        there || lock.is_some_and(|lock| self.is_on_its_way(lock))
    }

    fn judge_failed(
        &self,
        sale: usize,
        lock: Option<&str>,
        reason: &FailReason,
        record: &EventRecord,
        made: &[OrderEntry],
    ) -> Option<String> {
        let there = self.is_or_will_be_there(lock, made);
        match reason {
            // A fresh lock is never wanted instead of them.
            FailReason::Expired | FailReason::Underpaid | FailReason::Provider(_) => {
                Some(format!("{} is the provider's to say", reason.name()))
            }
            FailReason::LockExpired | FailReason::LockInvalid if there => {
                Some(format!("it failed as {}", reason.name()))
            }
            FailReason::LockExpired => self.judge_lock_time(lock, record),
            FailReason::LockInvalid => None,
            FailReason::Cancelled => {
                (there || !self.sales[sale].cancelled).then(|| "it failed as cancelled".to_owned())
            }
            FailReason::UnknownCreate => match &record.cause {
                Cause::Clock => self.judge_time(lock, record, made),
                Cause::Command(_) | Cause::CommandFor { .. } => {
                    there.then(|| "a person was believed who was wrong".to_owned())
                }
                Cause::Submit | Cause::Create | Cause::Webhook | Cause::Read | Cause::Restore => {
                    Some(format!("an unknown create was given up by {:?}", record.cause))
                }
            },
        }
    }
}
