//! The provider as a value: locks, orders, webhooks and faults under a clock that the caller moves.
//!
//! Every verb takes `now`, the provider's time in milliseconds, and first lets everything happen that was due by then,
//! each at its own moment; `now` never runs backwards. The caller sends what [`Model::advance`] hands out and reports
//! it with [`Model::webhook_answered`]. Nothing here blocks, reads a clock or touches a socket.

mod api;
mod body;
mod book;
mod call;
mod error;
mod ids;
mod lock;
mod order;
mod outbox;
mod payment;
mod report;
mod timeline;

use std::{collections::BTreeMap, sync::Arc};

use rust_decimal::Decimal;
use uuid::Uuid;

pub use api::{Answer, Key, OrderRef, Reply, Request, Wire};
pub use error::{ApiError, ControlError};
pub use lock::LockRequest;
pub use outbox::WebhookDue;

use crate::{
    amount,
    config::{ConfigError, ModelConfig},
    faults::{Dice, FaultError, FaultScript, Forgery, Outage, OutageMode, WebhookFault},
    ledger::CallCount,
    stamp::Stamps,
};
use book::{Book, Changed};
use outbox::{HELD_MAX_MS, Outbox, Parcel};
use timeline::Change;

/// Longest that one verb may reach into the future, provider milliseconds: ten years. Keeps times printable.
const REACH_MAX_MS: i64 = 10 * 366 * 24 * 3600 * 1000;

/// The stand-in, without I/O. See the module's head for the contract.
#[derive(Debug)]
pub struct Model {
    config: Arc<ModelConfig>,
    now: i64,
    book: Book,
    outbox: Outbox,
    dice: Dice,
    /// Forgers' addresses; apart from the book's ids, so that a forgery shifts none of them.
    forger: ids::Ids,
    stamps: Stamps,
    calls: BTreeMap<&'static str, CallCount>,
    creates: u64,
}

impl Model {
    /// A provider with no locks and no orders.
    ///
    /// # Errors
    /// A configuration out of its ranges.
    pub fn new(config: ModelConfig, seed: u64) -> Result<Self, ConfigError> {
        config.check()?;
        let config = Arc::new(config);
        Ok(Self {
            book: Book::new(Arc::clone(&config), seed),
            config,
            now: i64::MIN,
            outbox: Outbox::new(),
            dice: Dice::new(seed),
            forger: ids::Ids::new(!seed),
            stamps: Stamps::Provider,
            calls: BTreeMap::new(),
            creates: 0,
        })
    }

    /// How this model was configured.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Changes how times are shown from now on; [`Stamps::Provider`] at first.
    pub fn set_stamps(&mut self, stamps: Stamps) {
        self.stamps = stamps;
    }

    /// Replaces the script of faults; its outages count from `now`. The dice go on, as do the counts.
    ///
    /// # Errors
    /// A script that makes no sense; the old one stays.
    pub fn set_faults(&mut self, now: i64, script: FaultScript) -> Result<(), FaultError> {
        script.check()?;
        self.pass(now);
        self.dice.set(script, self.now);
        Ok(())
    }

    /// Starts an outage of the API at once.
    ///
    /// # Errors
    /// A length out of range, or too many outages.
    pub fn start_outage(
        &mut self,
        now: i64,
        ms: i64,
        mode: OutageMode,
    ) -> Result<(), ControlError> {
        let ms = reach(ms)?;
        self.pass(now);
        let outage = Outage { from_ms: self.now, to_ms: self.now.saturating_add(ms), mode };
        if self.dice.add_outage(outage) {
            Ok(())
        } else {
            Err(ControlError::Full("the list of outages"))
        }
    }

    /// The outage at a time, and when it or the next change of it comes.
    pub fn outage(&self, now: i64) -> (Option<OutageMode>, Option<i64>) {
        let now = now.max(self.now);
        (self.dice.outage(now).map(|outage| outage.mode), self.dice.next_outage_change(now))
    }

    /// Lets time pass and hands out every webhook that is due.
    pub fn advance(&mut self, now: i64) -> Vec<WebhookDue> {
        self.advance_some(now, usize::MAX)
    }

    /// The same, but at most so many webhooks; the rest stays due.
    pub fn advance_some(&mut self, now: i64, webhooks_max: usize) -> Vec<WebhookDue> {
        self.pass(now);
        self.outbox.take_due(self.now, webhooks_max)
    }

    /// When [`Self::advance`] will next have something to do.
    pub fn next_due(&self) -> Option<i64> {
        [self.book.next_due(), self.outbox.next_due()].into_iter().flatten().min()
    }

    /// What became of a webhook that was handed out: delivered is any 2xx, everything else is not.
    pub fn webhook_answered(&mut self, now: i64, delivery: u64, delivered: bool) {
        self.pass(now);
        self.outbox.answered(delivery, delivered, self.now);
    }

    /// Plans a payment: an amount, or what is missing, in so many transactions, after a delay. Works for orders past
    /// their time too. Returns the transactions' hashes.
    ///
    /// # Errors
    /// An unknown order, one without an address, an amount or number that makes no sense.
    pub fn pay(
        &mut self,
        now: i64,
        order: &OrderRef,
        amount: Option<Decimal>,
        transactions: usize,
        after_ms: i64,
    ) -> Result<Vec<String>, ControlError> {
        let after_ms = reach(after_ms)?;
        check_amount(amount)?;
        self.pass(now);
        let paid = self.book.pay(order, amount, transactions, after_ms);
        self.announce();
        paid
    }

    /// Takes an executed order back.
    ///
    /// # Errors
    /// An unknown order, or one that is not executed.
    pub fn reverse(&mut self, now: i64, order: &OrderRef) -> Result<(), ControlError> {
        self.pass(now);
        let reversed = self.book.reverse(order);
        self.announce();
        reversed
    }

    /// Gives an open order up. The reason stands in the ledger; no field of the API is known to carry one.
    ///
    /// # Errors
    /// An unknown order, or one at its end.
    pub fn fail(&mut self, now: i64, order: &OrderRef, reason: String) -> Result<(), ControlError> {
        self.pass(now);
        let failed = self.book.fail(order, reason);
        self.announce();
        failed
    }

    /// A reorganised chain: an amount, or all, of what was received is taken away again, newest payment first.
    /// Returns what was taken.
    ///
    /// # Errors
    /// An unknown order or an amount that makes no sense.
    pub fn reorganise(
        &mut self,
        now: i64,
        order: &OrderRef,
        amount: Option<Decimal>,
    ) -> Result<Decimal, ControlError> {
        check_amount(amount)?;
        self.pass(now);
        let taken = self.book.reorganise(order, amount);
        self.announce();
        taken
    }

    /// Sends a webhook made by hand; with the right token unless another is named. It counts as forged. Returns the
    /// number of the delivery.
    ///
    /// # Errors
    /// A full outbox.
    pub fn send_webhook(
        &mut self,
        now: i64,
        body: String,
        token: Option<String>,
    ) -> Result<u64, ControlError> {
        self.pass(now);
        let parcel = Parcel {
            order_id: None,
            status: "by_hand".to_owned(),
            body,
            token,
            due_at: self.now,
            lost: 0,
            held: false,
            forged: true,
            doubled: false,
        };
        self.outbox.post(parcel).ok_or(ControlError::Full("the outbox"))
    }

    /// Lets time pass; webhooks that become due stay due.
    pub fn pass_to(&mut self, now: i64) {
        self.pass(now);
    }

    fn pass(&mut self, now: i64) {
        self.now = self.now.max(now);
        self.book.advance(self.now);
        self.announce();
    }

    /// Turns what changed into webhooks.
    fn announce(&mut self) {
        for changed in self.book.take_changed() {
            let worth_it = match changed.change {
                Change::Status => true,
                Change::Confirmation => self.config.webhook_each_confirmation,
            };
            if worth_it {
                self.post(&changed);
            }
        }
    }

    fn post(&mut self, changed: &Changed) {
        let status = changed.view.stage.word(&self.config.statuses).to_owned();
        let mut parcel = Parcel {
            order_id: Some(changed.view.id),
            body: body::details(&changed.view, &self.config, self.stamps),
            status: status.clone(),
            token: None,
            due_at: changed.at,
            lost: 0,
            held: false,
            forged: false,
            doubled: false,
        };
        let mut doubled = false;
        for fault in self.dice.on_event(&status) {
            match fault {
                WebhookFault::LostAll {} => parcel.lost = u32::MAX,
                WebhookFault::LostTry {} => parcel.lost = parcel.lost.max(1),
                WebhookFault::Doubled {} => doubled = true,
                WebhookFault::Delayed { delay_ms } => {
                    parcel.due_at = parcel.due_at.saturating_add(delay_ms);
                }
                WebhookFault::Reordered {} => {
                    parcel.held = true;
                    parcel.due_at = parcel.due_at.saturating_add(HELD_MAX_MS);
                }
                WebhookFault::Forged { forgery } => self.forge(changed, forgery),
            }
        }
        if doubled {
            let twin = Parcel {
                order_id: parcel.order_id,
                status,
                body: parcel.body.clone(),
                token: None,
                due_at: parcel.due_at,
                lost: 0,
                held: parcel.held,
                forged: false,
                doubled: true,
            };
            self.outbox.post(parcel);
            self.outbox.post(twin);
        } else {
            self.outbox.post(parcel);
        }
    }

    fn forge(&mut self, changed: &Changed, forgery: Forgery) {
        let mut view = changed.view.clone();
        let mut token = None;
        match forgery {
            Forgery::FalseAddress => view.address = Some(self.forger.address(&view.network)),
            Forgery::FalseStatus => {
                view.stage = body::false_stage(view.stage);
                view.received = view.required;
            }
            Forgery::WrongToken => token = Some("not-the-token".to_owned()),
        }
        self.outbox.post(Parcel {
            order_id: Some(view.id),
            status: view.stage.word(&self.config.statuses).to_owned(),
            body: body::details(&view, &self.config, self.stamps),
            token,
            due_at: changed.at,
            lost: 0,
            held: false,
            forged: true,
            doubled: false,
        });
    }

    /// Reads the details of an order as a client would, without faults; for tests.
    ///
    /// # Errors
    /// The API's error for an order nobody knows.
    pub fn details(&mut self, now: i64, order_id: Uuid) -> Result<String, ApiError> {
        self.pass(now);
        self.details_at(order_id, self.now)
    }

    fn details_at(&self, order_id: Uuid, at: i64) -> Result<String, ApiError> {
        self.book
            .seen_at(order_id, at)
            .map(|view| body::details(view, &self.config, self.stamps))
            .ok_or_else(|| ApiError::unknown_order(&self.config.unknown_order))
    }

    /// Takes a lock without faults. Returns its body.
    ///
    /// # Errors
    /// The API's error.
    pub fn lock_rate(&mut self, now: i64, request: &LockRequest) -> Result<String, ApiError> {
        self.pass(now);
        let lock = self.book.lock_rate(request)?;
        Ok(body::lock(lock, &self.config, self.stamps))
    }

    /// Makes an order of a lock without faults. Returns the order's id.
    ///
    /// # Errors
    /// The API's error.
    pub fn create_order(&mut self, now: i64, lock_id: Uuid) -> Result<Uuid, ApiError> {
        self.pass(now);
        self.creates += 1;
        let created = self.book.create_order(lock_id, self.creates);
        self.announce();
        created
    }

    /// The current rates, as their body.
    pub fn rates(&self) -> String {
        body::rates(&self.config)
    }
}

fn reach(ms: i64) -> Result<i64, ControlError> {
    if (0..=REACH_MAX_MS).contains(&ms) {
        Ok(ms)
    } else {
        Err(ControlError::BadDelay(REACH_MAX_MS))
    }
}

fn check_amount(wanted: Option<Decimal>) -> Result<(), ControlError> {
    match wanted {
        Some(wanted) if wanted <= Decimal::ZERO || wanted > Decimal::from(amount::AMOUNT_MAX) => {
            Err(ControlError::BadAmount(amount::plain(wanted)))
        }
        Some(_) | None => Ok(()),
    }
}
