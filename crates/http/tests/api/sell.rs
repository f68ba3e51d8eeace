//! What to sell and for how much: the lock is taken first, once per key. And acts on the version that was looked at.

use axum::{body::Body, http::Request};
use orderkeep_provider::FailureClass;
use serde_json::json;

use crate::world::{World, terms};

const SELL: &str =
    r#"{"sell":{"amount":"346.59","currency":"usdc","network":"polygon"},"reference":"cart 1"}"#;

#[tokio::test(start_paused = true)]
async fn a_sale_takes_its_lock_once_however_often_it_is_sent() {
    let world = World::new().await;
    let first = world.submit("k", SELL).await;
    assert_eq!(
        (first.status, &first.body["terms"]["lockId"]),
        (202, &json!("lock-1")),
        "{first:?}"
    );
    let again = world.submit("k", SELL).await;
    assert_eq!((again.status, &again.body["id"]), (200, &first.body["id"]));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(*world.provider.asked.lock().unwrap(), ["346.59"], "a second lock was taken");
    for other in [
        SELL.replace("346.59", "346.60"),
        SELL.replace("usdc", "usdt"),
        SELL.replace("cart 1", "cart 2"),
    ] {
        world.submit("k", other).await.is_problem(422, "key_conflict", "another body");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sale_whose_lock_is_not_given_takes_no_order() {
    let world = World::new().await;
    world.provider.fails(FailureClass::Throttled, None, Some(7));
    world.submit("k", SELL).await.is_problem(503, "provider_throttled", "by the script");
    assert_eq!(world.get("/v1/orders").await.body["items"], json!([]));
    assert_eq!(world.submit("k", SELL).await.status, 202);
    let none = SELL.replace("346.59", "0");
    let answer = world.submit("k2", none).await;
    answer.is_problem(400, "bad_request", "more than nothing");
    assert_eq!(answer.body["pointer"], "/sell/amount");
    let both = r#"{"lockId":"l","sell":{"amount":"1","currency":"usdc","network":"polygon"}}"#;
    world.submit("k3", both).await.is_problem(400, "bad_request", "one of");
}

#[tokio::test(start_paused = true)]
async fn an_act_on_a_version_that_is_past_does_nothing() {
    let world = World::new().await;
    let submitted = world.submit("k", terms("lock-1")).await;
    assert_eq!(submitted.headers["etag"], "\"1\"");
    let path = format!("/v1/orders/{}", submitted.body["id"].as_str().unwrap());
    while world.get(&path).await.headers["etag"] != "\"2\"" {
        tokio::task::yield_now().await;
    }
    let cancel = async |version: &'static str| {
        let request = Request::post(format!("{path}/cancel")).header("if-match", version);
        let body = Body::from(r#"{"author":"ann","reason":"why"}"#);
        world.send(request.body(body).unwrap()).await
    };
    cancel("\"1\"").await.is_problem(412, "version_mismatch", "version 2");
    assert_eq!(world.get(&path).await.body["cancelWished"], false);
    let odd = cancel("1").await;
    odd.is_problem(400, "bad_request", "ETag");
    assert_eq!(odd.body["parameter"], "If-Match");
    assert_eq!(cancel("\"2\"").await.body["order"]["cancelWished"], true);
    assert_eq!(cancel("*").await.status, 200);
}
