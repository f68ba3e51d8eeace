//! A scripted provider in memory. Its ledger says what reached it and what it made; its orders go on with time.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use orderkeep_core::{
    Address, Currency, Exact, LockId, Network, Observation, Order, ProviderOrderId, ProviderStatus,
    Source, Terms, Timestamp,
};
use orderkeep_driver::codec;
use orderkeep_provider::{
    BoxFuture, CallError, ClockSkew, FailureClass, Heard, LockRequest, Provider, Rates,
    UnreadableWebhook,
};
use orderkeep_store::{Kind, Label, ListQuery, Store};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::world::{LOCK_ENDS, address, at, terms};

/// The one good webhook token.
pub(crate) const TOKEN: &[u8] = b"token-of-the-tests";

/// When a payment is due.
const PAY_BY: i64 = 3_600;

/// What a create is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// Made, and said so.
    Accepted,
    /// Made, and said so after a while.
    AcceptedAfter(Duration),
    /// Made, and answered with another name.
    AcceptedAs(&'static str),
    /// Made; the answer is lost.
    LostAfterMade,
    /// Not made; nobody can tell from the answer.
    P500Before,
    /// Not made, and answered with this class of failure and code.
    Answers(FailureClass, &'static str),
    /// No byte was written.
    NotSent,
    /// The credential is refused.
    Denied,
    /// 403 from whatever stands before it; nobody can tell what came of it.
    Forbidden,
    /// Too many calls; come again after this.
    Throttled(Duration),
    /// Made, and never answered.
    HangsAfterMade,
    /// Made, and our own client panics over the answer.
    PanicsAfterMade,
}

/// How a read goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// It is never answered.
    Hangs,
    /// Our own client panics.
    Panics,
}

/// When an order goes on, counted from when it was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) wallet: Duration,
    pub(crate) confirming: Duration,
    pub(crate) executed: Duration,
}

impl Pace {
    pub(crate) const USUAL: Self = Self {
        wallet: Duration::from_secs(3),
        confirming: Duration::from_secs(40),
        executed: Duration::from_secs(90),
    };
}

#[derive(Debug, Clone)]
struct Made {
    lock_id: LockId,
    at: Instant,
}

#[derive(Debug)]
struct Ledger {
    script: VecDeque<Says>,
    usual: Says,
    pace: Pace,
    orders: BTreeMap<String, Made>,
    creates: Vec<(LockId, Instant)>,
    intents: Vec<bool>,
    calls: Vec<Instant>,
    reads: Vec<String>,
    read_script: VecDeque<Read>,
    reads_take: Duration,
    down: bool,
    denies: bool,
    takes_every_token: bool,
    /// It does not find its own orders.
    loses: bool,
    /// What its reads say otherwise than its orders go on.
    tells: Option<fn(&mut Observation)>,
    clock_ahead_ms: Option<i64>,
    /// How every lock fails, if it does.
    locks_fail: Option<FailureClass>,
    /// When locks were asked for.
    locks: Vec<Instant>,
    born: Instant,
}

#[derive(Debug)]
pub(crate) struct Scripted {
    ledger: Mutex<Ledger>,
    looks_into: Mutex<Option<Arc<dyn Store>>>,
}

impl Scripted {
    pub(crate) fn new(script: impl IntoIterator<Item = Says>) -> Arc<Self> {
        Arc::new(Self {
            ledger: Mutex::new(Ledger {
                script: script.into_iter().collect(),
                usual: Says::Accepted,
                pace: Pace::USUAL,
                orders: BTreeMap::new(),
                creates: Vec::new(),
                intents: Vec::new(),
                calls: Vec::new(),
                reads: Vec::new(),
                read_script: VecDeque::new(),
                reads_take: Duration::ZERO,
                down: false,
                denies: false,
                takes_every_token: false,
                loses: false,
                tells: None,
                clock_ahead_ms: None,
                locks_fail: None,
                locks: Vec::new(),
                born: Instant::now(),
            }),
            looks_into: Mutex::new(None),
        })
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    /// Does not look: it reads every create that is on its way, at each of them.
    pub(crate) fn look_away(&self) {
        *self.looks_into.lock().unwrap() = None;
    }

    /// What every create is answered with once the script is over.
    pub(crate) fn usually(&self, says: Says) {
        self.ledger().usual = says;
    }

    /// At every create, looks whether this store holds the intent already.
    pub(crate) fn look_into(&self, store: Arc<dyn Store>) {
        *self.looks_into.lock().unwrap() = Some(store);
    }

    /// While down, every call's outcome is unknown, and nothing is made.
    pub(crate) fn set_down(&self, down: bool) {
        self.ledger().down = down;
    }

    /// Refuses the credential, whatever is asked.
    pub(crate) fn set_denies(&self, denies: bool) {
        self.ledger().denies = denies;
    }

    /// A client that does not look at tokens.
    pub(crate) fn set_takes_every_token(&self, takes: bool) {
        self.ledger().takes_every_token = takes;
    }

    /// Does not find its own orders.
    pub(crate) fn set_loses(&self, loses: bool) {
        self.ledger().loses = loses;
    }

    /// From now on its reads say this as well, or instead.
    pub(crate) fn set_tells(&self, tells: fn(&mut Observation)) {
        self.ledger().tells = Some(tells);
    }

    /// What its answers' dates say of its clock.
    pub(crate) fn set_clock_ahead_ms(&self, ahead_ms: i64) {
        self.ledger().clock_ahead_ms = Some(ahead_ms);
    }

    /// From now on it gives no lock, and answers with this class of failure.
    pub(crate) fn set_locks_fail(&self, class: Option<FailureClass>) {
        self.ledger().locks_fail = class;
    }

    /// When locks were asked for.
    pub(crate) fn locks(&self) -> Vec<Instant> {
        self.ledger().locks.clone()
    }

    /// How the next reads go wrong.
    pub(crate) fn next_reads(&self, script: impl IntoIterator<Item = Read>) {
        self.ledger().read_script.extend(script);
    }

    /// What a read says was so when it began; its answer takes so long.
    pub(crate) fn set_reads_take(&self, reads_take: Duration) {
        self.ledger().reads_take = reads_take;
    }

    /// How fast its orders go on.
    pub(crate) fn set_pace(&self, pace: Pace) {
        self.ledger().pace = pace;
    }

    /// The orders that were read, in order.
    pub(crate) fn reads(&self) -> Vec<String> {
        self.ledger().reads.clone()
    }

    /// How often an order was read.
    pub(crate) fn reads_of(&self, order: &ProviderOrderId) -> usize {
        self.reads().iter().filter(|read| *read == order.as_str()).count()
    }

    /// The creates that reached the wire, and when.
    pub(crate) fn creates(&self) -> Vec<(LockId, Instant)> {
        self.ledger().creates.clone()
    }

    /// For each create on the wire: whether the store held its intent then.
    pub(crate) fn intents(&self) -> Vec<bool> {
        self.ledger().intents.clone()
    }

    /// When calls came, of any kind.
    pub(crate) fn calls(&self) -> Vec<Instant> {
        self.ledger().calls.clone()
    }

    /// The orders that were made from a lock.
    pub(crate) fn orders_of(&self, lock: &LockId) -> Vec<ProviderOrderId> {
        self.ledger()
            .orders
            .iter()
            .filter(|(_, made)| made.lock_id == *lock)
            .map(|(id, _)| ProviderOrderId::new(id).unwrap())
            .collect()
    }

    /// The ledger check: no lock has more than one order.
    pub(crate) fn most_orders_of_one_lock(&self) -> usize {
        let mut counts = BTreeMap::new();
        for made in self.ledger().orders.values() {
            *counts.entry(made.lock_id.clone()).or_insert(0) += 1;
        }
        counts.into_values().max().unwrap_or(0)
    }

    /// Somebody else makes an order.
    pub(crate) fn makes(&self, lock: &LockId) -> ProviderOrderId {
        self.ledger().make(lock)
    }

    /// The true webhook of an order, as it is now.
    pub(crate) fn webhook_of(&self, order: &ProviderOrderId) -> Vec<u8> {
        let ledger = self.ledger();
        let made = &ledger.orders[order.as_str()];
        let (shown, paid) = ledger.progress(made);
        let mut body = json!({
            "order": order.as_str(),
            "lock": made.lock_id.as_str(),
            "status": ledger.stands(made),
            "required": "100",
            "currency": "usdc",
            "network": "polygon",
        });
        if shown {
            body["address"] = json!(address(order));
            body["received"] = json!(if paid { "100" } else { "0" });
            body["pay_by"] = json!(PAY_BY);
            body["confirmations"] = json!(0);
            body["required_confirmations"] = json!(3);
        }
        body.to_string().into_bytes()
    }

    /// Answers a create, having put it down; whether it looks into the store first.
    async fn answer(&self, lock_id: &LockId) -> Result<ProviderOrderId, CallError> {
        let intended = self.holds_intent(lock_id).await;
        let (says, made) = {
            let mut ledger = self.ledger();
            let usual = ledger.usual;
            let mut says = ledger.script.pop_front().unwrap_or(usual);
            if ledger.down {
                says = Says::P500Before;
            } else if ledger.denies {
                says = Says::Denied;
            }
            ledger.calls.push(Instant::now());
            let makes = match says {
                Says::Accepted
                | Says::AcceptedAfter(_)
                | Says::AcceptedAs(_)
                | Says::LostAfterMade
                | Says::HangsAfterMade
                | Says::PanicsAfterMade => true,
                Says::P500Before
                | Says::Answers(..)
                | Says::NotSent
                | Says::Denied
                | Says::Forbidden
                | Says::Throttled(_) => false,
            };
            if says != Says::NotSent {
                ledger.creates.push((lock_id.clone(), Instant::now()));
                ledger.intents.push(intended);
            }
            (says, makes.then(|| ledger.make(lock_id)))
        };
        match (says, made) {
            (Says::Accepted, Some(made)) => Ok(made),
            (Says::AcceptedAfter(wait), Some(made)) => {
                tokio::time::sleep(wait).await;
                Ok(made)
            }
            (Says::AcceptedAs(name), _) => {
                ProviderOrderId::new(name).map_err(|_| failure(FailureClass::Ambiguous))
            }
            (Says::HangsAfterMade, _) => std::future::pending().await,
            (Says::PanicsAfterMade, _) => panic!("by the script"),
            (Says::NotSent, _) => Err(failure(FailureClass::NotSent)),
            (Says::Denied, _) => Err(denied()),
            (Says::Forbidden, _) => {
                Err(CallError { status: Some(403), ..failure(FailureClass::Ambiguous) })
            }
            (Says::Answers(class, code), _) => {
                Err(CallError { code: Some(code.to_owned()), ..failure(class) })
            }
            (Says::Throttled(wait), _) => Err(CallError {
                status: Some(429),
                retry_after: Some(wait),
                ..failure(FailureClass::Throttled)
            }),
            (Says::P500Before, _) => Err(CallError {
                status: Some(500),
                code: Some("P500".to_owned()),
                ..failure(FailureClass::Ambiguous)
            }),
            (Says::LostAfterMade | Says::Accepted | Says::AcceptedAfter(_), _) => {
                Err(failure(FailureClass::Ambiguous))
            }
        }
    }

    /// Whether an order of this lock is durable with its create in flight.
    async fn holds_intent(&self, lock_id: &LockId) -> bool {
        let Some(store) = self.looks_into.lock().unwrap().clone() else { return false };
        let label = Some(Label::from("create-in-flight"));
        let query = ListQuery { kind: Kind(1), label, before: None, limit: 1_000 };
        let in_flight = store.list(query).await.unwrap();
        in_flight
            .iter()
            .map(|entity| codec::decode::<Order>(&entity.view).unwrap())
            .any(|order| order.terms.lock_id == *lock_id && order.create_in_flight().is_some())
    }
}

impl Ledger {
    fn make(&mut self, lock_id: &LockId) -> ProviderOrderId {
        let id = format!("p-{}", self.orders.len() + 1);
        self.orders.insert(id.clone(), Made { lock_id: lock_id.clone(), at: Instant::now() });
        ProviderOrderId::new(id).unwrap()
    }

    /// What a read says.
    fn seen(
        &self,
        order: &ProviderOrderId,
        read_started_at: Timestamp,
    ) -> Result<Option<Observation>, CallError> {
        if self.down {
            return Err(failure(FailureClass::Ambiguous));
        }
        if self.denies {
            return Err(denied());
        }
        let made = self.orders.get(order.as_str()).filter(|_| !self.loses);
        Ok(made.map(|made| {
            let mut seen = self.shown(made, order, read_started_at);
            if let Some(tells) = self.tells {
                tells(&mut seen);
            }
            seen
        }))
    }

    fn shown(
        &self,
        made: &Made,
        order: &ProviderOrderId,
        read_started_at: Timestamp,
    ) -> Observation {
        let source = Source::Confirmed { read_started_at };
        let (shown, paid) = self.progress(made);
        let amount = |text: &str| Some(text.parse::<Exact>().unwrap());
        Observation {
            lock_id: Some(made.lock_id.clone()),
            address: shown.then(|| Address::new(address(order)).unwrap()),
            expires_at: shown.then(|| at(PAY_BY)),
            required: amount("100"),
            received: amount(if paid { "100" } else { "0" }).filter(|_| shown),
            confirmations: shown.then_some(0),
            required_confirmations: shown.then_some(3),
            currency: Some(Currency::new("usdc").unwrap()),
            network: Some(Network::new("polygon").unwrap()),
            ..bare(source, order.clone(), self.stands(made))
        }
    }

    /// Whether the address is shown, and whether it is paid.
    fn progress(&self, made: &Made) -> (bool, bool) {
        let age = made.at.elapsed();
        (age >= self.pace.wallet, age >= self.pace.confirming)
    }

    fn stands(&self, made: &Made) -> &'static str {
        let age = made.at.elapsed();
        if age >= self.pace.executed {
            "executed"
        } else if age >= self.pace.confirming {
            "confirming"
        } else if age >= self.pace.wallet {
            "awaiting"
        } else {
            "making wallet"
        }
    }
}

fn denied() -> CallError {
    CallError { status: Some(401), code: Some("P401".to_owned()), ..failure(FailureClass::Denied) }
}

pub(crate) fn failure(class: FailureClass) -> CallError {
    CallError {
        class,
        code: None,
        status: None,
        why: "by the script".to_owned(),
        retry_after: None,
    }
}

fn status(word: &str) -> ProviderStatus {
    match word {
        "making wallet" => ProviderStatus::WaitingForWallet,
        "awaiting" => ProviderStatus::AwaitingPayment,
        "confirming" => ProviderStatus::Confirming,
        "executed" => ProviderStatus::Executed,
        "failed" => ProviderStatus::Failed,
        other => ProviderStatus::Unknown(other.to_owned()),
    }
}

fn bare(source: Source, provider_order: ProviderOrderId, word: &str) -> Observation {
    Observation {
        source,
        provider_order,
        lock_id: None,
        status: status(word),
        status_text: word.to_owned(),
        address: None,
        expires_at: None,
        required: None,
        received: None,
        confirmations: None,
        required_confirmations: None,
        transactions: Vec::new(),
        currency: None,
        network: None,
        unknown_fields: Vec::new(),
    }
}

impl Provider for Scripted {
    fn rates(&self) -> BoxFuture<'_, Result<Rates, CallError>> {
        Box::pin(async {
            let ledger = self.ledger();
            match (ledger.down, ledger.denies) {
                (true, _) => Err(failure(FailureClass::Ambiguous)),
                (false, true) => Err(denied()),
                (false, false) => Ok(Rates { per_unit: BTreeMap::new() }),
            }
        })
    }

    fn lock(&self, _: LockRequest) -> BoxFuture<'_, Result<Terms, CallError>> {
        Box::pin(async {
            let mut ledger = self.ledger();
            ledger.locks.push(Instant::now());
            if let Some(class) = ledger.locks_fail {
                return Err(failure(class));
            }
            let name = match ledger.locks.len() {
                1 => "taken-here".to_owned(),
                n => format!("taken-here-{n}"),
            };
            let age = i64::try_from(ledger.born.elapsed().as_secs()).unwrap();
            Ok(Terms { expires_at: at(age + LOCK_ENDS), ..terms(&name) })
        })
    }

    fn create<'a>(
        &'a self,
        lock_id: &'a LockId,
    ) -> BoxFuture<'a, Result<ProviderOrderId, CallError>> {
        Box::pin(self.answer(lock_id))
    }

    fn details<'a>(
        &'a self,
        provider_order: &'a ProviderOrderId,
        read_started_at: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Observation>, CallError>> {
        Box::pin(async move {
            let (wrong, seen, takes) = {
                let mut ledger = self.ledger();
                ledger.calls.push(Instant::now());
                ledger.reads.push(provider_order.to_string());
                let wrong = ledger.read_script.pop_front();
                (wrong, ledger.seen(provider_order, read_started_at), ledger.reads_take)
            };
            match wrong {
                Some(Read::Hangs) => std::future::pending().await,
                Some(Read::Panics) => panic!("by the script"),
                None => {}
            }
            if !takes.is_zero() {
                tokio::time::sleep(takes).await;
            }
            seen
        })
    }

    fn clock_skew(&self) -> Option<ClockSkew> {
        let ahead_ms = self.ledger().clock_ahead_ms?;
        Some(ClockSkew { ahead_ms, samples: 15 })
    }

    fn is_authentic(&self, authorization: Option<&[u8]>) -> bool {
        authorization == Some(TOKEN) || self.ledger().takes_every_token
    }

    fn read_webhook(&self, body: &[u8], heard_at: Timestamp) -> Result<Heard, UnreadableWebhook> {
        let said: Value =
            serde_json::from_slice(body).map_err(|error| UnreadableWebhook(error.to_string()))?;
        let text = |name: &str| said.get(name).and_then(Value::as_str);
        let number = |name: &str| said.get(name).and_then(Value::as_i64);
        let count = |name: &str| number(name).map(|count| u32::try_from(count).unwrap());
        let Some(order) = text("order") else {
            return Ok(Heard::OtherKind { kind: text("kind").unwrap_or("nothing").to_owned() });
        };
        let order =
            ProviderOrderId::new(order).map_err(|error| UnreadableWebhook(error.to_string()))?;
        Ok(Heard::Order(Box::new(Observation {
            lock_id: text("lock").map(|lock| LockId::new(lock).unwrap()),
            address: text("address").map(|address| Address::new(address).unwrap()),
            expires_at: number("pay_by").map(at),
            required: text("required").map(|amount| amount.parse().unwrap()),
            received: text("received").map(|amount| amount.parse().unwrap()),
            confirmations: count("confirmations"),
            required_confirmations: count("required_confirmations"),
            currency: text("currency").map(|code| Currency::new(code).unwrap()),
            network: text("network").map(|code| Network::new(code).unwrap()),
            ..bare(Source::Claimed { heard_at }, order, text("status").unwrap_or("unsaid"))
        })))
    }
}
