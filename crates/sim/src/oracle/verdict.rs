//! No event without its cause in the world: what an order's history says happened is so in the provider's ledger.

use orderkeep_core::{Cause, Event, EventRecord, FailReason, OrderId, OrderResult, Terms};
use orderkeep_sandbox::OrderEntry;

use super::followed::{Followed, Relocks};
use crate::{
    plan::Millis,
    world::{START_MS, World},
};

/// For how long an answer of the provider's shows that it can be seen, and some time for the verdict to be written.
const SEEN_FOR_MS: i64 = 61_000;

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
            | Event::RelockWanted { .. }
            | Event::Relocked { .. }
    )
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
        let wrong = match &record.event {
            Event::Bound { provider_order, .. } => {
                let ours = made.iter().any(|order| order.order_id == provider_order.as_str());
                (!ours).then(|| "it was bound to an order that its lock did not make".to_owned())
            }
            Event::WalletGiven { address } => {
                let theirs =
                    |order: &OrderEntry| order.address.as_deref() == Some(address.as_str());
                let changed = followed.is_some_and(|f| f.has_another_address(address.as_str()));
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
            Event::Failed { reason, .. } => match followed.and_then(Followed::relocks) {
                Some(relocks) => self.judge_declined(lock, reason, relocks, &made),
                None => self.judge_failed(sale, lock, reason, record, &made),
            },
            Event::RelockWanted { instead_of } => {
                self.judge_failed(sale, lock, instead_of, record, &made)
            }
            Event::Relocked { terms } => return self.judge_relock(sale, id, terms, record),
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
    fn is_or_will_be_there(&self, lock: Option<&str>, made: &[OrderEntry]) -> bool {
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
            FailReason::Expired | FailReason::Underpaid | FailReason::Provider(_) => {
                (!made.iter().any(is_final))
                    .then(|| format!("it failed as {}, and is open there", reason.name()))
            }
            FailReason::LockExpired | FailReason::LockInvalid => {
                there.then(|| format!("it failed as {}", reason.name()))
            }
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

    /// A fresh lock was wanted, and there is none: the order fails of what it would have failed of before, which is still
    /// true.
    fn judge_declined(
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

    /// Time decided about an unknown create: at every moment at which the engine's clock can have shown what it says,
    /// there is something wrong with it.
    fn judge_time(
        &self,
        lock: Option<&str>,
        record: &EventRecord,
        made: &[OrderEntry],
    ) -> Option<String> {
        let shown = record.at.as_micros() / 1_000 - START_MS;
        let Some(window) = self.plan.policy.provider_order_window else {
            return Some(
                "time decided, and nobody has said when nobody can pay any more".to_owned(),
            );
        };
        let ledger = self.model.ledger();
        let ends = lock.and_then(|lock| ledger.locks.get(lock)).map_or(Millis::MAX, |lock| {
            let window = i64::try_from(window.as_millis()).unwrap_or(Millis::MAX / 4);
            lock.expires_at_ms - START_MS + window
        });
        // One of its generations writes whole seconds.
        if shown < ends - 1_000 {
            return Some(format!("time decided at {shown}, and may not before {ends}"));
        }
        let mut wrong = Some(format!("its clock never showed {shown}"));
        for moment in self.time.moments(shown) {
            wrong = self.blind_at(moment.at).or_else(|| {
                // Where the clock is ahead, it is early, and nobody was shown where to pay.
                let open = made.iter().find(|order| !is_final(order) && moment.ahead <= 0);
                open.map(|order| format!("time decided, and {} is open", order.order_id))
            });
            if wrong.is_none() {
                return None;
            }
        }
        wrong
    }

    /// Why the engine cannot see the provider at this moment, if it cannot: not before its first answer in that life, nor
    /// after a call that failed until one is answered, nor long after its last answer.
    fn blind_at(&self, at: Millis) -> Option<String> {
        let Some(life) = self.seen.life_at(at) else {
            return Some(format!("nothing ran at {at}"));
        };
        let why = match life.last_answer_before(at) {
            None => "before the provider was seen since the start".to_owned(),
            Some(answered) if life.failed_between(answered, at) => {
                "after a call that failed, and none was answered since".to_owned()
            }
            Some(answered) if at - answered > SEEN_FOR_MS => {
                format!("{} ms after the provider was last seen", at - answered)
            }
            Some(_) => return None,
        };
        Some(format!("time decided at {at} {why}"))
    }

    /// Whether the provider has an order of this sale that is not at its end.
    pub(super) fn has_open(&self, sale: usize) -> bool {
        !self.all_made_of(sale).iter().all(is_final)
    }

    /// A fresh lock took the place of one that is over, at a price that the caller allows.
    fn judge_relock(&mut self, sale: usize, id: OrderId, fresh: &Terms, record: &EventRecord) {
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
