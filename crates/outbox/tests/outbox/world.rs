//! A store with events of orders, an outbox over it, and receivers.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use orderkeep_core::{Author, Cause, Event, EventRecord, Timestamp};
use orderkeep_driver::{Clock, SeededEntropy, TokioClock, codec, records::ORDER};
use orderkeep_outbox::{
    Answer, Draft, Endpoint, Outbox, OutboxConfig, Render, Request, Start, Transport, Undelivered,
};
use orderkeep_store::{Change, Commit, EntityId, MemoryStore, PartitionId, Store, port::BoxFuture};
use url::Url;
use uuid::Uuid;

const START_MS: i64 = 1_772_366_400_000;
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Nobody sets this clock, so nobody need look at it again.
#[derive(Debug, Clone, Copy)]
struct Steady(TokioClock);

impl Clock for Steady {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn look_again_after(&self) -> Duration {
        DAY
    }
}

/// What a receiver does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    Takes,
    Says(u16),
    SaysLater(u16, Duration),
    /// Takes it, and never answers.
    Hangs,
    Unreachable,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) host: String,
    pub(crate) id: String,
    pub(crate) headers: BTreeMap<&'static str, String>,
    pub(crate) body: Bytes,
    pub(crate) at: Timestamp,
    pub(crate) taken: bool,
}

type Decides = Box<dyn Fn(&str, &str, usize) -> Does + Send + Sync>;

/// All receivers: each is a host name.
pub(crate) struct Receivers {
    clock: TokioClock,
    seen: Mutex<Vec<Seen>>,
    /// By host, event, and how many requests there were before.
    decides: Mutex<Decides>,
}

impl fmt::Debug for Receivers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receivers")
    }
}

impl Receivers {
    pub(crate) fn now_do(
        &self,
        decides: impl Fn(&str, &str, usize) -> Does + Send + Sync + 'static,
    ) {
        *self.decides.lock().unwrap() = Box::new(decides);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The ids of what this host took, in order.
    pub(crate) fn taken(&self, host: &str) -> Vec<String> {
        let seen = self.seen();
        seen.into_iter()
            .filter(|seen| seen.taken && seen.host == host)
            .map(|seen| seen.id)
            .collect()
    }
}

impl Transport for Receivers {
    fn allows(&self, url: &Url) -> Result<(), String> {
        if url.host_str() == Some("inside") { Err("inside".to_owned()) } else { Ok(()) }
    }

    fn post(&self, request: Request) -> BoxFuture<'_, Result<Answer, Undelivered>> {
        Box::pin(async move {
            let host = request.url.host_str().unwrap().to_owned();
            let headers: BTreeMap<_, _> = request.headers.into_iter().collect();
            let id = headers["webhook-id"].clone();
            let does = {
                let mut seen = self.seen.lock().unwrap();
                let does = (self.decides.lock().unwrap())(&host, &id, seen.len());
                let taken = matches!(does, Does::Takes);
                let at = self.clock.now();
                seen.push(Seen { host, id, headers, body: request.body, at, taken });
                does
            };
            let answer = |status, retry_after| Ok(Answer { status, retry_after });
            match does {
                Does::Takes => answer(204, None),
                Does::Says(status) => answer(status, None),
                Does::SaysLater(status, wait) => answer(status, Some(wait)),
                Does::Hangs => std::future::pending().await,
                Does::Unreachable => Err(Undelivered("connection refused".to_owned())),
            }
        })
    }
}

pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) receivers: Arc<Receivers>,
    pub(crate) clock: TokioClock,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = TokioClock::starting_at(Timestamp::from_millis(START_MS));
        let receivers = Receivers {
            clock,
            seen: Mutex::default(),
            decides: Mutex::new(Box::new(|_, _, _| Does::Takes)),
        };
        Self { store: Arc::new(MemoryStore::new()), receivers: Arc::new(receivers), clock }
    }

    pub(crate) fn config(&self) -> OutboxConfig {
        let render = Render::new(|order, version, _| Ok(format!("{order}/{version}").into_bytes()));
        OutboxConfig {
            clock: Arc::new(Steady(self.clock)),
            entropy: Arc::new(SeededEntropy::new(7)),
            ..OutboxConfig::new(self.receivers.clone(), render)
        }
    }

    pub(crate) async fn start(&self) -> Outbox {
        Outbox::start(self.store.clone(), self.config()).await.unwrap()
    }

    pub(crate) async fn endpoint(&self, outbox: &Outbox, host: &str) -> Endpoint {
        let draft =
            Draft { url: format!("https://{host}/hook"), start: Start::Oldest, ..Draft::default() };
        outbox.create(draft).await.unwrap()
    }

    /// The next event of an order.
    pub(crate) async fn event(&self, order: u128, version: u64) {
        let record = EventRecord {
            at: self.clock.now(),
            cause: Cause::Command(Author::new("ann").unwrap()),
            event: if version == 1 {
                Event::RetryAsked
            } else {
                Event::Noted { text: "called".to_owned() }
            },
        };
        let change = Change {
            id: EntityId(Uuid::from_u128(order)),
            kind: ORDER,
            expected: version - 1,
            events: vec![codec::encode(&record).unwrap()],
            view: Some(Bytes::from_static(b"view")),
            labels: Vec::new(),
            wake_up: None,
            claims: Vec::new(),
        };
        let commit =
            Commit { partition: PartitionId::ONLY, change: Some(change), inbox: Vec::new() };
        self.store.commit(commit).await.unwrap();
    }

    /// So many orders with so many events each, all of them in turn.
    pub(crate) async fn events(&self, orders: u128, versions: u64) {
        self.events_from(orders, 1, versions).await;
    }

    /// As [`Self::events`], from this version.
    pub(crate) async fn events_from(&self, orders: u128, first: u64, last: u64) {
        for version in first..=last {
            for order in 1..=orders {
                self.event(order, version).await;
            }
        }
    }

    /// Looks until it is so, in virtual time.
    pub(crate) async fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let give_up = self.clock.now().plus(10 * DAY);
        let mut look_again_after = Duration::from_millis(50);
        while !is_so() {
            assert!(self.clock.now() < give_up, "never: {what}");
            tokio::time::sleep(look_again_after).await;
            look_again_after = (look_again_after * 2).min(5 * MINUTE);
        }
    }

    /// Lets some virtual time pass.
    pub(crate) async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

pub(crate) fn id(order: u128, version: u64) -> String {
    format!("{}/{version}", Uuid::from_u128(order))
}

/// Every event of every order was taken, each for the first time after the one before it.
pub(crate) fn complete(taken: &[String], orders: u128, versions: u64) -> Result<(), String> {
    for order in 1..=orders {
        let mut after = 0;
        for version in 1..=versions {
            let id = id(order, version);
            let place = taken.iter().position(|taken| *taken == id);
            let place = place.ok_or_else(|| format!("{id} was never taken"))?;
            if version > 1 && place < after {
                return Err(format!("{id} came before the one before it"));
            }
            after = place;
        }
    }
    Ok(())
}
