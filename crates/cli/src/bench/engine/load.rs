//! The callers: each takes a lock at the provider, submits its answer, and waits until the order has ended.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{StatusCode, header};
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::exit::{Failure, say};

/// An order that has not ended after this long never will.
const GIVE_UP: Duration = Duration::from_secs(120);
/// How long a caller waits that was told to come later.
const LATER: Duration = Duration::from_millis(10);
/// How often something is said.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// How orders come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// So many at once; a new one when one has ended.
    InFlight(usize),
    /// So many a second, whether others have ended or not.
    PerSecond(f64),
}

/// From a submit until its caller knew of the end, in microseconds.
#[derive(Debug)]
pub(super) struct Latencies(Vec<u64>);

impl Latencies {
    pub(super) fn merged<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let mut all: Vec<u64> = all.flat_map(|latencies| latencies.0.iter().copied()).collect();
        all.sort_unstable();
        Self(all)
    }

    /// Of merged ones, in milliseconds: the shortest that so many of a hundred do not exceed.
    pub(super) fn ms_at(&self, percent: usize) -> f64 {
        let place = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(place).map_or(f64::NAN, |us| *us as f64 / 1e3)
    }
}

#[derive(Debug)]
struct Progress {
    began: AtomicU64,
    ended: AtomicU64,
}

pub(super) async fn run(
    callers: &Callers,
    what: &str,
    orders: u64,
    pace: Pace,
) -> Result<(Duration, Latencies), Failure> {
    let progress = Arc::new(Progress { began: AtomicU64::new(0), ended: AtomicU64::new(0) });
    let talk = tokio::spawn(talk(Arc::clone(&progress), what.to_owned(), orders));
    let started = Instant::now();
    let latencies = match pace {
        Pace::InFlight(inflight) => closed(callers, &progress, orders, inflight).await,
        Pace::PerSecond(rate) => open(callers, &progress, orders, rate).await,
    };
    let took = started.elapsed();
    talk.abort();
    Ok((took, Latencies(latencies?)))
}

async fn closed(
    callers: &Callers,
    progress: &Arc<Progress>,
    orders: u64,
    inflight: usize,
) -> Result<Vec<u64>, Failure> {
    let mut tasks = JoinSet::new();
    for _ in 0..inflight {
        let (callers, progress) = (callers.clone(), Arc::clone(progress));
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            while progress.began.fetch_add(1, Ordering::Relaxed) < orders {
                latencies.push(callers.sell().await?);
                progress.ended.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, Failure>(latencies)
        });
    }
    let mut all = Vec::new();
    while let Some(done) = tasks.join_next().await {
        all.extend(done.map_err(Failure::failed)??);
    }
    Ok(all)
}

async fn open(
    callers: &Callers,
    progress: &Arc<Progress>,
    orders: u64,
    rate: f64,
) -> Result<Vec<u64>, Failure> {
    let started = tokio::time::Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..orders {
        tokio::time::sleep_until(started + Duration::from_secs_f64(number as f64 / rate)).await;
        let (callers, progress) = (callers.clone(), Arc::clone(progress));
        tasks.spawn(async move {
            let latency = callers.sell().await;
            progress.ended.fetch_add(1, Ordering::Relaxed);
            latency
        });
    }
    let mut all = Vec::new();
    while let Some(done) = tasks.join_next().await {
        all.push(done.map_err(Failure::failed)??);
    }
    Ok(all)
}

async fn talk(progress: Arc<Progress>, what: String, orders: u64) {
    loop {
        tokio::time::sleep(SAY_EVERY).await;
        let ended = progress.ended.load(Ordering::Relaxed);
        say(format_args!("{what}: {ended} of {orders} orders have ended"));
    }
}

/// What a caller needs; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Callers {
    http: reqwest::Client,
    lock_url: Arc<str>,
    api_key: Arc<str>,
    orders_url: Arc<str>,
}

#[derive(Debug, Deserialize)]
struct Answered {
    id: String,
    state: String,
}

impl Callers {
    pub(super) fn new(
        provider_url: &str,
        api_key: &str,
        engine_url: &str,
    ) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(GIVE_UP)
            .build()
            .map_err(Failure::failed)?;
        Ok(Self {
            http,
            lock_url: format!("{provider_url}/v1/order/lock-rate").into(),
            api_key: api_key.into(),
            orders_url: format!("{engine_url}/v1/orders").into(),
        })
    }

    /// One order; how long it took from its submit to its end, in microseconds.
    async fn sell(&self) -> Result<u64, Failure> {
        let lock = self
            .http
            .post(&*self.lock_url)
            .header("x-api-key", &*self.api_key)
            .header(header::CONTENT_TYPE, "application/json")
            .body(r#"{"amount":"84.00","currency":"usdc","network":"polygon"}"#);
        let lock = answer(lock).await?;
        let started = Instant::now();
        let key = uuid::Uuid::new_v4().to_string();
        let order = self
            .http
            .post(&*self.orders_url)
            .header("idempotency-key", key)
            .header(header::CONTENT_TYPE, "application/json")
            .body(format!(r#"{{"lockAnswer":{}}}"#, String::from_utf8_lossy(&lock)));
        let mut order = read(&answer(order).await?)?;
        let url = format!("{}/{}/wait?for=Executed&timeout=50s", self.orders_url, order.id);
        while order.state != "Executed" {
            if started.elapsed() > GIVE_UP || order.state == "Failed" {
                let Answered { id, state } = order;
                return Err(Failure::failed(format_args!("order {id} is {state}, not executed")));
            }
            order = read(&answer(self.http.get(&url)).await?)?;
        }
        Ok(u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}

fn read(body: &[u8]) -> Result<Answered, Failure> {
    serde_json::from_slice(body).map_err(Failure::failed)
}

/// Asks until there is an answer that is not *later*.
async fn answer(request: reqwest::RequestBuilder) -> Result<Vec<u8>, Failure> {
    loop {
        let again = request.try_clone().ok_or_else(|| Failure::failed("a body is a stream"))?;
        let response = again.send().await.map_err(Failure::failed)?;
        let status = response.status();
        let body = response.bytes().await.map_err(Failure::failed)?;
        if status.is_success() {
            return Ok(body.to_vec());
        }
        if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            let text = String::from_utf8_lossy(&body);
            return Err(Failure::failed(format_args!("{status}: {text}")));
        }
        tokio::time::sleep(LATER).await;
    }
}
