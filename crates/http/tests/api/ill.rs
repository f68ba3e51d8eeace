//! When the provider, the disk or the engine is not well: what callers, the provider and whoever watches are told.

use orderkeep_driver::EngineConfig;
use orderkeep_http::ApiConfig;
use orderkeep_provider::FailureClass;
use orderkeep_store::Health;
use serde_json::json;

use crate::world::{World, terms};

const LOCK: &str = r#"{"amount":"100","currency":"usdc","network":"polygon"}"#;

#[tokio::test(start_paused = true)]
async fn the_provider_s_failures_are_told_apart() {
    for (class, code, retry_after, status, ours) in [
        (FailureClass::Definite, Some("P403"), None, 422, "provider_refused"),
        (FailureClass::Denied, Some("P401"), None, 502, "provider_denied"),
        (FailureClass::Throttled, None, Some(7), 503, "provider_throttled"),
        (FailureClass::NotSent, None, None, 502, "provider_unreachable"),
        (FailureClass::Ambiguous, Some("P500"), None, 502, "provider_unreachable"),
    ] {
        let world = World::new().await;
        world.provider.fails(class, code, retry_after);
        let answer = world.post("/v1/locks", LOCK).await;
        answer.is_problem(status, ours, "by the script");
        assert_eq!(answer.body["providerCode"].as_str(), code);
        let header = answer.headers.get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!(header, retry_after.map(|_| "7"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_refuses_new_orders_and_webhooks_and_says_so() {
    let world = World::new().await;
    let kept = world.submit("before", terms("l0")).await;
    assert_eq!(kept.status, 202);
    world.store.is(Health::Full("no room".to_owned()));

    let refused = world.submit("k", terms("l")).await;
    refused.is_problem(507, "disk_full", "no room");
    assert_eq!(refused.headers["retry-after"], "5");
    // Anything but a 2xx: the provider delivers it again.
    world.webhook().await.is_problem(507, "disk_full", "no room");
    world.get("/readyz").await.is_problem(507, "disk_full", "no room");
    assert_eq!(world.get("/v1/status").await.body["full"], "no room");
    // What is there can be read, and the process is not taken for dead.
    let path = format!("/v1/orders/{}", kept.body["id"].as_str().unwrap());
    assert_eq!(world.get(&path).await.status, 200);
    assert_eq!(world.get("/healthz").await.status, 200);

    world.store.is(Health::Running);
    assert_eq!(world.submit("k", terms("l")).await.status, 202);
    assert_eq!(world.webhook().await.status, 200);
    assert_eq!(world.get("/readyz").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_degrades_and_a_server_that_closes_is_not_ready() {
    let config = ApiConfig::default();
    let closing = config.closing.clone();
    let world = World::with(config).await;
    let well = world.get("/readyz").await;
    let flowing = json!({ "store": "ok", "providers": { "default": "flowing" } });
    assert_eq!(well.body, json!({ "ready": true, "degraded": false, "checks": flowing }));
    world.provider.fails(FailureClass::Denied, Some("P401"), None);
    world.post("/v1/locks", LOCK).await.is_problem(502, "provider_denied", "by the script");
    let ill = world.get("/readyz").await;
    let denied = json!({ "store": "ok", "providers": { "default": "denied" } });
    assert_eq!(
        (ill.status, ill.body),
        (200, json!({ "ready": true, "degraded": true, "checks": denied }))
    );
    closing.cancel();
    world.get("/readyz").await.is_problem(503, "shutting_down", "shutting down");
    assert_eq!(world.get("/healthz").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_halted_engine_takes_nothing_and_says_why() {
    let world = World::new().await;
    assert_eq!(world.submit("before", terms("l0")).await.status, 202);
    assert_eq!(world.post("/v1/locks", LOCK).await.status, 201);
    world.store.is(Health::Halted("a write failed".to_owned()));
    assert!(world.engine.halted().await.contains("a write failed"));

    let refused = world.submit("k", terms("l")).await;
    refused.is_problem(503, "halted", "a write failed");
    assert_eq!(refused.headers["retry-after"], "5");
    world.webhook().await.is_problem(503, "halted", "restart");
    world.post("/v1/locks", LOCK).await.is_problem(503, "halted", "a write failed");
    world.get("/readyz").await.is_problem(503, "halted", "a write failed");
    assert!(world.get("/v1/status").await.body["halted"].is_string());
    assert_eq!(world.get("/healthz").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_shuts_down_sends_callers_and_webhooks_away() {
    let world = World::new().await;
    world.engine.shutdown().await.unwrap();
    world.submit("k", terms("l")).await.is_problem(503, "shutting_down", "shutting down");
    world.webhook().await.is_problem(503, "shutting_down", "shutting down");
    world.post("/v1/locks", LOCK).await.is_problem(503, "shutting_down", "shutting down");
}

#[tokio::test(start_paused = true)]
async fn a_webhook_longer_than_the_engine_reads_is_refused() {
    let world = World::new().await;
    let limit = EngineConfig::default().webhook_bytes_max;
    for (bytes, status) in [(limit, 200), (limit + 1, 413), (2 * 1024 * 1024, 413)] {
        let request = axum::http::Request::post("/webhooks/p100").header("authorization", "token");
        let answer = world.send(request.body(vec![b' '; bytes].into()).unwrap()).await;
        assert_eq!(answer.status, status, "{bytes}");
    }
    let refused = world.get("/v1/status").await.body["sinceStart"]["webhooksRefused"].clone();
    assert_eq!(refused, 2);
}
