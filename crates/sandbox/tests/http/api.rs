//! The provider's calls: credentials, forms, and what faults look like on a wire.

use std::io::ErrorKind;

use orderkeep_sandbox::{
    CallFault, Endpoint, FaultScript, Rule, SandboxConfig, StartError, TimestampView,
};

use crate::wire::{Bench, KEY, config, send, until};

#[tokio::test]
async fn an_order_from_its_lock_to_its_details() {
    let bench = Bench::start(config());
    let lock = bench.lock().await;
    let made = bench.post("/v1/order", &format!(r#"{{"lockId":"{lock}"}}"#)).await;
    assert_eq!(made.status, 201);
    let order = made.text("orderId");
    assert_eq!(made.body, format!(r#"{{"orderId":"{order}"}}"#));
    let details = bench.details(&order).await;
    assert_eq!(details.status, 200);
    assert_eq!(details.text("lockId"), lock);
    assert_eq!(details.text("status"), "WAITING_FOR_WALLET_ADDRESS");
    assert!(details.header("content-type").unwrap().starts_with("application/json"));
    bench.sandbox.shutdown().await;
}

#[tokio::test]
async fn keys_are_checked_on_every_call_whatever_the_headers_case() {
    let bench = Bench::start(config());
    for (method, path) in [
        ("POST", "/v1/order/lock-rate"),
        ("POST", "/v1/order"),
        ("GET", "/v1/order/details/663318af-7ea1-4c5a-8545-e433a2d43d5c"),
        ("GET", "/v1/order/get-rate"),
    ] {
        let missing = send(bench.addr, method, path, &[], "{}").await.unwrap();
        assert_eq!((missing.status, missing.text("message").as_str()), (401, "Access Denied. xo1"));
        let wrong = send(bench.addr, method, path, &[("x-api-key", "no")], "{}").await.unwrap();
        assert_eq!((wrong.status, wrong.text("message").as_str()), (401, "Access Denied. xo2"));
    }
    let upper = send(bench.addr, "GET", "/v1/order/get-rate", &[("X-API-KEY", KEY)], "").await;
    assert_eq!(upper.unwrap().status, 200);
}

#[tokio::test]
async fn errors_carry_the_envelope() {
    let bench = Bench::start(config());
    let bad = bench.post("/v1/order", "not json").await;
    assert_eq!((bad.status, bad.text("errorCode").as_str()), (400, "P403"));
    let lock = r#"{"lockId":"36e19a53-a1b4-499c-99f7-b7bfc6be87e4"}"#;
    let unknown = bench.post("/v1/order", lock).await;
    assert_eq!((unknown.status, unknown.text("errorCode").as_str()), (404, "P462"));
    let nobody = bench.details("663318af-7ea1-4c5a-8545-e433a2d43d5c").await;
    assert_eq!((nobody.status, nobody.text("errorCode").as_str()), (404, "P463"));
    let huge = format!(r#"{{"lockId":"{}"}}"#, "x".repeat(100_000));
    let huge = bench.post("/v1/order", &huge).await;
    assert_eq!((huge.status, huge.text("errorCode").as_str()), (400, "P403"));
    assert_eq!(bench.get("/v1/nothing").await.status, 404);
    assert_eq!(bench.get("/v1/order").await.status, 405);
}

#[tokio::test]
async fn the_rates_live_where_the_configuration_says() {
    let config = SandboxConfig { rates_path: "/v1/rates".to_owned(), ..config() };
    let bench = Bench::start(config);
    assert!(bench.get("/v1/rates").await.body.contains(r#""eur":1"#));
    assert_eq!(bench.get("/v1/order/get-rate").await.status, 404);
}

#[tokio::test]
async fn a_lost_answer_closes_the_connection_and_leaves_the_order() {
    let rule = Rule::call(Endpoint::Create, CallFault::AnswerLost {});
    let bench =
        Bench::start(SandboxConfig { faults: FaultScript::default().with(rule), ..config() });
    let body = format!(r#"{{"lockId":"{}"}}"#, bench.lock().await);
    let lost = bench.try_post("/v1/order", &body).await.err().unwrap();
    assert_eq!(lost.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(bench.sandbox.control().summary().orders, 1);
}

#[tokio::test]
async fn a_hung_answer_stays_out_until_the_client_gives_up() {
    let rule = Rule::call(Endpoint::Create, CallFault::AnswerHung {});
    let bench =
        Bench::start(SandboxConfig { faults: FaultScript::default().with(rule), ..config() });
    let body = format!(r#"{{"lockId":"{}"}}"#, bench.lock().await);
    let addr = bench.addr;
    let hanging = tokio::spawn(async move {
        send(addr, "POST", "/v1/order", &[("x-api-key", KEY)], &body).await.map(|made| made.status)
    });
    until("the order", async || (bench.sandbox.control().summary().orders == 1).then_some(()))
        .await;
    // Whole further calls are answered while this one is not.
    for _ in 0..20 {
        assert_eq!(bench.get("/v1/order/get-rate").await.status, 200);
    }
    assert!(!hanging.is_finished());
    // The end of the sandbox ends the silence, too.
    let Bench { sandbox, .. } = bench;
    sandbox.shutdown().await;
    assert!(hanging.await.unwrap().is_err());
}

#[tokio::test]
async fn a_throttled_call_names_its_wait() {
    let rule = Rule::call(Endpoint::Rates, CallFault::Throttled { retry_after_s: 9 });
    let bench =
        Bench::start(SandboxConfig { faults: FaultScript::default().with(rule), ..config() });
    let throttled = bench.get("/v1/order/get-rate").await;
    assert_eq!((throttled.status, throttled.header("retry-after")), (429, Some("9")));
    assert_eq!(bench.get("/v1/order/get-rate").await.status, 200);
}

#[tokio::test]
async fn slowness_is_provider_time() {
    // A provider's hour is 36 ms of the wall.
    let rule = Rule::call(Endpoint::Rates, CallFault::Slow { delay_ms: 3_600_000 });
    let faults = FaultScript::default().with(rule);
    let bench = Bench::start(SandboxConfig { faults, time_factor: 100_000, ..config() });
    let before = bench.sandbox.control().now_ms();
    assert_eq!(bench.get("/v1/order/get-rate").await.status, 200);
    assert!(bench.sandbox.control().now_ms() - before >= 3_600_000);
}

#[tokio::test]
async fn stamps_follow_the_wall_or_the_provider() {
    let expiry = async |timestamps| {
        let bench = Bench::start(SandboxConfig { timestamps, time_factor: 1_000, ..config() });
        bench.sandbox.control().advance(30 * 24 * 3_600_000).unwrap();
        let body = r#"{"currency":"usdc","amount":"840","network":"polygon"}"#;
        let lock = bench.post("/v1/order/lock-rate", body).await;
        let expires: jiff::Timestamp = lock.text("expiresAt").parse().unwrap();
        let date = lock.header("date").unwrap().to_owned();
        let ahead = expires.as_second() - jiff::Timestamp::now().as_second();
        (ahead, date)
    };
    // 40 s of a provider that is a thousand times as fast are 40 ms of the wall.
    let (ahead, _) = expiry(TimestampView::Wall).await;
    assert!((-20..=1).contains(&ahead), "{ahead}");
    let (ahead, date) = expiry(TimestampView::Provider).await;
    assert!(ahead > 29 * 24 * 3_600, "{ahead}");
    let date = jiff::fmt::rfc2822::parse(&date).unwrap().timestamp();
    assert!(date.as_second() - jiff::Timestamp::now().as_second() > 29 * 24 * 3_600);
}

#[tokio::test]
async fn a_sandbox_that_cannot_start_says_why() {
    let bench = Bench::start(config());
    let taken = Bench::start(config()).addr;
    let second = orderkeep_sandbox::Sandbox::start(SandboxConfig { bind: bench.addr, ..config() });
    assert!(matches!(second, Err(StartError::Listen { addr, .. }) if addr == bench.addr));
    assert_ne!(taken, bench.addr);
    let url = Some("https://receiver/".to_owned());
    let tls = orderkeep_sandbox::Sandbox::start(SandboxConfig { webhook_url: url, ..config() });
    let message = tls.err().unwrap().to_string();
    assert!(message.contains("webhook_url") && message.contains("http://"), "{message}");
}
