//! The handle: makes endpoints, manages them, and runs one worker for each.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use orderkeep_core::{OrderId, Timestamp};
use orderkeep_driver::{Clock, EngineError, Entropy, SystemClock, SystemEntropy};
use orderkeep_store::{EntityId, Store};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Delivery, Draft, Endpoint, EndpointId, OutboxError, Render, Secret, Source, Start, Transport,
    Update,
    endpoint::{address, check},
    log::{DELIVERIES_KEPT, DELIVERIES_KEPT_MAX, Log},
    message::Message,
    records::{self, Stored},
    worker::{Ask, Asked, Parts, Target, Twin, Worker, send},
};

/// Endpoints at most: each reads the feed for itself.
pub(crate) const ENDPOINTS_MAX: usize = 64;
/// What the address of the provider's other webhooks is called in the configuration.
const FORWARD: &str = "webhooks.forward_url";
/// Requests that wait for one worker.
const MAILBOX: usize = 16;
/// The endpoint that the provider's other webhooks are passed on to: there is one, and its address is configured.
const OTHER_WEBHOOKS: EndpointId =
    EndpointId(Uuid::from_u128(0x0000_6f74_6865_7200_8000_0000_0000_0001));

/// What an outbox is made of.
#[derive(Debug, Clone)]
pub struct OutboxConfig {
    /// How requests are sent.
    pub transport: Arc<dyn Transport>,
    /// How events are written.
    pub render: Render,
    /// Where the provider's webhooks that are not about orders are passed on to, if anywhere.
    pub forward_url: Option<String>,
    /// Attempts in the delivery log of each endpoint, [`DELIVERIES_KEPT_MAX`] at most; older ones go.
    pub deliveries_kept: usize,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    #[doc(hidden)]
    pub twin: Option<Twin>,
}

impl OutboxConfig {
    /// The system's clock and chance, nothing passed on.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, render: Render) -> Self {
        Self {
            transport,
            render,
            forward_url: None,
            deliveries_kept: DELIVERIES_KEPT,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            twin: None,
        }
    }
}

/// What to deliver again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// Everything that happened at or after this time and is kept.
    Since(Timestamp),
    /// One event, by its id.
    Event(String),
}

struct Running {
    shown: watch::Receiver<Endpoint>,
    mailbox: mpsc::Sender<Asked>,
    log: Arc<Log>,
    task: JoinHandle<()>,
}

struct Inner {
    parts: Arc<Parts>,
    deliveries_kept: usize,
    running: Mutex<BTreeMap<EndpointId, Running>>,
    /// One is made at a time.
    making: tokio::sync::Mutex<()>,
}

/// Delivers events to endpoints. Cheap to clone; all clones are one outbox. It ends with [`Outbox::shutdown`], or when
/// the last clone is dropped.
#[derive(Clone)]
pub struct Outbox(Arc<Inner>);

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.parts.stop.cancel();
    }
}

impl Outbox {
    /// Starts on the runtime that it is called on, over the store of a running engine: every endpoint goes on from its
    /// position.
    ///
    /// # Errors
    /// The store cannot be read, or the forward address cannot be one.
    pub async fn start(store: Arc<dyn Store>, config: OutboxConfig) -> Result<Self, OutboxError> {
        let parts = Arc::new(Parts {
            store,
            clock: config.clock,
            entropy: config.entropy,
            transport: config.transport,
            render: config.render,
            twin: config.twin,
            stop: CancellationToken::new(),
            ends: CancellationToken::new(),
        });
        let endpoints = records::all(parts.store.as_ref()).await?;
        let inner = Inner {
            parts,
            deliveries_kept: config.deliveries_kept.clamp(1, DELIVERIES_KEPT_MAX),
            running: Mutex::new(BTreeMap::new()),
            making: tokio::sync::Mutex::new(()),
        };
        let outbox = Self(Arc::new(inner));
        let mut forwards = false;
        for Stored { mut endpoint, log, version } in endpoints {
            if endpoint.source == Source::OtherWebhooks {
                forwards = true;
                // Without an address it waits: what is kept for it is not lost.
                match &config.forward_url {
                    Some(url) => endpoint.url = address(FORWARD, url)?.to_string(),
                    None => continue,
                }
            }
            outbox.run(endpoint, version, log);
        }
        if let Some(url) = config.forward_url.filter(|_| !forwards) {
            let endpoint = Endpoint {
                source: Source::OtherWebhooks,
                ..outbox.endpoint(OTHER_WEBHOOKS, address(FORWARD, &url)?.to_string())
            };
            outbox.make(endpoint).await?;
        }
        Ok(outbox)
    }

    /// All endpoints as they are durable, those that are not running as well.
    pub(crate) async fn stored(&self) -> Result<Vec<Endpoint>, OutboxError> {
        let stored = records::all(self.0.parts.store.as_ref()).await?;
        Ok(stored.into_iter().map(|stored| stored.endpoint).collect())
    }

    fn endpoint(&self, id: EndpointId, url: String) -> Endpoint {
        Endpoint {
            id,
            source: Source::Orders,
            url,
            description: String::new(),
            types: Vec::new(),
            off: None,
            created_at: self.0.parts.clock.now(),
            secrets: vec![(Secret::generate(), None)],
            position: None,
            position_at: None,
            skip_before: None,
            held: Vec::new(),
            delivered_at: None,
            given_up: 0,
            deleted: false,
        }
    }

    async fn make(&self, endpoint: Endpoint) -> Result<(), OutboxError> {
        let log = Log::new(0, Vec::new());
        let version = records::save(self.0.parts.store.as_ref(), &endpoint, 0, &log).await?;
        self.run(endpoint, version, Vec::new());
        Ok(())
    }

    fn run(&self, endpoint: Endpoint, version: u64, log: Vec<Delivery>) {
        let id = endpoint.id;
        let (mailbox, receiver) = mpsc::channel(MAILBOX);
        let log = Arc::new(Log::new(self.0.deliveries_kept, log));
        let parts = Arc::clone(&self.0.parts);
        let (worker, shown) = Worker::new(parts, endpoint, version, receiver, Arc::clone(&log));
        let task = tokio::spawn(worker.run());
        self.lock().insert(id, Running { shown, mailbox, log, task });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<EndpointId, Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes an endpoint; its secret is in it, to be shown once.
    ///
    /// # Errors
    /// What it cannot be, or the store cannot keep it.
    pub async fn create(&self, draft: Draft) -> Result<Endpoint, OutboxError> {
        let url = self.allowed(&draft.url)?;
        check(&draft.description, &draft.types)?;
        let _one = self.0.making.lock().await;
        if self.lock().len() >= ENDPOINTS_MAX {
            return Err(OutboxError::TooMany(ENDPOINTS_MAX));
        }
        let Parts { store, clock, entropy, .. } = self.0.parts.as_ref();
        let position = match draft.start {
            Start::Latest => Some(store.head()),
            Start::Oldest => None,
            Start::After(cursor) => {
                // A cursor that is gone is found here.
                store.feed(Some(cursor), 1).await?;
                Some(cursor)
            }
        };
        let now = clock.now();
        let endpoint = Endpoint {
            description: draft.description,
            types: draft.types,
            secrets: vec![(draft.secret.unwrap_or_else(Secret::generate), None)],
            position: position.map(|cursor| cursor.to_string()),
            position_at: position.map(|_| now),
            ..self.endpoint(EndpointId(entropy.id(now)), url)
        };
        self.make(endpoint.clone()).await?;
        Ok(endpoint)
    }

    fn allowed(&self, url: &str) -> Result<String, OutboxError> {
        let url = address("url", url)?;
        self.0.parts.transport.allows(&url).map_err(|why| OutboxError::invalid("url", why))?;
        Ok(url.to_string())
    }

    /// All endpoints, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Endpoint> {
        self.lock().values().map(|running| running.shown.borrow().clone()).collect()
    }

    /// One endpoint, as it is durable.
    ///
    /// # Errors
    /// There is none.
    pub fn show(&self, id: EndpointId) -> Result<Endpoint, OutboxError> {
        let running = self.lock();
        let endpoint = running.get(&id).map(|running| running.shown.borrow().clone());
        endpoint.ok_or(OutboxError::NoEndpoint(id))
    }

    /// The last attempts, as many as are kept, the newest first; of earlier processes as well.
    ///
    /// # Errors
    /// There is no such endpoint.
    pub fn deliveries(&self, id: EndpointId, limit: usize) -> Result<Vec<Delivery>, OutboxError> {
        let running = self.lock();
        let found = running.get(&id).ok_or(OutboxError::NoEndpoint(id))?;
        Ok(found.log.newest(limit))
    }

    async fn ask(&self, id: EndpointId, ask: Ask) -> Result<Endpoint, OutboxError> {
        if id == OTHER_WEBHOOKS && matches!(ask, Ask::Delete | Ask::Update(_)) {
            return Err(OutboxError::Configured);
        }
        let mailbox = self.lock().get(&id).map(|running| running.mailbox.clone());
        let mailbox = mailbox.ok_or(OutboxError::NoEndpoint(id))?;
        let (reply, answer) = oneshot::channel();
        let gone = || OutboxError::from(EngineError::ShuttingDown);
        mailbox.send(Asked { ask, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Changes an endpoint.
    ///
    /// # Errors
    /// What it cannot be, or see [`OutboxError`].
    pub async fn update(
        &self,
        id: EndpointId,
        mut update: Update,
    ) -> Result<Endpoint, OutboxError> {
        if let Some(url) = &mut update.url {
            *url = self.allowed(url)?;
        }
        check(
            update.description.as_deref().unwrap_or_default(),
            update.types.as_deref().unwrap_or_default(),
        )?;
        self.ask(id, Ask::Update(update)).await
    }

    /// Switches an endpoint on; what it missed, it gets now.
    ///
    /// # Errors
    /// See [`OutboxError`].
    pub async fn enable(&self, id: EndpointId) -> Result<Endpoint, OutboxError> {
        self.ask(id, Ask::Enable).await
    }

    /// Switches an endpoint off; its position stays.
    ///
    /// # Errors
    /// See [`OutboxError`].
    pub async fn disable(&self, id: EndpointId) -> Result<Endpoint, OutboxError> {
        self.ask(id, Ask::Disable).await
    }

    /// Ends an endpoint for good.
    ///
    /// # Errors
    /// See [`OutboxError`].
    pub async fn delete(&self, id: EndpointId) -> Result<(), OutboxError> {
        self.ask(id, Ask::Delete).await?;
        self.lock().remove(&id);
        Ok(())
    }

    /// Signs with a new secret from now on, and with the one before as well for the overlap; the new one is the first of
    /// [`Endpoint::secrets`].
    ///
    /// # Errors
    /// See [`OutboxError`].
    pub async fn rotate(
        &self,
        id: EndpointId,
        secret: Option<Secret>,
        overlap: Duration,
    ) -> Result<Endpoint, OutboxError> {
        if overlap > Endpoint::OVERLAP_MAX {
            return Err(OutboxError::invalid("overlapSeconds", "it is longer than seven days"));
        }
        let secret = secret.unwrap_or_else(Secret::generate);
        self.ask(id, Ask::Rotate { secret, overlap }).await
    }

    /// Delivers again, with the same ids.
    ///
    /// # Errors
    /// There is no such event, or see [`OutboxError`].
    pub async fn replay(&self, id: EndpointId, replay: Replay) -> Result<Endpoint, OutboxError> {
        let ask = match replay {
            Replay::Since(since) => Ask::ReplaySince(since),
            Replay::Event(event) => {
                let none = || OutboxError::NoEvent(event.clone());
                let source = self.show(id)?.source;
                let (subject, version) = match event.split_once('/') {
                    Some((order, version)) => (order, version.parse().map_err(|_| none())?),
                    None => (event.as_str(), 1),
                };
                let order: OrderId = OrderId(Uuid::parse_str(subject).map_err(|_| none())?);
                let entity = self.0.parts.store.load(EntityId(order.0)).await?.ok_or_else(none)?;
                if entity.kind != source.kind() || version == 0 || version > entity.version {
                    return Err(none());
                }
                Ask::ReplayEvent { subject: order.0, version }
            }
        };
        self.ask(id, ask).await
    }

    /// Sends an event of type `orderkeep.test` now, once, and says how it went.
    ///
    /// # Errors
    /// There is no such endpoint; a receiver that does not take it is no error.
    pub async fn test(&self, id: EndpointId) -> Result<Delivery, OutboxError> {
        let parts = &self.0.parts;
        let now = parts.clock.now();
        let target = Target::of(&self.show(id)?, now)?;
        let log = Log::new(1, Vec::new());
        let event = parts.entropy.id(now).to_string();
        let body = format!(
            r#"{{"specversion":"1.0","id":"{event}","source":"/v1/webhook-endpoints","type":"orderkeep.test","subject":"{id}","time":"{now}","datacontenttype":"application/json","data":{{}}}}"#
        );
        let message = Message {
            id: event,
            version: 0,
            kind: "orderkeep.test".to_owned(),
            at: now,
            content_type: "application/json".to_owned(),
            extra: Vec::new(),
            body: body.into(),
        };
        drop(send(parts, &target, &log, &message, 1).await);
        let delivery = log.newest(1).pop();
        let delivery = delivery.ok_or(OutboxError::from(EngineError::ShuttingDown))?;
        if let Some(running) = self.lock().get(&id) {
            running.log.push(delivery.clone());
        }
        Ok(delivery)
    }

    /// Ends all deliveries and notes what was answered. What was on its way is delivered again after the next start.
    /// Before the engine's end.
    pub async fn shutdown(&self) {
        self.0.parts.ends.cancel();
        let running = std::mem::take(&mut *self.lock());
        for (_, running) in running {
            drop(running.task.await);
        }
    }
}
