//! Putting an engine together, and starting it.

use std::{collections::BTreeMap, sync::Arc};

use orderkeep_core::AccountId;
use orderkeep_provider::Provider;
use orderkeep_store::Store;
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{Engine, Inner};
use crate::{
    Clock, EngineConfig, EngineError, Entropy, StartError, SystemClock, SystemEntropy,
    calls::Account,
    gate::Gate,
    inbox::InboxWorker,
    records, restore,
    shard::{MAILBOX, Parts, Shard},
    stats::Counters,
};

/// Builds an engine.
#[derive(Debug)]
pub struct Builder {
    store: Option<Arc<dyn Store>>,
    providers: BTreeMap<AccountId, Arc<dyn Provider>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    config: EngineConfig,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            store: None,
            providers: BTreeMap::new(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            config: EngineConfig::default(),
        }
    }

    /// Where everything is kept. Needed.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// The account with this name calls this provider.
    #[must_use]
    pub fn account(mut self, id: AccountId, provider: Arc<dyn Provider>) -> Self {
        self.providers.insert(id, provider);
        self
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Another source of chance than the system's.
    #[must_use]
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Other settings than the defaults.
    #[must_use]
    pub fn config(mut self, config: EngineConfig) -> Self {
        self.config = config;
        self
    }

    /// Starts on the runtime that it is called on. Orders that are open go on at once. If the store is an older copy,
    /// every open order is told first, durably, which takes as long as it takes.
    ///
    /// # Errors
    /// A setting that cannot work, or a store that cannot be read.
    pub async fn start(self) -> Result<Engine, StartError> {
        let store = self.store.ok_or(StartError::NoStore)?;
        if self.providers.is_empty() {
            return Err(StartError::NoAccount);
        }
        self.config.check()?;
        // A store that cannot be read is better found now than with the first order.
        store.counts(records::ORDER).await.map_err(EngineError::from)?;
        let life =
            restore::begin(&store, self.clock.as_ref(), self.entropy.as_ref(), &self.config.policy);
        let life = Arc::new(life.await?);
        let gates = CancellationToken::new();
        let mut tasks = Vec::new();
        let mut accounts = BTreeMap::new();
        let count = self.providers.len();
        for (id, provider) in self.providers {
            let gate = Gate::new(self.config.budget.clone());
            let policy = self.config.policy.clone();
            accounts.insert(id.clone(), Arc::new(Account::new(id, provider, gate, policy, count)));
        }
        let parts = Parts {
            store,
            accounts: Arc::new(accounts),
            clock: self.clock,
            entropy: self.entropy,
            config: Arc::new(self.config),
            counters: Arc::new(Counters::default()),
            waiting: Arc::default(),
            heard: Arc::default(),
            life,
            stop: CancellationToken::new(),
            halted: Arc::new(watch::Sender::new(None)),
        };
        for account in parts.accounts.values() {
            let run = Arc::clone(&account.gate).run(gates.clone());
            tasks.push(watched(&parts, "budget", run));
        }
        let (shard, mailbox) = mpsc::channel(MAILBOX);
        let arrived = Arc::new(Notify::new());
        tasks.push(watched(&parts, "shard", Shard::new(parts.clone(), mailbox).run()));
        let inbox = InboxWorker::new(parts.clone(), shard.clone(), Arc::clone(&arrived));
        tasks.push(watched(&parts, "inbox", inbox.run()));
        let tasks = tokio::sync::Mutex::new(tasks);
        Ok(Engine { inner: Arc::new(Inner { parts, shard, arrived, gates, tasks }) })
    }
}

/// A task that nobody notices the death of would leave orders stuck in silence: its panic halts the engine.
pub(super) fn watched(
    parts: &Parts,
    what: &'static str,
    task: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    let task = tokio::spawn(task);
    let parts = parts.clone();
    tokio::spawn(async move {
        if let Err(error) = task.await {
            parts.halt(&format!("the {what} task ended: {error}"));
        }
    })
}
