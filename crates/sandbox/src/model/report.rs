//! Filling the ledger from the model. Reads only.

use std::collections::BTreeMap;

use super::{Model, order::Order};
use crate::{
    amount::plain,
    ledger::{CallCount, CreateEntry, Ledger, LockEntry, OrderEntry, PaymentEntry, Summary},
};

impl Model {
    /// Everything that happened, as the provider knows it. Does not let time pass.
    pub fn ledger(&self) -> Ledger {
        Ledger {
            now_ms: self.now,
            locks: self.lock_entries(),
            orders_per_lock: self
                .book
                .locks()
                .filter(|lock| !lock.orders.is_empty())
                .map(|lock| {
                    let orders = lock.orders.iter().map(ToString::to_string).collect();
                    (lock.id.to_string(), orders)
                })
                .collect(),
            orders: self.book.orders().iter().map(|order| self.order_entry(order)).collect(),
            deliveries: self.outbox.entries().collect(),
            calls: self.call_counts(),
            faults: self.dice.counts().clone(),
        }
    }

    /// The same in counts.
    pub fn summary(&self) -> Summary {
        let mut by_status = BTreeMap::new();
        let (mut executed, mut unexecuted_with_funds) = (0, 0);
        for order in self.book.orders() {
            let word = order.stage.word(&self.config.statuses).to_owned();
            *by_status.entry(word).or_insert(0) += 1;
            executed += u64::from(order.executed_at.is_some());
            let held = order.executed_at.is_none() && !order.received().is_zero();
            unexecuted_with_funds += u64::from(held);
        }
        let deliveries = self.outbox.counts();
        Summary {
            now_ms: self.now,
            locks: self.book.locks().count() as u64,
            orders: self.book.orders().len() as u64,
            executed,
            by_status,
            locks_with_several_orders: self.book.locks().filter(|l| l.orders.len() > 1).count()
                as u64,
            locks_resent_after_ambiguous: self
                .book
                .locks()
                .filter(|lock| lock.resent_after_ambiguous())
                .count() as u64,
            unexecuted_with_funds,
            deliveries_pending: deliveries.pending,
            deliveries_delivered: deliveries.delivered,
            deliveries_given_up: deliveries.given_up,
            deliveries_dropped: deliveries.dropped,
            forged: deliveries.forged,
            calls: self.call_counts(),
            faults: self.dice.counts().clone(),
        }
    }

    fn call_counts(&self) -> BTreeMap<String, CallCount> {
        self.calls.iter().map(|(&name, count)| (name.to_owned(), count.clone())).collect()
    }

    fn lock_entries(&self) -> BTreeMap<String, LockEntry> {
        self.book
            .locks()
            .map(|lock| {
                let entry = LockEntry {
                    taken_at_ms: lock.taken_at,
                    expires_at_ms: lock.expires_at,
                    amount: plain(lock.amount),
                    creates: lock
                        .creates
                        .iter()
                        .map(|create| CreateEntry {
                            call: create.number,
                            at_ms: create.at,
                            outcome: create.outcome.clone(),
                        })
                        .collect(),
                    creates_seen: lock.creates_seen,
                    resent_after_ambiguous: lock.resent_after_ambiguous(),
                };
                (lock.id.to_string(), entry)
            })
            .collect()
    }

    fn order_entry(&self, order: &Order) -> OrderEntry {
        OrderEntry {
            order_id: order.id.to_string(),
            lock_id: order.lock_id.to_string(),
            created_by_call: order.call,
            created_at_ms: order.created_at,
            status: order.stage.word(&self.config.statuses).to_owned(),
            address: order.wallet.as_ref().map(|wallet| wallet.address.clone()),
            expires_at_ms: order.wallet.as_ref().map(|wallet| wallet.expires_at),
            required: plain(order.required),
            received: plain(order.received()),
            payments: order
                .payments
                .iter()
                .map(|payment| PaymentEntry {
                    tx: payment.tx.clone(),
                    amount: plain(payment.amount),
                    lost: plain(payment.lost),
                    at_ms: payment.at,
                    confirmations: payment.confirmations,
                    late: payment.late,
                })
                .collect(),
            executed: order.executed_at.is_some(),
            executed_at_ms: order.executed_at,
            failure: order.failure.clone(),
        }
    }
}
