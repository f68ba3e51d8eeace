//! The control API.

use orderkeep_sandbox::{Ledger, SandboxConfig, Secret, Summary};

use crate::wire::{Bench, config, send};

#[tokio::test]
async fn a_whole_life_by_the_controls() {
    let bench = Bench::start(config());
    let order = bench.order().await;
    bench.control("advance", r#"{"ms":1500}"#).await;
    let address = bench.details(&order).await.text("walletAddress");
    let paid = bench
        .control("pay", &format!(r#"{{"address":"{address}","amount":"849.39","transactions":2}}"#))
        .await;
    assert_eq!(paid["transactions"].as_array().unwrap().len(), 2);
    let details = bench.details(&order).await;
    assert!(details.body.contains(r#""receivedAmount":849.39,"#), "{}", details.body);
    bench.control("pay", &format!(r#"{{"orderId":"{order}","after_ms":1000}}"#)).await;
    bench.control("advance", r#"{"ms":10000}"#).await;
    assert_eq!(bench.details(&order).await.text("status"), "COMPLETED");
    bench.control("reverse", &format!(r#"{{"orderId":"{order}"}}"#)).await;
    assert_eq!(bench.details(&order).await.text("status"), "REVERSED");

    let ledger: Ledger = serde_json::from_str(&bench.get("/_control/ledger").await.body).unwrap();
    assert_eq!(ledger.orders.len(), 1);
    assert_eq!(ledger.orders[0].payments.len(), 3);
    assert!(ledger.orders[0].executed);
    assert_eq!(ledger.orders_per_lock[&ledger.orders[0].lock_id], [order]);
    let summary = bench.get("/_control/ledger/summary").await;
    let summary: Summary = serde_json::from_str(&summary.body).unwrap();
    assert_eq!((summary.orders, summary.executed, summary.locks), (1, 1, 1));
    assert_eq!(summary.by_status["REVERSED"], 1);
    assert_eq!(summary.calls["create"].ok, 1);
}

#[tokio::test]
async fn orders_fail_and_chains_reorganise() {
    let bench = Bench::start(config());
    let order = bench.order().await;
    bench.control("advance", r#"{"ms":1500}"#).await;
    bench.control("pay", &format!(r#"{{"orderId":"{order}"}}"#)).await;
    let taken =
        bench.control("reorg", &format!(r#"{{"orderId":"{order}","amount":"250.5"}}"#)).await;
    assert_eq!(taken["taken"], "250.5");
    let details = bench.details(&order).await;
    assert!(details.body.contains(r#""receivedAmount":749.5,"#), "{}", details.body);
    bench.control("fail", &format!(r#"{{"orderId":"{order}","reason":"bank"}}"#)).await;
    assert_eq!(bench.details(&order).await.text("status"), "FAILED");
    assert_eq!(bench.sandbox.control().ledger().orders[0].failure.as_deref(), Some("bank"));
}

#[tokio::test]
async fn requests_that_make_no_sense_are_told_why() {
    let bench = Bench::start(config());
    let order = bench.order().await;
    let with = |rest: &str| format!(r#"{{"orderId":"{order}"{rest}}}"#);
    for (verb, body, status, word) in [
        ("pay", "{}".to_owned(), 400, "orderId or address"),
        ("pay", r#"{"orderId":"x"}"#.to_owned(), 400, "UUID"),
        ("pay", r#"{"address":"0xdead"}"#.to_owned(), 404, "0xdead"),
        ("pay", with(""), 409, "no address yet"),
        ("pay", with(r#","amount":"1e5""#), 400, "amount 1e5"),
        ("pay", with(r#","amount":5"#), 400, "body"),
        ("reverse", with(""), 409, "WAITING_FOR_WALLET_ADDRESS"),
        ("advance", r#"{"ms":-1}"#.to_owned(), 400, "milliseconds"),
        ("faults", r#"{"preset":"mild"}"#.to_owned(), 400, "none and rough"),
        ("faults", r#"{"creates":{}}"#.to_owned(), 400, "creates"),
        ("faults", r#"{"create":{"denied":2000}}"#.to_owned(), 400, "create"),
        ("outage", r#"{"ms":5,"mode":"gone"}"#.to_owned(), 400, "gone"),
        ("config", r#"{"webhook_url":"https://a/"}"#.to_owned(), 400, "http://"),
        ("webhook", "not json".to_owned(), 400, "body"),
        ("webhook", r#"{"body":{},"token":"a\r\nb"}"#.to_owned(), 400, "token"),
    ] {
        let told = bench.post(&format!("/_control/{verb}"), &body).await;
        assert_eq!(told.status, status, "{verb} {body}: {}", told.body);
        assert!(told.text("error").contains(word), "{verb} {body}: {}", told.body);
    }
}

#[tokio::test]
async fn faults_are_set_while_it_runs() {
    let bench = Bench::start(config());
    let script = r#"{"rules":[{"fault":{"on":"call","endpoint":"lock","fault":{"kind":"error_before","code":"P501"}}}]}"#;
    bench.control("faults", script).await;
    let body = r#"{"currency":"usdc","amount":"840","network":"polygon"}"#;
    let struck = bench.post("/v1/order/lock-rate", body).await;
    assert_eq!((struck.status, struck.text("errorCode").as_str()), (400, "P501"));
    assert_eq!(bench.post("/v1/order/lock-rate", body).await.status, 201);
    assert_eq!(bench.sandbox.control().ledger().faults["lock.p501_before"], 1);
    bench.control("faults", r#"{"preset":"rough"}"#).await;
    bench.control("faults", r#"{"preset":"none"}"#).await;
}

#[tokio::test]
async fn the_controls_can_have_a_token_and_a_listener_of_their_own() {
    let bench = Bench::start(SandboxConfig {
        control_token: Some(Secret::new("hand")),
        control_bind: Some("127.0.0.1:0".parse().unwrap()),
        ..config()
    });
    let control_addr = bench.sandbox.control_addr();
    assert_ne!(control_addr, bench.addr);
    for addr in [bench.addr, control_addr] {
        let path = "/_control/health";
        let open = send(addr, "GET", path, &[], "").await.unwrap();
        assert_eq!(open.status, 401);
        let wrong = send(addr, "GET", path, &[("authorization", "Bearer no")], "").await.unwrap();
        assert_eq!(wrong.status, 401);
        let right = send(addr, "GET", path, &[("authorization", "Bearer hand")], "").await.unwrap();
        assert_eq!((right.status, right.text("status").as_str()), (200, "ok"));
    }
    let rates = send(control_addr, "GET", "/v1/order/get-rate", &[], "").await.unwrap();
    assert_eq!(rates.status, 404);
}
