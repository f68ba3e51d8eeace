//! An engine over memory and a scripted provider, its router, and a caller.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request},
};
use orderkeep_core::{AccountId, Timestamp};
use orderkeep_driver::{Engine, Entropy, SeededEntropy, SystemEntropy, TokioClock};
use orderkeep_http::{ApiConfig, MetricsPage, router};
use orderkeep_outbox::{
    Answer as Delivered, Outbox, OutboxConfig, Render, Request as Delivery, Transport, Undelivered,
};
use orderkeep_store::port::BoxFuture;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::{provider::Scripted, store::MayFail};

/// The first of March 2026, noon: when every test begins.
const START_MS: i64 = 1_772_366_400_000;

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) provider: Arc<Scripted>,
    pub(crate) store: Arc<MayFail>,
    pub(crate) router: Router,
}

/// Reaches nobody.
#[derive(Debug)]
struct NoNetwork;

impl Transport for NoNetwork {
    fn allows(&self, _: &url::Url) -> Result<(), String> {
        Ok(())
    }

    fn post(&self, _: Delivery) -> BoxFuture<'_, Result<Delivered, Undelivered>> {
        Box::pin(async { Err(Undelivered("there is no network".to_owned())) })
    }
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// A problem with this status and code, whose detail holds this word.
    pub(crate) fn is_problem(&self, status: u16, code: &str, word: &str) {
        assert_eq!((self.status, &self.body["code"]), (status, &Value::from(code)), "{self:?}");
        let detail = self.body["detail"].as_str().unwrap();
        assert!(detail.contains(word), "`{word}` is not in: {detail}");
        // As the RFC wants it.
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["type"], format!("/docs/errors/{code}"));
        assert_eq!(self.body["status"], status);
        assert!(self.body["title"].is_string() && self.body["toDo"].is_string());
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(ApiConfig::default()).await
    }

    pub(crate) async fn with(config: ApiConfig) -> Self {
        Self::of(config, Arc::new(SystemEntropy)).await
    }

    /// One that serves everything that can be served.
    pub(crate) async fn with_all_routes() -> Self {
        let mut world = Self::new().await;
        let outbox =
            OutboxConfig::new(Arc::new(NoNetwork), Render::new(orderkeep_http::event_body));
        let outbox = Outbox::start(world.store.clone(), outbox).await.unwrap();
        let metrics = Some(MetricsPage::new(String::new));
        let config = ApiConfig { outbox: Some(outbox), metrics, ..ApiConfig::default() };
        world.router = router(world.engine.clone(), config);
        world
    }

    /// One whose ids are drawn at the moments of the engine's own clock; those of one millisecond are in no order.
    pub(crate) async fn with_ids_of_its_clock() -> Self {
        Self::of(ApiConfig::default(), Arc::new(SeededEntropy::new(1))).await
    }

    async fn of(config: ApiConfig, entropy: Arc<dyn Entropy>) -> Self {
        let (provider, store) = (Arc::new(Scripted::default()), Arc::new(MayFail::new()));
        let engine = Engine::builder()
            .store(store.clone())
            .account(AccountId::main(), provider.clone())
            .clock(Arc::new(TokioClock::starting_at(Timestamp::from_millis(START_MS))))
            .entropy(entropy)
            .start()
            .await
            .unwrap();
        let router = router(engine.clone(), config);
        Self { engine, provider, store, router }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Request::post(path).body(body.into()).unwrap()).await
    }

    pub(crate) async fn submit(&self, key: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post("/v1/orders").header("idempotency-key", key);
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn webhook(&self) -> Answer {
        let request = Request::post("/webhooks/p100").header("authorization", "token");
        self.send(request.body(Body::from(r#"{"order":"p-1"}"#)).unwrap()).await
    }
}

/// The terms of a lock, as a caller sends them.
pub(crate) fn terms(lock_id: &str) -> String {
    format!(
        r#"{{"terms":{{"lockId":"{lock_id}","payAmount":"412.607142","payCurrency":"usdc","network":"polygon","rate":"0.84","settleCurrency":"eur","settleAmount":"346.59","expiresAt":"2026-03-01T12:00:40Z"}}}}"#
    )
}
