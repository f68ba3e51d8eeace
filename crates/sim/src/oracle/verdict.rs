//! No event without its cause in the world: what an order's history says happened is so in the provider's ledger.

use orderkeep_core::{Cause, Event, EventRecord, FailReason, OrderId, OrderResult};
use orderkeep_sandbox::OrderEntry;

use crate::world::World;

/// How long after a failed call nobody may judge by the clock, if no call was answered since.
const BLIND_MS: i64 = 60_000;

fn is_final(order: &OrderEntry) -> bool {
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
            | Event::Failed { .. }
    )
}

impl World {
    /// Every order that the provider made of a sale's lock.
    pub(crate) fn all_made_of(&self, sale: usize) -> Vec<OrderEntry> {
        let Some(lock_id) = self.sales[sale].lock_id() else { return Vec::new() };
        let orders = self.model.ledger().orders;
        orders.into_iter().filter(|order| order.lock_id == lock_id).collect()
    }

    /// After every create: a lock has at most one order, and none was asked for twice without knowing.
    pub(crate) fn judge_create(&mut self) {
        let ledger = self.model.ledger();
        for sale in 0..self.sales.len() {
            let sold = &self.sales[sale];
            let Some(lock_id) = sold.lock_id().filter(|_| !sold.post_again) else { continue };
            let orders = ledger.orders_per_lock.get(lock_id).map_or(0, Vec::len);
            let twice = ledger.locks.get(lock_id).is_some_and(|lock| lock.resent_after_ambiguous);
            let detail = format!("sale {sale}, lock {lock_id}: {orders} orders");
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
        let wrong = match &record.event {
            Event::Bound { provider_order, .. } => {
                let ours = made.iter().any(|order| order.order_id == provider_order.as_str());
                (!ours).then(|| "it was bound to an order that its lock did not make".to_owned())
            }
            Event::WalletGiven { address } => {
                let theirs =
                    |order: &OrderEntry| order.address.as_deref() == Some(address.as_str());
                let followed = self.watcher.orders.entry(id).or_default();
                followed.addresses.insert(address.to_string());
                let changed = followed.addresses.len() > 1;
                (changed || !made.iter().any(theirs))
                    .then(|| format!("its address is said to be {address}"))
            }
            Event::Executed { .. } | Event::Corrected { result: OrderResult::Executed } => {
                let executed = made.iter().any(|order| order.executed);
                (!executed).then(|| "it is said to be executed".to_owned())
            }
            Event::Reversed | Event::Corrected { result: OrderResult::Reversed } => {
                let reversed = made.iter().any(|order| order.status == "REVERSED");
                (!reversed).then(|| "it is said to be taken back".to_owned())
            }
            Event::Failed { reason, .. } => self.judge_failed(sale, reason, record, &made),
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
            | Event::LateFunds { .. }
            | Event::Corrected { result: OrderResult::Failed }
            | Event::ReviewRaised { .. }
            | Event::ReviewSettled { .. }
            | Event::Resolved { .. }
            | Event::CancelWished { .. }
            | Event::RetryAsked
            | Event::PostAgainAuthorised
            | Event::Restored { .. }
            | Event::RelockAllowed { .. }
            | Event::RelockWanted { .. }
            | Event::Relocked { .. }
            | Event::RelockDeclined { .. }
            | Event::GivenUpOrderFound { .. }
            | Event::Noted { .. } => None,
        };
        if let Some(wrong) = wrong {
            let detail = format!("sale {sale}: {wrong}; the provider has {made:?}");
            self.violated("no event without its cause at the provider", detail);
        }
    }

    fn judge_failed(
        &self,
        sale: usize,
        reason: &FailReason,
        record: &EventRecord,
        made: &[OrderEntry],
    ) -> Option<String> {
        let sold = &self.sales[sale];
        let on_its_way = sold.lock_id().is_some_and(|lock_id| self.is_on_its_way(lock_id));
        let none = made.is_empty() && !on_its_way;
        match reason {
            FailReason::Expired | FailReason::Underpaid | FailReason::Provider(_) => {
                (!made.iter().any(is_final))
                    .then(|| format!("it failed as {}, and is open there", reason.name()))
            }
            FailReason::LockExpired | FailReason::LockInvalid => {
                (!none).then(|| format!("it failed as {}", reason.name()))
            }
            FailReason::Cancelled => {
                (!none || !sold.cancelled).then(|| "it failed as cancelled".to_owned())
            }
            FailReason::UnknownCreate => match &record.cause {
                Cause::Clock => self.judge_blind(made),
                Cause::Command(_) | Cause::CommandFor { .. } => {
                    (!none).then(|| "a person was believed who was wrong".to_owned())
                }
                Cause::Submit | Cause::Create | Cause::Webhook | Cause::Read | Cause::Restore => {
                    Some(format!("an unknown create was given up by {:?}", record.cause))
                }
            },
        }
    }

    /// Time decided: nobody can pay any more, and the provider can be seen.
    fn judge_blind(&self, made: &[OrderEntry]) -> Option<String> {
        let now = self.now();
        let in_this_life = |at: &i64| *at >= self.seen.life_began_at;
        let failed_at = self.seen.failed_at.filter(in_this_life);
        let answered_since = self.seen.answered_at >= failed_at;
        if let Some(failed_at) = failed_at
            && !answered_since
            && now - failed_at < BLIND_MS
        {
            return Some(format!("time decided {} ms after a call that failed", now - failed_at));
        }
        let open = made.iter().find(|order| !is_final(order));
        let skewed = self.skew() != 0;
        open.filter(|_| !skewed)
            .map(|order| format!("time decided, and {} is open", order.order_id))
    }
}
