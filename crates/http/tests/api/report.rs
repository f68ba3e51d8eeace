//! Finance's morning over HTTP, and lists by time and reference.

use std::{collections::BTreeSet, time::Duration};

use axum::{body::Body, http::Request};
use serde_json::json;
use tower::ServiceExt as _;

use crate::world::{World, terms};

async fn csv(world: &World, path: &str) -> String {
    let request = Request::get(path).header("accept", "text/csv").body(Body::empty()).unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn with_reference(lock: &str, reference: &str) -> String {
    terms(lock).replace(r#"{"terms""#, &format!(r#"{{"reference":"{reference}","terms""#))
}

#[tokio::test(start_paused = true)]
async fn a_day_holds_the_orders_that_were_submitted_on_it() {
    let world = World::with_ids_of_its_clock().await;
    assert_eq!(world.submit("k1", with_reference("l1", "=1+1")).await.status, 202);
    // Ids of one millisecond are in no order.
    tokio::time::advance(Duration::from_millis(2)).await;
    assert_eq!(world.submit("k2", with_reference("l2", "cart 2")).await.status, 202);
    let totals = world.get("/v1/report?day=2026-03-01").await.body["totals"].take();
    assert_eq!((&totals[0]["result"], &totals[0]["orders"]), (&json!("open"), &json!(2)));
    assert_eq!(totals[0]["payLocked"], "825.214284");
    assert_eq!(totals[0]["settleLocked"], "693.18");
    // By then both are somewhere, and on that day still.
    tokio::time::advance(Duration::from_secs(24 * 60 * 60)).await;
    let later = terms("l3").replace("2026-03-01", "2026-03-02");
    assert_eq!(world.submit("k3", later).await.status, 202);

    let day = world.get("/v1/report?day=2026-03-01").await;
    assert_eq!((day.status, &day.body["tz"]), (200, &json!("UTC")), "{day:?}");
    assert_eq!(day.body["from"], "2026-03-01T00:00:00Z");
    assert_eq!(day.body["to"], "2026-03-02T00:00:00Z");
    assert_eq!(day.body["orders"].as_array().unwrap().len(), 2);
    let first = &day.body["orders"][0];
    assert_eq!((&first["reference"], &first["payLocked"]), (&json!("=1+1"), &json!("412.607142")));
    let locked: u64 = day.body["totals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sum| sum["orders"].as_u64().unwrap())
        .sum();
    assert_eq!(locked, 2);

    // Noon of the first is the second, far enough east.
    let east = "/v1/report?day=2026-03-02&tz=Pacific/Kiritimati";
    assert_eq!(world.get(east).await.body["orders"].as_array().unwrap().len(), 2);
    assert_eq!(world.get("/v1/report?day=2026-03-03").await.body["orders"], json!([]));

    let text = csv(&world, "/v1/report?day=2026-03-01").await;
    let head: BTreeSet<&str> = text.lines().next().unwrap().split(',').collect();
    let fields: BTreeSet<&str> = first.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(head, fields);
    // What a spreadsheet would run stays a word.
    assert!(text.lines().nth(1).unwrap().contains(",'=1+1,"), "{text}");
    assert_eq!(text.lines().count(), 3);
    assert_eq!(csv(&world, "/v1/report?day=2020-01-01").await.lines().count(), 1);

    for (query, parameter) in [
        ("day=soon", "day"),
        ("day=2026-03-01&tz=Europe/Atlantis", "tz"),
        ("day=2026-02-30", "day"),
    ] {
        let answer = world.get(&format!("/v1/report?{query}")).await;
        answer.is_problem(400, "bad_request", parameter);
        assert_eq!(answer.body["parameter"], parameter);
    }
}

#[tokio::test(start_paused = true)]
async fn lists_go_by_reference_and_time() {
    let world = World::with_ids_of_its_clock().await;
    for (key, lock, reference) in [("k1", "l1", "a"), ("k2", "l2", "b"), ("k3", "l3", "a")] {
        assert_eq!(world.submit(key, with_reference(lock, reference)).await.status, 202);
        tokio::time::advance(Duration::from_secs(5)).await;
    }
    let keys = async |query: &str| -> Vec<String> {
        let page = world.get(&format!("/v1/orders?{query}")).await;
        let items = page.body["items"].as_array().unwrap().clone();
        items.iter().map(|order| order["idempotencyKey"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(keys("reference=a").await, ["k3", "k1"]);
    assert_eq!(keys("reference=none").await, Vec::<String>::new());
    assert_eq!(keys("createdAfter=2026-03-01T12:00:04Z").await, ["k3", "k2"]);
    assert_eq!(keys("createdAfter=2026-03-01T12:00:05Z").await, ["k3"]);
    assert_eq!(keys("createdBefore=2026-03-01T12:00:05Z").await, ["k1"]);
    assert_eq!(keys("reference=a&createdAfter=2026-03-01T12:00:04Z").await, ["k3"]);
    world.get("/v1/orders?createdAfter=soon").await.is_problem(400, "bad_request", "createdAfter");
}
