//! The engine's HTTP API as a router that a service can mount.
//!
//! `/v1/...` for callers, the webhook paths for the provider, `/healthz` and `/readyz` for whoever watches. Errors are
//! problem details (RFC 9457); the whole API is described at `/v1/openapi.json` and shown at `/docs`. It decides nothing: every handler is one call of the engine.

mod access;
mod amount;
mod backup;
mod commands;
mod events;
mod explanation;
mod health;
mod json;
mod locks;
mod metrics;
mod openapi;
mod orders;
mod problem;
mod report;
mod restore;
pub mod schema;
pub mod view;
mod wait;
mod webhook_endpoints;
mod webhooks;

pub use access::{BadScope, Key, KeyRing, Scope};
pub use events::event_body;
pub use explanation::QuestionView;
pub use metrics::MetricsPage;
pub use openapi::document;

use std::time::Duration;

use axum::{
    Extension, Router, extract::DefaultBodyLimit, http::StatusCode, middleware, routing::get,
};
use orderkeep_core::AccountId;
use orderkeep_driver::Engine;
use orderkeep_outbox::Outbox;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

/// An API body is at most this long.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// A request that takes longer than any commit or call of ours is given up.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// How the API is served.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// Who may use it, with `Authorization: Bearer <key>`; while it is empty, anybody who reaches it.
    pub keys: KeyRing,
    /// Where the provider's webhooks arrive, and for which account.
    pub webhooks: Vec<WebhookRoute>,
    /// Webhooks out; `None`: there are none, and no routes for them.
    pub outbox: Option<Outbox>,
    /// What `/metrics` answers; `None`: there is no such page.
    pub metrics: Option<MetricsPage>,
    /// So many requests are answered at once, event streams and waits aside.
    pub in_flight_max: usize,
    /// So many event streams may be open at once.
    pub streams_max: usize,
    /// Ends what would stay open: event streams and waits. Cancel it before the server is stopped.
    pub closing: CancellationToken,
}

/// Where webhooks of one account arrive.
#[derive(Debug, Clone)]
pub struct WebhookRoute {
    /// The path. (assumed: the provider's order webhook path was not seen)
    pub path: String,
    /// The account.
    pub account: AccountId,
}

impl Default for ApiConfig {
    fn default() -> Self {
        let webhook =
            WebhookRoute { path: "/webhooks/p100".to_owned(), account: AccountId::main() };
        Self {
            keys: KeyRing::default(),
            webhooks: vec![webhook],
            outbox: None,
            metrics: None,
            in_flight_max: 512,
            streams_max: 64,
            closing: CancellationToken::new(),
        }
    }
}

/// Ends what would stay open.
#[derive(Debug, Clone)]
struct Closing(CancellationToken);

/// The router over an engine.
pub fn router(engine: Engine, config: ApiConfig) -> Router {
    let closing = config.closing.clone();
    let (mut api, _) = openapi::api().split_for_parts();
    if let Some(page) = config.metrics {
        api = api.route("/metrics", metrics::route(page));
    }
    if let Some(outbox) = config.outbox {
        api = api.merge(webhook_endpoints::routes(outbox));
    }
    let gate = access::Gate::new(config.keys, config.in_flight_max);
    api = api
        // Together, the outermost first: each `layer` of its own costs every request some allocations.
        .layer((
            DefaultBodyLimit::max(BODY_BYTES_MAX),
            middleware::from_fn_with_state(gate, access::check),
            Extension(Closing(closing.clone())),
            Extension(events::Streams::new(config.streams_max)),
        ));
    let router = api
        .merge(openapi::pages())
        .route("/healthz", get(health::alive))
        .route("/readyz", health::ready_route(closing));
    finished(router.merge(provider_routes(config.webhooks)), engine)
}

/// The router of a listener that serves the provider's webhooks and nothing else, so that the API need not face it.
pub fn webhook_router(engine: Engine, webhooks: Vec<WebhookRoute>) -> Router {
    finished(provider_routes(webhooks), engine)
}

fn provider_routes(webhooks: Vec<WebhookRoute>) -> Router<Engine> {
    let mut router = Router::new();
    if !webhooks.is_empty() {
        router = router.route("/webhook/health", get(webhooks::health));
    }
    for route in webhooks {
        // Other kinds may arrive below it. (assumed: the provider's documents name a path for each)
        let below = format!("{}/{{*kind}}", route.path.trim_end_matches('/'));
        router = router
            .route(&below, webhooks::receiver(route.account.clone()).get(webhooks::health))
            .route(&route.path, webhooks::receiver(route.account));
    }
    router
}

fn finished(router: Router<Engine>, engine: Engine) -> Router {
    router
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer((
            middleware::map_response(problem::timed_out),
            TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT),
        ))
        .with_state(engine)
}
