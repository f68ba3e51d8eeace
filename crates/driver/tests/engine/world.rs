//! One engine, its provider and its store, with sample orders, times, and waiting for conditions.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use orderkeep_core::{
    AccountId, Currency, Event, Exact, IdempotencyKey, LockId, Metadata, Network, Order, OrderId,
    Policy, ProviderOrderId, StateName, Terms, Timestamp,
};
use orderkeep_driver::{
    Clock, Engine, EngineConfig, StartError, SubmitRequest, TermsSource, TokioClock, WebhookError,
    WebhookReceipt,
};
use orderkeep_provider::Provider;
use orderkeep_store::{MemoryStore, Store};
use uuid::Uuid;

use crate::{
    provider::{Says, Scripted, TOKEN},
    store::{Between, Full},
};

/// 2026-03-01T12:00:00Z, in seconds.
const START: i64 = 1_772_366_400;
/// When the sample locks end.
pub(crate) const LOCK_ENDS: i64 = 300;
/// How long after its lock the provider's order can live, in the sample policy.
pub(crate) const WINDOW: Duration = Duration::from_secs(7_200);

/// So many seconds into the sample.
pub(crate) const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis((START + seconds) * 1_000)
}

pub(crate) fn lock(name: &str) -> LockId {
    LockId::new(name).unwrap()
}

/// Where the provider wants an order paid.
pub(crate) fn address(order: &ProviderOrderId) -> String {
    format!("0x-of-{order}")
}

pub(crate) fn exact(text: &str) -> Exact {
    text.parse().unwrap()
}

pub(crate) fn terms(lock_name: &str) -> Terms {
    Terms {
        lock_id: lock(lock_name),
        pay_amount: exact("100"),
        pay_currency: Currency::new("usdc").unwrap(),
        network: Network::new("polygon").unwrap(),
        rate: exact("0.84"),
        settle_currency: Some(Currency::new("eur").unwrap()),
        settle_amount: Some(exact("84")),
        expires_at: at(LOCK_ENDS),
    }
}

pub(crate) fn request(key: &str, terms: Terms) -> SubmitRequest {
    SubmitRequest {
        account: AccountId::main(),
        key: IdempotencyKey::new(key).unwrap(),
        terms: TermsSource::Given(Box::new(terms)),
        reference: Some("invoice 7".to_owned()),
        relock: None,
        metadata: Metadata::default(),
    }
}

/// How long a webhook for an order that is not ours is kept in the sample configuration.
pub(crate) const PARKED_FOR: Duration = Duration::from_secs(4 * 3_600);

/// The defaults, with a window, so that an unknown create has an end, and a shorter wait for what is not ours.
pub(crate) fn config() -> EngineConfig {
    EngineConfig {
        policy: Policy { provider_order_window: Some(WINDOW), ..Policy::default() },
        parked_for: PARKED_FOR,
        ..EngineConfig::default()
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) provider: Arc<Scripted>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) between: Arc<Between>,
    clock: Arc<dyn Clock>,
    accounts: Vec<(AccountId, Arc<dyn Provider>)>,
    config: EngineConfig,
}

impl World {
    pub(crate) async fn new(script: impl IntoIterator<Item = Says>) -> Self {
        Self::with(Scripted::new(script), |_| {}).await
    }

    pub(crate) async fn with(provider: Arc<Scripted>, set: impl FnOnce(&mut Between)) -> Self {
        Self::behind(Arc::clone(&provider) as Arc<dyn Provider>, provider, set).await
    }

    /// With other settings than the sample's.
    pub(crate) async fn configured(
        provider: Arc<Scripted>,
        config: EngineConfig,
        others: impl IntoIterator<Item = (AccountId, Arc<dyn Provider>)>,
    ) -> Self {
        let mut accounts: Vec<_> = others.into_iter().collect();
        accounts.push((AccountId::main(), Arc::clone(&provider) as Arc<dyn Provider>));
        Self::built(accounts, config, provider, |_| {}).await
    }

    /// With another clock.
    pub(crate) async fn clocked(provider: Arc<Scripted>, clock: Arc<dyn Clock>) -> Self {
        let mut world = Self::new([]).await;
        world.engine.shutdown().await.unwrap();
        let front = Arc::clone(&provider) as Arc<dyn Provider>;
        world.accounts = vec![(AccountId::main(), front)];
        (world.provider, world.clock) = (provider, clock);
        world.restart().await;
        world
    }

    /// The engine calls `front`; the ledger is `provider`'s.
    pub(crate) async fn behind(
        front: Arc<dyn Provider>,
        provider: Arc<Scripted>,
        set: impl FnOnce(&mut Between),
    ) -> Self {
        Self::built(vec![(AccountId::main(), front)], config(), provider, set).await
    }

    /// With everything said.
    pub(crate) async fn built(
        accounts: Vec<(AccountId, Arc<dyn Provider>)>,
        config: EngineConfig,
        provider: Arc<Scripted>,
        set: impl FnOnce(&mut Between),
    ) -> Self {
        let store = Arc::new(MemoryStore::new());
        provider.look_into(Arc::clone(&store) as Arc<dyn Store>);
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::starting_at(at(0)));
        let mut between = Between::new(Arc::clone(&store));
        set(&mut between);
        let between = Arc::new(between);
        let engine = start(&accounts, &between, &clock, &config).await;
        Self { engine, provider, store, between, clock, accounts, config }
    }

    /// The power goes and comes back: nothing that the old engine still does reaches the store.
    pub(crate) async fn crash(&mut self) {
        self.between.kill();
        // The old tasks end by themselves; only what was on its way is waited for, and it is cut off.
        let old = self.engine.clone();
        tokio::spawn(async move { old.shutdown().await });
        self.restart().await;
    }

    /// The store as a backup taken now would bring it back.
    pub(crate) fn backup(&self) -> MemoryStore {
        self.store.restored_copy(Uuid::from_u128(0xc0b1)).unwrap()
    }

    /// The machine is lost, and a copy of its store takes its place.
    pub(crate) async fn restore(&mut self, copy: MemoryStore) {
        self.between.kill();
        let old = self.engine.clone();
        tokio::spawn(async move { old.shutdown().await });
        self.store = Arc::new(copy);
        self.provider.look_into(Arc::clone(&self.store) as Arc<dyn Store>);
        self.restart().await;
    }

    /// The same, and the power goes with this commit of its first start, counted from 1; then it comes back.
    pub(crate) async fn restore_dying(&mut self, copy: MemoryStore, dies_at: i64) {
        self.between.kill();
        let old = self.engine.clone();
        tokio::spawn(async move { old.shutdown().await });
        self.store = Arc::new(copy);
        let mut dying = Between::new(Arc::clone(&self.store));
        dying.dies_at = dies_at;
        let dying = Arc::new(dying);
        let started = try_start(&self.accounts, &dying, &self.clock, &self.config).await;
        dying.kill();
        drop(started);
        self.restart().await;
    }

    /// The same, onto a volume without room for so long.
    pub(crate) async fn restore_full(&mut self, copy: MemoryStore, lasts: Duration) {
        self.between.kill();
        let old = self.engine.clone();
        tokio::spawn(async move { old.shutdown().await });
        self.store = Arc::new(copy);
        let full = Arc::new(Between::new(Arc::clone(&self.store)));
        full.set_full(Full::Everything);
        let room = async {
            tokio::time::sleep(lasts).await;
            full.set_full(Full::Nothing);
        };
        let started = try_start(&self.accounts, &full, &self.clock, &self.config);
        let (started, ()) = tokio::join!(started, room);
        self.engine = started.unwrap();
        self.between = Arc::clone(&full);
    }

    /// The same, with another policy.
    pub(crate) async fn restart_with(&mut self, policy: Policy) {
        self.engine.shutdown().await.unwrap();
        self.config.policy = policy;
        self.restart().await;
    }

    /// Another engine over what the last one left.
    pub(crate) async fn restart(&mut self) {
        self.between = Arc::new(Between::new(Arc::clone(&self.store)));
        self.engine = start(&self.accounts, &self.between, &self.clock, &self.config).await;
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sleeps until so many seconds into the sample.
    pub(crate) async fn until(&self, seconds: i64) {
        tokio::time::sleep(at(seconds).since(self.now())).await;
    }

    /// Submits an order of this lock, under a key of the same name.
    pub(crate) async fn submit(&self, lock_name: &str) -> OrderId {
        self.engine.submit(request(lock_name, terms(lock_name))).await.unwrap().order.id
    }

    pub(crate) async fn order(&self, id: OrderId) -> Order {
        self.engine.order(id).await.unwrap().unwrap()
    }

    /// Waits for a condition of an order, at most for a virtual time.
    pub(crate) async fn wait(
        &self,
        id: OrderId,
        what: &str,
        within: Duration,
        holds: impl Fn(&Order) -> bool,
    ) -> Order {
        let deadline = self.now().plus(within);
        loop {
            let order = self.order(id).await;
            if holds(&order) {
                return order;
            }
            assert!(self.now() < deadline, "not {what} within {within:?}: {order:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn wait_for(&self, id: OrderId, state: StateName, within: Duration) -> Order {
        self.wait(id, state.as_str(), within, |order| order.state_name() == state).await
    }

    pub(crate) async fn hear(
        &self,
        body: impl Into<Bytes>,
    ) -> Result<WebhookReceipt, WebhookError> {
        self.engine.webhook(&AccountId::main(), Some(TOKEN), body.into()).await
    }

    /// Waits until the inbox is empty.
    pub(crate) async fn worked_off(&self) {
        let deadline = self.now().plus(Duration::from_secs(60));
        while self.store.inbox_len() > 0 {
            assert!(self.now() < deadline, "{} webhooks still wait", self.store.inbox_len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The names of the events of an order.
    pub(crate) async fn events(&self, id: OrderId) -> Vec<&'static str> {
        self.history(id).await.iter().map(Event::name).collect()
    }

    pub(crate) async fn history(&self, id: OrderId) -> Vec<Event> {
        let history = self.engine.history(id, 0, 1_000).await.unwrap();
        history.into_iter().map(|(_, record)| record.event).collect()
    }
}

async fn start(
    accounts: &[(AccountId, Arc<dyn Provider>)],
    store: &Arc<Between>,
    clock: &Arc<dyn Clock>,
    config: &EngineConfig,
) -> Engine {
    try_start(accounts, store, clock, config).await.unwrap()
}

async fn try_start(
    accounts: &[(AccountId, Arc<dyn Provider>)],
    store: &Arc<Between>,
    clock: &Arc<dyn Clock>,
    config: &EngineConfig,
) -> Result<Engine, StartError> {
    let mut builder = Engine::builder()
        .store(Arc::clone(store) as Arc<dyn Store>)
        .clock(Arc::clone(clock))
        .config(config.clone());
    for (id, provider) in accounts {
        builder = builder.account(id.clone(), Arc::clone(provider));
    }
    builder.start().await
}
