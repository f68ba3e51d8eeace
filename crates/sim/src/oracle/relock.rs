//! A fresh lock in place of one that is over.

use orderkeep_core::{EventRecord, FailReason, OrderId, Terms};
use orderkeep_sandbox::OrderEntry;

use super::{
    followed::{Followed, Relocks},
    verdict::is_final,
};
use crate::world::{START_MS, World};

impl World {
    /// A fresh lock was wanted, and there is none: the order fails of what it would have failed of before, which is still
    /// true.
    pub(super) fn judge_declined(
        &self,
        lock: Option<&str>,
        reason: &FailReason,
        relocks: &Relocks,
        made: &[OrderEntry],
    ) -> Option<String> {
        let wanted = &relocks.instead_of;
        if reason != wanted {
            return Some(format!("it failed as {}, not {}", reason.name(), wanted.name()));
        }
        let wrong = match reason {
            FailReason::LockExpired | FailReason::LockInvalid => {
                self.is_or_will_be_there(lock, made)
            }
            FailReason::UnknownCreate => !relocks.early && !made.iter().all(is_final),
            FailReason::Expired
            | FailReason::Underpaid
            | FailReason::Provider(_)
            | FailReason::Cancelled => true,
        };
        wrong.then(|| format!("it failed as {}, without a fresh lock", reason.name()))
    }

    /// Whether the provider has an order of this sale that is not at its end.
    pub(super) fn has_open(&self, sale: usize) -> bool {
        !self.all_made_of(sale).iter().all(is_final)
    }

    /// A fresh lock took the place of one that is over, at a price that the caller allows.
    pub(super) fn judge_relock(
        &mut self,
        sale: usize,
        id: OrderId,
        fresh: &Terms,
        record: &EventRecord,
    ) {
        let allowed = self.sales[sale].relock_max(self.plan.sales[sale].relock);
        if allowed.is_none_or(|most| fresh.pay_amount.value() > most) {
            let detail = format!("sale {sale}: {} asked, {allowed:?} allowed", fresh.pay_amount);
            self.violated("no fresh lock above the bound", detail);
            return;
        }
        let followed = self.watcher.orders.get(&id);
        let Some(relocks) = followed.and_then(Followed::relocks) else {
            self.violated("no fresh lock that nobody wanted", format!("sale {sale}"));
            return;
        };
        let ledger = self.model.ledger();
        let shown = record.at.as_micros() / 1_000 - START_MS;
        let moments = self.time.moments(shown);
        let locks = self.sales[sale].locks();
        let old = locks.iter().filter(|lock| lock.as_str() != fresh.lock_id.as_str());
        let runs = |lock: &&String| {
            let ends = ledger.locks.get(*lock).map_or(0, |lock| lock.expires_at_ms - START_MS);
            let on_time = moments.iter().all(|moment| moment.at < ends && moment.ahead <= 0);
            let open = |made: &OrderEntry| made.lock_id == **lock && !is_final(made);
            (on_time && self.is_on_its_way(lock))
                || (!relocks.early && ledger.orders.iter().any(open))
        };
        if let Some(lock) = old.clone().find(runs) {
            let detail = format!("sale {sale}: lock {lock} can still be an order");
            self.violated("no fresh lock while the old one can be an order", detail);
        }
    }
}

#[cfg(test)]
mod tests {
    use orderkeep_core::{Cause, Event, Exact, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::{
        plan::{Plan, scripts},
        world::Shared,
    };

    fn exact(text: &str) -> Exact {
        text.parse().unwrap()
    }

    #[test]
    fn a_fresh_lock_that_nobody_wanted_is_seen() {
        let script = scripts().into_iter().next().unwrap();
        let mut plan = Plan { faults: Vec::new(), ..script.plan };
        plan.sales[0].relock = Some(110);
        let shared = Shared::new(plan, false);
        let mut world = shared.world();
        world.seen.begin_life(0);
        drop(world.pass());
        let asked = world.sales[0].pay_amount.unwrap();
        let fresh = Terms {
            lock_id: "fresh".parse().unwrap(),
            pay_amount: exact(&asked.to_string()),
            pay_currency: "usdc".parse().unwrap(),
            network: "polygon".parse().unwrap(),
            rate: exact("1"),
            settle_currency: None,
            settle_amount: None,
            expires_at: Timestamp::from_millis(START_MS + 120_000),
        };
        let event = Event::Relocked { terms: Box::new(fresh.clone()) };
        let at = Timestamp::from_millis(START_MS + 70_000);
        let record = EventRecord { at, cause: Cause::Create, event };
        world.judge_relock(0, OrderId(Uuid::from_u128(1)), &fresh, &record);
        let violation = world.watcher.take().unwrap();
        assert_eq!(violation.rule, "no fresh lock that nobody wanted");
    }
}
