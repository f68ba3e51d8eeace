//! No event without its cause in the world: what an order's history says happened is so in the provider's ledger.

use orderkeep_core::{Cause, Event, EventRecord, FailReason, OrderId, OrderResult, Terms};
use orderkeep_sandbox::OrderEntry;

use crate::{
    plan::Kind,
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
            // It was judged when a fresh lock was wanted instead, which there is not.
            Event::Failed { .. } if self.is_relocking(id) => None,
            Event::Failed { reason, .. } => self.judge_failed(sale, reason, record, &made),
            Event::RelockWanted { instead_of } => {
                self.judge_failed(sale, instead_of, record, &made)
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
            | Event::Relocked { .. }
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

    fn judge_failed(
        &self,
        sale: usize,
        reason: &FailReason,
        record: &EventRecord,
        made: &[OrderEntry],
    ) -> Option<String> {
        let sold = &self.sales[sale];
        let on_its_way = sold.lock_id().is_some_and(|lock_id| self.is_on_its_way(lock_id));
        // What a lock that was given up made, nobody was shown.
        let last = sold.lock_id();
        let none = !made.iter().any(|order| Some(order.lock_id.as_str()) == last) && !on_its_way;
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
                Cause::Clock => self.judge_blind(record, made),
                Cause::Command(_) | Cause::CommandFor { .. } => {
                    (!none).then(|| "a person was believed who was wrong".to_owned())
                }
                Cause::Submit | Cause::Create | Cause::Webhook | Cause::Read | Cause::Restore => {
                    Some(format!("an unknown create was given up by {:?}", record.cause))
                }
            },
        }
    }

    /// Time decided: nobody can pay any more, and the provider can be seen. Not so before its first answer in this life,
    /// nor after a call that failed until one is answered, nor long after its last answer.
    fn judge_blind(&self, record: &EventRecord, made: &[OrderEntry]) -> Option<String> {
        if self.plan.has(Kind::ClockJump) {
            // When it was decided, and what the engine took for now, is not known.
            return None;
        }
        let at = record.at.as_micros() / 1_000 - START_MS;
        if at < self.seen.life_began_at {
            // Heard again.
            return None;
        }
        let blind = match self.seen.last_answer_before(at) {
            None => Some("before the provider was seen since the start".to_owned()),
            Some(answered) if self.seen.failed_between(answered, at) => {
                Some("after a call that failed, and none was answered since".to_owned())
            }
            Some(answered) if at - answered > SEEN_FOR_MS => {
                Some(format!("{} ms after the provider was last seen", at - answered))
            }
            Some(_) => None,
        };
        if let Some(blind) = blind {
            return Some(format!("time decided at {at} {blind}"));
        }
        let open = made.iter().find(|order| !is_final(order));
        open.map(|order| format!("time decided, and {} is open", order.order_id))
    }

    /// A fresh lock took the place of one that is over, at a price that the caller allows.
    pub(super) fn judge_relock(&mut self, sale: usize, fresh: &Terms, record: &EventRecord) {
        let allowed = self.sales[sale].relock_max(self.plan.sales[sale].relock);
        if allowed.is_none_or(|most| fresh.pay_amount.value() > most) {
            let detail = format!("sale {sale}: {} asked, {allowed:?} allowed", fresh.pay_amount);
            self.violated("no fresh lock above the bound", detail);
            return;
        }
        if self.plan.has(Kind::ClockJump) {
            return;
        }
        let (now, ledger) = (record.at.as_micros() / 1_000, self.model.ledger());
        let locks = self.sales[sale].locks();
        let old = locks.iter().filter(|lock| lock.as_str() != fresh.lock_id.as_str());
        let runs = |lock: &&String| {
            let on_time = ledger.locks.get(*lock).is_some_and(|lock| now < lock.expires_at_ms);
            (on_time && self.is_on_its_way(lock))
                || ledger.orders.iter().any(|made| made.lock_id == **lock && !is_final(made))
        };
        if let Some(lock) = old.clone().find(runs) {
            let detail = format!("sale {sale}: lock {lock} can still be an order");
            self.violated("no fresh lock while the old one can be an order", detail);
        }
    }
}
