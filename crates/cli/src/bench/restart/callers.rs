//! The callers: each takes a lock at the provider and submits it, with the same key until it is answered.

use std::{sync::Arc, time::Duration};

use reqwest::{RequestBuilder, header};
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::daemon::Stage;
use crate::exit::Failure;

/// How long a caller waits before it tries again.
const AGAIN: Duration = Duration::from_millis(20);
/// Longer than a daemon is away.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An order that the daemon has said it has.
#[derive(Debug, Clone)]
pub(super) struct Acknowledged {
    pub(super) id: String,
    pub(super) lock_id: String,
}

/// Callers at work.
#[derive(Debug)]
pub(super) struct Callers {
    tasks: JoinSet<Result<Vec<Acknowledged>, Failure>>,
    enough: CancellationToken,
    /// Of how many orders they were told.
    told: watch::Receiver<u64>,
}

#[derive(Debug)]
struct Shop {
    http: reqwest::Client,
    lock_url: String,
    api_key: String,
    orders_url: String,
}

impl Callers {
    pub(super) fn start(stage: &Stage, inflight: usize) -> Result<Self, Failure> {
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build();
        let shop = Arc::new(Shop {
            http: http.map_err(Failure::failed)?,
            lock_url: format!("{}/v1/order/lock-rate", stage.provider_url),
            api_key: stage.api_key.clone(),
            orders_url: format!("{}/v1/orders", stage.engine_url),
        });
        let (mut tasks, enough) = (JoinSet::new(), CancellationToken::new());
        let (counts, told) = watch::channel(0);
        let counts = Arc::new(counts);
        for _ in 0..inflight {
            let (shop, enough) = (Arc::clone(&shop), enough.clone());
            let counts = Arc::clone(&counts);
            tasks.spawn(async move {
                let mut told = Vec::new();
                while !enough.is_cancelled() {
                    told.push(shop.submit().await?);
                    counts.send_modify(|count| *count += 1);
                }
                Ok(told)
            });
        }
        Ok(Self { tasks, enough, told })
    }

    /// Waits until they were told of so many orders more, or all of them gave up.
    pub(super) async fn told_more(&mut self, orders: u64) {
        let enough = *self.told.borrow() + orders;
        drop(self.told.wait_for(|count| *count >= enough).await);
    }

    /// Everything that they were told.
    pub(super) async fn stop(mut self) -> Result<Vec<Acknowledged>, Failure> {
        self.enough.cancel();
        let mut all = Vec::new();
        while let Some(done) = self.tasks.join_next().await {
            all.extend(done.map_err(Failure::failed)??);
        }
        Ok(all)
    }
}

impl Shop {
    async fn submit(&self) -> Result<Acknowledged, Failure> {
        let lock = self
            .http
            .post(&self.lock_url)
            .header("x-api-key", &self.api_key)
            .body(r#"{"amount":"84.00","currency":"usdc","network":"polygon"}"#);
        let lock = answered(lock).await?;
        let order = self
            .http
            .post(&self.orders_url)
            .header("idempotency-key", uuid::Uuid::new_v4().to_string())
            .body(json!({ "lockAnswer": lock }).to_string());
        let order = answered(order).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Acknowledged { id: text(&order["id"]), lock_id: text(&order["terms"]["lockId"]) })
    }
}

/// Asks until there is a good answer: the daemon may be away, or want it later.
async fn answered(request: RequestBuilder) -> Result<Value, Failure> {
    let request = request.header(header::CONTENT_TYPE, "application/json");
    loop {
        let again = request.try_clone().ok_or_else(|| Failure::failed("a body is a stream"))?;
        if let Ok(response) = again.send().await {
            let status = response.status();
            if let Ok(body) = response.bytes().await {
                let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
                if status.is_success() {
                    return Ok(body);
                }
                if status.is_client_error() && status.as_u16() != 429 && status.as_u16() != 408 {
                    return Err(Failure::failed(format_args!(
                        "a caller was answered {status}: {body}"
                    )));
                }
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}
