//! The partner's side: who locks, submits and pays.

use orderkeep_core::{IdempotencyKey, OrderId, Terms};
use orderkeep_sandbox::{LockRequest, OrderEntry, OrderRef};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Act, Job, World};

/// What the partner knows of a sale.
#[derive(Debug, Default)]
pub(crate) struct Sold {
    /// The provider's answer to the lock, where the partner took it.
    pub(crate) lock_answer: Option<String>,
    /// What the first lock asks of the payer.
    pub(crate) pay_amount: Option<Decimal>,
    pub(crate) terms: Option<Terms>,
    /// Its locks, the one that counts last; only one, unless a fresh one took its place.
    locks: Vec<String>,
    /// Whoever locks waits for the engine's answer.
    pub(super) locking: bool,
    /// The engine has acknowledged it.
    order: Option<OrderId>,
    /// The newest event that anybody was told of.
    pub(crate) told: u64,
    /// Whoever submits waits for an answer.
    pub(crate) asking: bool,
    shown: Option<String>,
    /// A person wanted it to end.
    pub(crate) cancelled: bool,
    /// A person had an unknown create posted again.
    pub(crate) post_again: bool,
    /// The store was replaced by an older copy after it was locked.
    forgotten: bool,
}

impl Sold {
    /// The lock that counts.
    pub(crate) fn lock_id(&self) -> Option<&str> {
        self.locks.last().map(String::as_str)
    }

    pub(crate) fn locks(&self) -> &[String] {
        &self.locks
    }

    /// Whether an older copy of the store took over after it was locked.
    pub(crate) const fn is_forgotten(&self) -> bool {
        self.forgotten
    }

    /// What a fresh lock may ask at most, where the partner allows so many hundredths of what the first lock asks.
    pub(crate) fn relock_max(&self, hundredths: Option<u32>) -> Option<Decimal> {
        let asked = self.pay_amount?;
        Some((asked * Decimal::from(hundredths?) / Decimal::ONE_HUNDRED).round_dp(6))
    }

    /// An older copy of the store takes over. Whether there is something to be asked for again.
    pub(super) fn forget(&mut self) -> bool {
        if self.locks.is_empty() {
            return false;
        }
        self.forgotten = true;
        self.told = 0;
        self.order.take().is_some()
    }

    pub(crate) const fn id(&self) -> Option<OrderId> {
        self.order
    }

    pub(super) const fn is_locked(&self) -> bool {
        !self.locks.is_empty()
    }

    /// Its caller asks, and waits for an answer.
    pub(super) const fn asks(&mut self) {
        self.asking = self.order.is_none();
    }

    /// Its caller asked, and the engine went without an answer.
    pub(super) const fn wants_asking(&self) -> bool {
        self.asking && self.order.is_none()
    }
}

/// The caller's key of a sale.
pub(crate) fn key(sale: usize) -> IdempotencyKey {
    #[expect(clippy::expect_used, reason = "the key is a short word")]
    IdempotencyKey::new(format!("sale-{sale}")).expect("a good key")
}

impl World {
    pub(super) fn lock(&mut self, sale: usize) -> Option<Job> {
        if self.sales[sale].is_locked() {
            return None;
        }
        if self.plan.sales[sale].locked_by_engine {
            self.sales[sale].locking = true;
            return Some(Job::Lock(sale));
        }
        let request = LockRequest {
            currency: "usdc".to_owned(),
            amount: "100".to_owned(),
            network: "polygon".to_owned(),
        };
        let answer = self.model.lock_rate(self.provider_now(), &request);
        #[expect(clippy::expect_used, reason = "the provider always takes this lock")]
        let answer = answer.expect("a lock");
        let value: serde_json::Value = serde_json::from_str(&answer).unwrap_or_default();
        let lock_id = value["lockId"].as_str().unwrap_or_default().to_owned();
        self.say("partner", || format!("sale {sale} locks {lock_id}"));
        self.sales[sale].lock_answer = Some(answer);
        self.sales[sale].pay_amount = value["amount"].to_string().parse().ok();
        self.locked(sale, lock_id);
        None
    }

    /// The engine took a lock, or could not.
    pub(crate) fn engine_locked(&mut self, sale: usize, terms: Option<Terms>) {
        match terms {
            // Asked again after a crash, it may be answered twice; the first lock is used.
            _ if self.sales[sale].is_locked() => {}
            Some(terms) => {
                let lock_id = terms.lock_id.to_string();
                self.say("partner", || format!("sale {sale} is given {lock_id}"));
                self.sales[sale].pay_amount = Some(terms.pay_amount.value());
                self.sales[sale].terms = Some(terms);
                self.locked(sale, lock_id);
            }
            None => self.plan_in(1_000, Act::Lock(sale)),
        }
    }

    fn locked(&mut self, sale: usize, lock_id: String) {
        self.sales[sale].locks.push(lock_id);
        self.sales[sale].locking = false;
        self.sales[sale].asking = true;
        self.plan_in(self.plan.sales[sale].submit_after, Act::Submit(sale));
    }

    /// The engine could not be asked.
    pub(crate) fn unanswered(&mut self, job: Job) {
        match job {
            Job::Lock(sale) => self.plan_in(1_000, Act::Lock(sale)),
            Job::Submit(sale) => self.submit_later(sale),
            Job::Deliver(due) => {
                self.delivering.remove(&due.delivery);
                self.model.webhook_answered(self.provider_now(), due.delivery, false);
            }
            Job::Check => self.check_again(5_000),
            Job::Lift => self.lift_later(),
            Job::Backup(fault) => self.backup_later(fault),
            Job::ReuseKey(_) | Job::Command(..) => {}
        }
    }

    pub(crate) fn submit_later(&mut self, sale: usize) {
        if self.sales[sale].order.is_none() {
            let after = self.draw(200, 2_000);
            self.plan_in(after, Act::Submit(sale));
        }
    }

    /// A caller was told that its order is taken.
    pub(crate) fn acknowledged(&mut self, sale: usize, id: OrderId, version: u64) {
        self.say("partner", || format!("sale {sale} is order {id}, version {version}"));
        let sold = &mut self.sales[sale];
        sold.asking = false;
        sold.told = sold.told.max(version);
        match sold.order {
            None => {
                sold.order = Some(id);
                self.count("orders");
            }
            Some(first) if first != id => {
                let detail = format!("sale {sale} was {first}, and is {id}");
                self.violated("one key is one order", detail);
            }
            Some(_) => {}
        }
    }

    /// A payer is shown where to pay.
    pub(crate) fn shown(&mut self, sale: usize, address: &str) {
        if self.sales[sale].shown.as_deref() == Some(address) {
            return;
        }
        let sold = &mut self.sales[sale];
        // A person took the risk of a second order, and the machine that knew of it was lost.
        let risked = sold.post_again && sold.forgotten;
        if let Some(before) = sold.shown.replace(address.to_owned()).filter(|_| !risked) {
            let detail = format!("sale {sale} was shown {before}, then {address}");
            self.violated("an address never changes", detail);
            return;
        }
        let made = self.model.ledger().orders;
        let theirs = made.iter().find(|order| order.address.as_deref() == Some(address));
        if !theirs.is_some_and(|order| self.sales[sale].locks.contains(&order.lock_id)) {
            let detail = format!("sale {sale} was shown {address}, which is {theirs:?}");
            self.violated("a payer is shown the provider's address of his order", detail);
            return;
        }
        self.say("payer", || format!("sale {sale} is shown {address}"));
        for (after, hundredths) in self.plan.sales[sale].payments.clone() {
            self.plan_in(after, Act::Pay { sale, address: address.to_owned(), hundredths });
        }
    }

    pub(super) fn pay(&mut self, sale: usize, address: &str, hundredths: u32) {
        let made = self.all_made_of(sale);
        let at = |made: &&OrderEntry| made.address.as_deref() == Some(address);
        let Some(made) = made.iter().find(at) else { return };
        let Ok(required) = made.required.parse::<Decimal>() else { return };
        let amount = (required * Decimal::from(hundredths) / Decimal::ONE_HUNDRED).round_dp(6);
        let order = OrderRef::Address(address.to_owned());
        let paid = self.model.pay(self.provider_now(), &order, Some(amount), 1, 0);
        self.say("payer", || format!("sale {sale} pays {amount}: {:?}", paid.is_ok()));
        if hundredths != 100 {
            self.count("odd_payment");
        }
    }
}

impl World {
    /// Somebody was told of an order's event.
    pub(crate) fn told(&mut self, sale: usize, version: u64) {
        let sold = &mut self.sales[sale];
        sold.told = sold.told.max(version);
    }

    /// The engine answered a webhook.
    pub(crate) fn delivered(&mut self, delivery: u64, of: Option<Uuid>, well: bool) {
        self.delivering.remove(&delivery);
        self.model.webhook_answered(self.provider_now(), delivery, well);
        if let Some(provider_order) = of.filter(|_| well) {
            self.accepted(provider_order.to_string());
        }
    }

    /// The engine took in what a webhook tells of an order: if it is of a lock that it knows, or an older copy that asks
    /// about everything, it must come to know the order.
    fn accepted(&mut self, provider_order: String) {
        let ledger = self.model.ledger();
        let Some(made) = ledger.orders.iter().find(|made| made.order_id == provider_order) else {
            return;
        };
        if self.is_held() || self.watcher.knows_lock(&made.lock_id) {
            self.watcher.accepted(provider_order);
        }
    }

    /// A fresh lock took the place of a sale's lock.
    pub(crate) fn relocked(&mut self, sale: usize, lock_id: &str) {
        let locks = &mut self.sales[sale].locks;
        if locks.iter().all(|known| known != lock_id) {
            locks.push(lock_id.to_owned());
            self.count("relocked");
        }
    }
}

impl World {
    /// Whether a payer will still pay.
    pub(crate) fn pays_later(&self) -> bool {
        self.queue.values().any(|act| matches!(act, Act::Pay { .. }))
    }
}
