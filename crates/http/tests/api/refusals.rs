//! Bad requests and callers without the token.

use axum::{body::Body, http::Request};
use orderkeep_core::Author;
use orderkeep_http::{ApiConfig, KeyRing};

use crate::world::{World, terms};

#[tokio::test(start_paused = true)]
async fn bad_submits_are_told_what_is_wrong() {
    let world = World::new().await;
    let good = terms("l");
    for (key, body, status, code, word) in [
        ("k", "", 400, "bad_request", "EOF"),
        ("k", "{", 400, "bad_request", "EOF"),
        ("k", "null", 400, "bad_request", "null"),
        ("k", r#"{"lockId":"a","colour":"red"}"#, 400, "bad_request", "`colour`"),
        ("k", r#"{"lockId":"a","lockId":"b"}"#, 400, "bad_request", "duplicate field"),
        ("k", r#"{"lockId":"a","lockAnswer":{}}"#, 400, "bad_request", "one of"),
        ("k", r#"{"lockId":""}"#, 400, "bad_request", "lock id"),
        ("k", r#"{"lockId":"never-taken"}"#, 422, "unknown_lock", "lockAnswer"),
        ("k", r#"{"lockAnswer":{"id":7}}"#, 422, "bad_lock_answer", "lock answer"),
        ("k", r#"{"account":"other","lockId":"a"}"#, 404, "no_such_account", "`other`"),
        ("k", r#"{"idempotencyKey":"not-k","lockId":"a"}"#, 400, "bad_request", "differ"),
        ("a b", &good, 400, "bad_request", "idempotency key"),
        ("", &good, 400, "bad_request", "idempotency key"),
        ("k", &good.replace("usdc", "u"), 400, "bad_request", "currency"),
        ("k", &good.replace("412.607142", "0"), 422, "terms_mismatch", "pay amount"),
        ("k", &good.replace("2026-03-01T12:00:40Z", "soon"), 400, "bad_request", "soon"),
        ("k", &good.replace("lockId", "lock"), 400, "bad_request", "`lock`"),
    ] {
        world.submit(key, body.to_owned()).await.is_problem(status, code, word);
    }
    let long =
        good.replace(r#"{"terms""#, &format!(r#"{{"reference":"{}","terms""#, "x".repeat(10_000)));
    world.submit("k", long).await.is_problem(422, "reference_too_long", "bytes");
    let odd = Request::post("/v1/orders").header("idempotency-key", &b"\xff"[..]);
    world.send(odd.body(good.clone().into()).unwrap()).await.is_problem(400, "bad_request", "odd");
    for (metadata, pointer, word) in [
        (r#"{"shop":7}"#, "/metadata/shop", "expected a string"),
        (r#"["shop"]"#, "/metadata", "fields are texts"),
        (r#"{"shop":"7","shop":"8"}"#, "/metadata", "twice"),
        (r#"{"":"7"}"#, "/metadata", "empty"),
    ] {
        let given = format!(r#"{{"metadata":{metadata},"terms""#);
        let refused = world.submit("k", good.replace(r#"{"terms""#, &given)).await;
        refused.is_problem(400, "bad_request", word);
        assert_eq!(refused.body["pointer"], pointer, "{refused:?}");
    }
    // Nothing of it came to anything.
    assert_eq!(world.get("/v1/orders").await.body["items"], serde_json::json!([]));
    assert_eq!(world.get("/v1/status").await.body["sinceStart"]["createsSent"], 0);
}

#[tokio::test(start_paused = true)]
async fn bad_queries_are_told_what_is_wrong() {
    let world = World::new().await;
    for (path, word) in [
        ("/v1/orders?state=Paid", "AwaitingPayment"),
        ("/v1/orders?cursor=17", "UUID"),
        ("/v1/orders?limit=many", "limit"),
        ("/v1/orders?limit=-1", "limit"),
        ("/v1/orders?open=perhaps", "open"),
        ("/v1/orders?colour=red", "colour"),
        ("/v1/orders/17", "UUID"),
        ("/v1/orders/17/history", "UUID"),
        ("/v1/rates?account=a%20b", "account"),
    ] {
        world.get(path).await.is_problem(400, "bad_request", word);
    }
    world.get("/v1/rates?account=other").await.is_problem(404, "no_such_account", "`other`");
    world.get("/v1/nothing").await.is_problem(404, "no_such_path", "path");
    let nobody = "/v1/orders/0190a5a5-0000-7000-8000-000000000000";
    world.get(nobody).await.is_problem(404, "no_such_order", "0190a5a5");
    world.get(&format!("{nobody}/history")).await.is_problem(404, "no_such_order", "0190a5a5");
    // Nor is there one further on.
    let further = format!("{nobody}/history?after=7");
    world.get(&further).await.is_problem(404, "no_such_order", "0190a5a5");
    for (method, path) in [
        ("DELETE", "/v1/orders"),
        ("POST", "/v1/status"),
        ("GET", "/v1/locks"),
        ("GET", "/webhooks/p100"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        world.send(request).await.is_problem(405, "no_such_method", "method");
    }
}

#[tokio::test(start_paused = true)]
async fn only_callers_with_the_token_get_in_and_webhooks_have_their_own() {
    let key = KeyRing::token(Author::new("token").unwrap(), &"let-me-in".into());
    let config = ApiConfig { keys: KeyRing::new(vec![key]), ..ApiConfig::default() };
    let world = World::with(config).await;
    let paths = ["/v1/rates", "/v1/orders", "/v1/status", "/v1/orders/17", "/v1/orders/17/history"];
    for path in paths {
        world.get(path).await.is_problem(401, "unauthorized", "Bearer");
        for wrong in
            ["Bearer ", "Bearer let-me", "Bearer let-me-in ", "bearer let-me-in", "let-me-in"]
        {
            let request = Request::get(path).header("authorization", wrong);
            let answer = world.send(request.body(Body::empty()).unwrap()).await;
            answer.is_problem(401, "unauthorized", "Bearer");
        }
    }
    // Not even told whether a body was good.
    world.submit("k", "{").await.is_problem(401, "unauthorized", "Bearer");
    world.post("/v1/locks", "{").await.is_problem(401, "unauthorized", "Bearer");
    let request = Request::get("/v1/orders").header("authorization", "Bearer let-me-in");
    assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status, 200);
    // Whoever watches needs none, and the provider has its own.
    assert_eq!(world.get("/healthz").await.status, 200);
    assert_eq!(world.get("/readyz").await.status, 200);
    assert_eq!(world.webhook().await.status, 200);
    let request = Request::post("/webhooks/p100").header("authorization", "Bearer let-me-in");
    let answer = world.send(request.body(Body::empty()).unwrap()).await;
    answer.is_problem(401, "unauthorized", "webhook token");
}
