//! All locks and orders, and the one index of what is due when.
//!
//! The book knows neither HTTP nor faults nor webhooks: it collects what changed, and the model asks for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    ApiError, ControlError, LockRequest, OrderRef,
    ids::Ids,
    lock::{self, CreateCall, Lock},
    order::{Order, OrderView, Stage},
    timeline::Change,
};
use crate::config::{ModelConfig, SecondCreate};

/// Orders and locks one sandbox keeps, all in memory: some hundred megabytes at the most. Past it the provider says
/// P501, which is what a full service does.
const ORDERS_MAX: usize = 200_000;
const LOCKS_MAX: usize = 400_000;

/// Something about an order changed at a time.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) view: OrderView,
    pub(crate) change: Change,
    pub(crate) at: i64,
}

#[derive(Debug)]
pub(crate) struct Book {
    config: Arc<ModelConfig>,
    ids: Ids,
    now: i64,
    locks: BTreeMap<Uuid, Lock>,
    orders: Vec<Order>,
    by_id: BTreeMap<Uuid, usize>,
    /// Lower-case address.
    by_address: BTreeMap<String, usize>,
    due: BTreeSet<(i64, usize)>,
    changed: Vec<Changed>,
}

impl Book {
    pub(crate) fn new(config: Arc<ModelConfig>, seed: u64) -> Self {
        Self {
            config,
            ids: Ids::new(seed),
            now: i64::MIN,
            locks: BTreeMap::new(),
            orders: Vec::new(),
            by_id: BTreeMap::new(),
            by_address: BTreeMap::new(),
            due: BTreeSet::new(),
            changed: Vec::new(),
        }
    }

    pub(crate) fn next_due(&self) -> Option<i64> {
        self.due.first().map(|&(at, _)| at)
    }

    /// Lets time pass up to `to`, each step at its own moment. Every step uses up something finite (an address, a
    /// planned payment, a confirmation, the one execution, the one expiry), so this ends.
    pub(crate) fn advance(&mut self, to: i64) {
        while let Some(&(due_at, index)) = self.due.first() {
            if due_at > to {
                break;
            }
            let at = due_at.max(self.now);
            self.now = at;
            let order = &mut self.orders[index];
            let Some((_, due)) = order.next_due(&self.config) else {
                self.reindex(index);
                continue;
            };
            let had_address = order.wallet.is_some();
            let change = order.apply(due, at, &self.config, &mut self.ids);
            if !had_address && let Some(wallet) = &order.wallet {
                self.by_address.insert(wallet.address.to_ascii_lowercase(), index);
                if let Some(auto) = &self.config.auto_pay {
                    order.plan_auto(auto, at, &mut self.ids);
                }
            }
            self.note(index, change, at);
        }
        self.now = self.now.max(to);
    }

    pub(crate) fn take_changed(&mut self) -> Vec<Changed> {
        std::mem::take(&mut self.changed)
    }

    pub(crate) fn lock_rate(&mut self, request: &LockRequest) -> Result<&Lock, ApiError> {
        let quote = lock::quote(&self.config, request)?;
        if self.locks.len() >= LOCKS_MAX {
            return Err(ApiError::unavailable());
        }
        let id = self.ids.uuid();
        let lock = Lock {
            id,
            currency: request.currency.clone(),
            network: request.network.clone(),
            decimals: quote.decimals,
            rate: quote.rate,
            amount: quote.amount,
            taken_at: self.now,
            expires_at: self.now.saturating_add(self.config.lock_ttl_ms),
            orders: Vec::new(),
            creates: Vec::new(),
            creates_seen: 0,
        };
        Ok(self.locks.entry(id).or_insert(lock))
    }

    pub(crate) fn create_order(&mut self, lock_id: Uuid, call: u64) -> Result<Uuid, ApiError> {
        let lock = self.locks.get(&lock_id).ok_or_else(ApiError::invalid_lock)?;
        if let Some(&first) = lock.orders.first() {
            match self.config.second_create {
                SecondCreate::Refused => return Err(ApiError::invalid_lock()),
                SecondCreate::SameOrder => return Ok(first),
                SecondCreate::SecondOrder => {}
            }
        }
        if self.now >= lock.expires_at {
            return Err(ApiError::invalid_lock());
        }
        if self.orders.len() >= ORDERS_MAX {
            return Err(ApiError::unavailable());
        }
        let id = self.ids.uuid();
        let spread = u64::try_from(self.config.wallet_delay_spread_ms).unwrap_or(0);
        let extra = i64::try_from(self.ids.below(spread.saturating_add(1))).unwrap_or(0);
        let index = self.orders.len();
        self.orders.push(Order {
            id,
            lock_id,
            call,
            created_at: self.now,
            currency: lock.currency.clone(),
            network: lock.network.clone(),
            decimals: lock.decimals,
            required: lock.amount,
            stage: Stage::WaitingForWallet,
            wallet_at: self.now.saturating_add(self.config.wallet_delay_ms).saturating_add(extra),
            wallet: None,
            pending: Vec::new(),
            payments: Vec::new(),
            execute_at: None,
            executed_at: None,
            failure: None,
            history: Vec::new(),
            indexed: None,
        });
        self.by_id.insert(id, index);
        if let Some(lock) = self.locks.get_mut(&lock_id) {
            lock.orders.push(id);
        }
        let view = self.snapshot(index, self.now);
        if self.config.webhook_on_create {
            self.changed.push(Changed { view, change: Change::Status, at: self.now });
        }
        self.reindex(index);
        Ok(id)
    }

    /// Remembers that a create call named a lock, whatever becomes of it. Unknown locks are not remembered.
    pub(crate) fn remember_create(&mut self, lock_id: Uuid, call: CreateCall) {
        if let Some(lock) = self.locks.get_mut(&lock_id) {
            lock.remember(call);
        }
    }

    pub(crate) fn seen_at(&self, id: Uuid, at: i64) -> Option<&OrderView> {
        self.by_id.get(&id).and_then(|&index| self.orders[index].seen_at(at))
    }

    pub(crate) fn pay(
        &mut self,
        order: &OrderRef,
        amount: Option<Decimal>,
        transactions: usize,
        after_ms: i64,
    ) -> Result<Vec<String>, ControlError> {
        let index = self.find(order)?;
        if self.orders[index].wallet.is_none() {
            return Err(ControlError::NoAddress(self.orders[index].id.to_string()));
        }
        let at = self.now.saturating_add(after_ms);
        let hashes = self.orders[index].plan(amount, transactions, at, &mut self.ids)?;
        self.reindex(index);
        self.advance(self.now);
        Ok(hashes)
    }

    pub(crate) fn reverse(&mut self, order: &OrderRef) -> Result<(), ControlError> {
        let index = self.find(order)?;
        self.orders[index].reverse(&self.config)?;
        self.note(index, Change::Status, self.now);
        Ok(())
    }

    pub(crate) fn fail(&mut self, order: &OrderRef, reason: String) -> Result<(), ControlError> {
        let index = self.find(order)?;
        self.orders[index].fail(reason, &self.config)?;
        self.note(index, Change::Status, self.now);
        Ok(())
    }

    pub(crate) fn reorganise(
        &mut self,
        order: &OrderRef,
        amount: Option<Decimal>,
    ) -> Result<Decimal, ControlError> {
        let index = self.find(order)?;
        let taken = self.orders[index].reorganise(amount, self.now, &self.config);
        self.note(index, Change::Status, self.now);
        self.advance(self.now);
        Ok(taken)
    }

    pub(crate) fn locks(&self) -> impl Iterator<Item = &Lock> {
        self.locks.values()
    }

    pub(crate) fn orders(&self) -> &[Order] {
        &self.orders
    }

    fn find(&self, order: &OrderRef) -> Result<usize, ControlError> {
        let found = match order {
            OrderRef::Id(id) => self.by_id.get(id),
            OrderRef::Address(address) => self.by_address.get(&address.to_ascii_lowercase()),
        };
        found.copied().ok_or_else(|| ControlError::UnknownOrder(order.to_string()))
    }

    fn note(&mut self, index: usize, change: Change, at: i64) {
        let view = self.snapshot(index, at);
        self.changed.push(Changed { view, change, at });
        self.reindex(index);
    }

    fn snapshot(&mut self, index: usize, at: i64) -> OrderView {
        let order = &mut self.orders[index];
        let view = order.view(self.config.required_confirmations);
        order.remember(at, view.clone());
        view
    }

    fn reindex(&mut self, index: usize) {
        let order = &mut self.orders[index];
        if let Some(known) = order.indexed.take() {
            self.due.remove(&(known, index));
        }
        if let Some((at, _)) = order.next_due(&self.config) {
            order.indexed = Some(at);
            self.due.insert((at, index));
        }
    }
}
