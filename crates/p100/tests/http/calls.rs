//! Each call: what is on the wire, and what the documented answers mean, field by field.

use orderkeep_core::{Observation, ProviderStatus, Source};
use orderkeep_provider::Provider as _;

use crate::{
    KEY, client, lock_id, lock_request, order_id,
    server::{Reaction, Request, Server, http},
    time,
};

const LOCK_B: &str = include_str!("../fixtures/lock_b.json");
const LOCK_C: &str = include_str!("../fixtures/lock_c.json");
const CREATE: &str = include_str!("../fixtures/create.json");
const DETAILS_B: &str = include_str!("../fixtures/details_b.json");
const DETAILS_WAITING: &str = include_str!("../fixtures/details_waiting.json");
const RATES: &str = include_str!("../fixtures/rates.json");

async fn answering(status: &str, body: &str) -> Server {
    Server::start([Reaction::Keep(http(status, "", body))]).await
}

fn only(server: &Server) -> Request {
    let mut requests = server.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests.remove(0)
}

#[tokio::test]
async fn create_sends_the_lock_id_alone_and_reads_the_order_id() {
    let server = answering("201 Created", CREATE).await;
    let order = client(&server.base_url()).create(&lock_id()).await.unwrap();
    assert_eq!(order.as_str(), "663318af-7ea1-4c5a-8545-e433a2d43d5c");

    let request = only(&server);
    assert_eq!(request.line(), "POST /v1/order HTTP/1.1");
    assert_eq!(request.header("x-api-key"), Some(KEY));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(request.header("user-agent"), Some("orderkeep/0.1.0"));
    assert_eq!(request.body, r#"{"lockId":"36e19a53-a1b4-499c-99f7-b7bfc6be87e4"}"#);
}

#[tokio::test]
async fn lock_reads_the_newer_generation() {
    let server = answering("200 OK", LOCK_C).await;
    let terms = client(&server.base_url()).lock(lock_request()).await.unwrap();
    assert_eq!(terms.lock_id.as_str(), "aa1cb52d-4692-45b2-aadb-5a11ac221328");
    assert_eq!(terms.pay_amount.text(), "412.607142");
    assert_eq!(terms.rate.text(), "0.84");
    assert_eq!(terms.pay_currency.as_str(), "usdc");
    assert_eq!(terms.network.as_str(), "polygon");
    assert_eq!(terms.settle_currency.unwrap().as_str(), "eur");
    assert_eq!(terms.settle_amount.unwrap().text(), "346.59");
    assert_eq!(terms.expires_at.as_micros(), 1_770_982_126_569_000);

    let request = only(&server);
    assert_eq!(request.line(), "POST /v1/order/lock-rate HTTP/1.1");
    let sent: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(
        sent,
        serde_json::json!({"currency": "usdc", "amount": "346.59", "network": "polygon"})
    );
}

#[test]
fn a_lock_answer_taken_elsewhere_reads_alone() {
    let client = client("http://127.0.0.1:9");
    let newer = client.read_lock(LOCK_C.as_bytes()).unwrap();
    assert_eq!(newer.lock_id.as_str(), "aa1cb52d-4692-45b2-aadb-5a11ac221328");
    assert_eq!(newer.pay_amount.text(), "412.607142");
    // What was asked for is not in the answer.
    assert_eq!(newer.settle_amount, None);
    let older = client.read_lock(LOCK_B.as_bytes()).unwrap();
    assert_eq!((older.rate.text(), older.settle_currency), ("0.9245", None));

    for (answer, what) in [
        ("{}", "currency"),
        ("[]", "object"),
        (
            r#"{"lockId":"a","currency":"usdc","network":"polygon","rate":"1","amount":0,"expiresAt":"2026-01-01T00:00:00Z"}"#,
            "amount",
        ),
    ] {
        let error = client.read_lock(answer.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(what), "{answer}: {error}");
    }
}

#[tokio::test]
async fn lock_reads_the_older_generation() {
    let server = answering("201 Created", LOCK_B).await;
    let terms = client(&server.base_url()).lock(lock_request()).await.unwrap();
    assert_eq!(terms.lock_id.as_str(), "a1b2c3d4-e5f6-7890-1234-567890abcdef");
    assert_eq!(terms.pay_amount.text(), "92.45");
    assert_eq!(terms.rate.text(), "0.9245");
    assert_eq!(terms.pay_currency.as_str(), "usdc");
    assert_eq!(terms.network.as_str(), "polygon");
    assert_eq!(terms.settle_currency, None);
    assert_eq!(terms.expires_at, time("2025-09-23T06:55:40Z"));
}

#[tokio::test]
async fn details_reads_every_documented_field() {
    let server = answering("200 OK", DETAILS_B).await;
    let started = time("2025-08-31T21:30:00Z");
    let seen = client(&server.base_url()).details(&order_id(), started).await.unwrap();
    assert_eq!(
        seen,
        Some(Observation {
            source: Source::Confirmed { read_started_at: started },
            provider_order: order_id(),
            lock_id: Some("8b94a8f6-1c9d-4a6f-92c8-5f6d9e72a123".parse().unwrap()),
            status: ProviderStatus::Confirming,
            status_text: "WAITING_FOR_CONFIRMATION".to_owned(),
            address: Some("0xE353464eBa01d651c16D8879cbCaE1C80568705C".parse().unwrap()),
            expires_at: None,
            required: Some("1000".parse().unwrap()),
            received: Some("849.39".parse().unwrap()),
            confirmations: Some(1),
            required_confirmations: Some(3),
            transactions: vec![
                "0x84a1234b3b251ab02f1735c634eacab43a282dcbdebf22c1eb0634f5678695cd"
                    .parse()
                    .unwrap()
            ],
            currency: Some("usdc".parse().unwrap()),
            network: Some("polygon".parse().unwrap()),
            unknown_fields: Vec::new(),
        })
    );
    let request = only(&server);
    assert_eq!(
        request.line(),
        "GET /v1/order/details/a44a0805-dd40-4dc4-80d7-8bc81783ec42 HTTP/1.1"
    );
    assert_eq!(request.header("x-api-key"), Some(KEY));
    assert_eq!(request.body, "");
}

#[tokio::test]
async fn details_reads_the_newer_names_and_nulls() {
    let server = answering("200 OK", DETAILS_WAITING).await;
    let started = time("2025-08-31T21:21:36Z");
    let seen = client(&server.base_url()).details(&order_id(), started).await.unwrap().unwrap();
    assert_eq!(seen.status, ProviderStatus::WaitingForWallet);
    assert_eq!(seen.address, None);
    assert_eq!(seen.expires_at, None);
    assert_eq!(seen.required.unwrap().text(), "1000.000000");
    assert_eq!(seen.received.unwrap().text(), "0");
    assert_eq!(seen.confirmations, Some(0));
    assert_eq!(seen.transactions, []);
    assert_eq!(seen.currency.unwrap().as_str(), "usdc");
    assert_eq!(seen.network.unwrap().as_str(), "polygon");
    assert_eq!(seen.unknown_fields, [("destinationCurrency".to_owned(), "\"eur\"".to_owned())]);
}

#[tokio::test]
async fn rates_are_kept_digit_by_digit() {
    let server = answering("200 OK", RATES).await;
    let rates = client(&server.base_url()).rates().await.unwrap();
    let read: Vec<_> =
        rates.per_unit.iter().map(|(currency, rate)| (currency.as_str(), rate.text())).collect();
    assert_eq!(
        read,
        [
            ("btc", "55647.81453411"),
            ("doge", "0.09853434"),
            ("eth", "2188.45355799"),
            ("eur", "1"),
            ("eurt", "0.993082"),
            ("ltc", "59.23864178"),
            ("pol", "0.35312008"),
            ("usdc", "0.914372"),
            ("usdt", "0.914208"),
        ]
    );
    assert_eq!(only(&server).line(), "GET /v1/order/get-rate HTTP/1.1");
}
