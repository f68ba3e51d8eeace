//! Waiting for an order over HTTP.

use std::time::Duration;

use orderkeep_http::{ApiConfig, Limits};

use crate::world::{World, terms};

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_its_time_with_the_state_or_with_the_order() {
    let world = World::new().await;
    let order = world.submit("k", terms("l")).await;
    let path = format!("/v1/orders/{}/wait", order.body["id"].as_str().unwrap());
    let start = tokio::time::Instant::now();
    let there = world.get(&format!("{path}?for=Locked")).await;
    assert_eq!((there.status, &there.headers["wait-end"]), (200, &"reached".parse().unwrap()));
    assert_eq!(there.body["state"], "Locked");
    assert!(start.elapsed() < Duration::from_secs(1));

    for (timeout, lasts) in [("2s", 2), ("3", 3), ("1000h", 50)] {
        let start = tokio::time::Instant::now();
        let over = world.get(&format!("{path}?for=AwaitingPayment&timeout={timeout}")).await;
        assert_eq!((over.status, &over.headers["wait-end"]), (200, &"timed_out".parse().unwrap()));
        assert_eq!(over.body["state"], "Locked");
        assert_eq!(start.elapsed().as_secs(), lasts, "{timeout}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_woken_by_the_order_s_own_step_alone() {
    let world = World::new().await;
    // Its lock has ended: it fails with its first step.
    let ended = terms("l").replace("12:00:40", "11:00:00");
    let start = tokio::time::Instant::now();
    let order = world.submit("k", ended).await;
    let path = format!("/v1/orders/{}/wait", order.body["id"].as_str().unwrap());
    let path = format!("{path}?for=AwaitingPayment&timeout=50s");
    let waiting = world.get(&path);
    let other = world.submit("other", terms("other"));
    let (waited, _) = tokio::join!(waiting, other);
    assert_eq!((waited.status, &waited.headers["wait-end"]), (200, &"ended".parse().unwrap()));
    assert_eq!(waited.body["state"], "Failed");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_wait_says_what_is_wrong_and_ends_when_the_server_closes() {
    let config = ApiConfig::default();
    let closing = config.closing.clone();
    let world = World::with(config).await;
    let order = world.submit("k", terms("l")).await;
    let path = format!("/v1/orders/{}/wait", order.body["id"].as_str().unwrap());
    for (query, word) in [
        ("", "for"),
        ("?for=Paid", "AwaitingPayment"),
        ("?for=Created&timeout=soon", "30s"),
        ("?for=Created&timeout=-3s", "30s"),
        ("?for=Created&until=noon", "until"),
    ] {
        world.get(&format!("{path}{query}")).await.is_problem(400, "bad_request", word);
    }
    let nobody = "/v1/orders/0190a5a5-0000-7000-8000-000000000000/wait?for=Created";
    world.get(nobody).await.is_problem(404, "no_such_order", "0190a5a5");
    let path = format!("{path}?for=Executed");
    let waiting = world.get(&path);
    let close = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        closing.cancel();
    };
    let (told, ()) = tokio::join!(waiting, close);
    told.is_problem(503, "shutting_down", "shutting down");
}

#[tokio::test(start_paused = true)]
async fn waits_are_bounded_in_number_and_by_the_time_of_a_request() {
    let limits = Limits { waits: 1, answer_within: Duration::from_secs(12), ..Limits::default() };
    let world = World::with(ApiConfig { limits, ..ApiConfig::default() }).await;
    let order = world.submit("k", terms("l")).await;
    let path = format!("/v1/orders/{}/wait", order.body["id"].as_str().unwrap());
    let path = format!("{path}?for=Executed&timeout=1h");
    let start = tokio::time::Instant::now();
    let (first, second) = tokio::join!(world.get(&path), world.get(&path));
    assert_eq!((first.status, start.elapsed().as_secs()), (200, 10));
    second.is_problem(503, "busy", "waits");
    assert_eq!(second.headers["retry-after"], "5");
    // The place is free again.
    assert_eq!(world.get(&path).await.status, 200);
}
