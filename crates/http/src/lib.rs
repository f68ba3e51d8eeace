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
mod limits;
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
pub use limits::Limits;
pub use metrics::MetricsPage;
pub use openapi::document;

use axum::{
    Extension, Router, extract::DefaultBodyLimit, http::StatusCode, middleware, routing::get,
};
use orderkeep_core::AccountId;
use orderkeep_driver::Engine;
use orderkeep_outbox::Outbox;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

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
    /// How much callers may ask for at once, and how long they may take.
    pub limits: Limits,
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
            limits: Limits::default(),
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
        let (endpoints, _) = webhook_endpoints::api().with_state(outbox).split_for_parts();
        api = api.merge(endpoints);
    }
    let limits = config.limits;
    let gate = access::Gate::new(config.keys, limits);
    api = api
        // Together, the outermost first: each `layer` of its own costs every request some allocations.
        .layer((
            // The gate has read the body, and bounded it.
            DefaultBodyLimit::disable(),
            middleware::from_fn_with_state(gate, access::check),
            Extension(Closing(closing.clone())),
            Extension(wait::Waits::new(limits)),
            Extension(events::Streams::new(limits.streams)),
        ));
    let router = api
        .merge(openapi::pages())
        .route("/healthz", get(health::alive))
        .route("/readyz", health::ready_route(closing));
    finished(router.merge(provider_routes(config.webhooks, limits)), engine, limits)
}

/// The router of a listener that serves the provider's webhooks and nothing else, so that the API need not face it.
pub fn webhook_router(engine: Engine, webhooks: Vec<WebhookRoute>, limits: Limits) -> Router {
    finished(provider_routes(webhooks, limits), engine, limits)
}

fn provider_routes(webhooks: Vec<WebhookRoute>, limits: Limits) -> Router<Engine> {
    let mut router = Router::new();
    if !webhooks.is_empty() {
        router = router.route("/webhook/health", get(webhooks::health));
    }
    for route in webhooks {
        // Other kinds may arrive below it. (assumed: the provider's documents name a path for each)
        let below = format!("{}/{{*kind}}", route.path.trim_end_matches('/'));
        router = router
            .route(&below, webhooks::receiver(route.account.clone(), limits).get(webhooks::health))
            .route(&route.path, webhooks::receiver(route.account, limits));
    }
    router
}

fn finished(router: Router<Engine>, engine: Engine, limits: Limits) -> Router {
    router
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer((
            middleware::map_response(problem::timed_out),
            TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, limits.answer_within),
        ))
        .with_state(engine)
}
