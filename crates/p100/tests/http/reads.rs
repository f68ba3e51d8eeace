//! Reads: what their answers mean, which are repeated, and what is refused in a success.

use std::{collections::BTreeSet, time::Duration};

use orderkeep_core::{ProviderOrderId, ProviderStatus, Timestamp};
use orderkeep_p100::{OrderNotFound, P100, P100Config};
use orderkeep_provider::{
    FailureClass::{self, Ambiguous, Definite, Denied, NotSent, Throttled},
    Provider as _,
};

use crate::{
    client, config, lock_request, order_id,
    server::{Reaction, Server, http},
};

const STARTED: Timestamp = Timestamp::from_millis(1_770_000_000_000);

fn not_repeating(server: &Server) -> P100Config {
    let mut config = config(&server.base_url());
    config.read_retries = 0;
    config
}

async fn details_class(status: &str, body: &str) -> Result<bool, FailureClass> {
    let server = Server::start([Reaction::Keep(http(status, "", body))]).await;
    let client = P100::new(not_repeating(&server)).expect("a client");
    client.details(&order_id(), STARTED).await.map(|seen| seen.is_some()).map_err(|e| e.class)
}

#[tokio::test]
async fn an_unknown_order_is_only_what_the_provider_says_is_one() {
    let cases: &[(&str, &str, Result<bool, FailureClass>)] = &[
        ("404 Not Found", r#"{"errorCode":"P462","errorName":"x"}"#, Ok(false)),
        ("404 Not Found", r#"{"errorCode":"P999"}"#, Ok(false)),
        ("404 Not Found", r#"{"errorCode":"P500"}"#, Err(Ambiguous)),
        ("404 Not Found", "<html>no such page</html>", Err(Ambiguous)),
        ("404 Not Found", "", Err(Ambiguous)),
        ("404 Not Found", "{}", Err(Ambiguous)),
        ("400 Bad Request", r#"{"errorCode":"P462"}"#, Err(Definite)),
        ("400 Bad Request", r#"{"errorCode":"P999"}"#, Err(Definite)),
        ("400 Bad Request", r#"{"errorCode":"P501"}"#, Err(Ambiguous)),
        ("400 Bad Request", "", Err(Ambiguous)),
        ("401 Unauthorized", "", Err(Denied)),
        ("429 Too Many Requests", "", Err(Throttled)),
        ("500 Internal Server Error", "", Err(Ambiguous)),
        ("302 Found", "", Err(Ambiguous)),
        ("200 OK", "<html></html>", Err(Ambiguous)),
    ];
    for (status, body, expected) in cases {
        assert_eq!(details_class(status, body).await, *expected, "{status} {body}");
    }
}

#[tokio::test]
async fn which_codes_mean_an_unknown_order_can_be_said() {
    let body = r#"{"errorCode":"P470"}"#;
    for (listed, expected) in [("P470", Ok(None)), ("p470", Ok(None)), ("P471", Err(Definite))] {
        let server = Server::start([Reaction::Keep(http("404 Not Found", "", body))]).await;
        let mut config = not_repeating(&server);
        config.order_not_found = OrderNotFound::Codes(BTreeSet::from([listed.to_owned()]));
        let answer = P100::new(config).unwrap().details(&order_id(), STARTED).await;
        assert_eq!(answer.map_err(|e| e.class), expected, "{listed}");
    }
}

/// The documented order with one field in another form, read back.
async fn details_with(field: &str) -> Result<orderkeep_core::Observation, String> {
    let body = format!(
        r#"{{"orderId":"a44a0805-dd40-4dc4-80d7-8bc81783ec42","status":"WAITING_FOR_CONFIRMATION",{field}}}"#
    );
    let server = Server::start([Reaction::Keep(http("200 OK", "", &body))]).await;
    let client = P100::new(not_repeating(&server)).expect("a client");
    match client.details(&order_id(), STARTED).await {
        Ok(seen) => Ok(seen.expect("it is there")),
        Err(error) => Err(error.why),
    }
}

#[tokio::test]
async fn what_money_depends_on_is_read_exactly_or_not_at_all() {
    for (field, why) in [
        (r#""orderId":"other""#, "the field `orderId` is there twice"),
        (r#""lockId":17"#, "the field `lockId` is not a string"),
        (r#""lockId":"two words""#, "the field `lockId` is not a lock id"),
        (r#""walletAddress":{"a":1}"#, "the field `walletAddress` is not a string"),
        (r#""expiresAt":"tomorrow""#, "the field `expiresAt` is not a time"),
        (r#""expiresAt":1770000000"#, "the field `expiresAt` is not a string"),
        (r#""receivedAmount":-1"#, "the field `receivedAmount` is not an exact amount"),
        (r#""receivedAmount":"1,5""#, "the field `receivedAmount` is not an exact amount"),
        (r#""totalAmountRequired":true"#, "the field `totalAmountRequired` is not an exact amount"),
        (
            r#""totalAmountRequired":0.1234567890123456789012345678901"#,
            "the field `totalAmountRequired` is not an exact amount",
        ),
        (
            r#""currency":"usdc","cryptocurrency":"usdt""#,
            "the fields `currency` and `cryptocurrency` contradict each other",
        ),
        (r#""network":"a b""#, "the field `network` is not a network"),
    ] {
        let error = details_with(field).await.unwrap_err();
        assert_eq!(error, format!("HTTP 200, and the answer cannot be read: {why}"), "{field}");
    }
}

#[tokio::test]
async fn what_only_informs_is_kept_as_it_is() {
    let seen = details_with(r#""confirmations":"many","requiredConfirmations":1.5,"transactionHash":["a"],"updatedAt":null"#)
        .await
        .unwrap();
    assert_eq!((seen.confirmations, seen.required_confirmations), (None, None));
    assert_eq!(seen.transactions, []);
    let kept: Vec<_> =
        seen.unknown_fields.iter().map(|(name, json)| (name.as_str(), json.as_str())).collect();
    assert_eq!(
        kept,
        [
            ("confirmations", "\"many\""),
            ("requiredConfirmations", "1.5"),
            ("transactionHash", "[\"a\"]"),
            ("updatedAt", "null"),
        ]
    );
    let counts = details_with(r#""confirmations":"2","requiredConfirmations":3"#).await.unwrap();
    assert_eq!((counts.confirmations, counts.required_confirmations), (Some(2), Some(3)));
}

#[tokio::test]
async fn unknown_fields_are_bounded() {
    let many: Vec<_> = (0..100).map(|n| format!(r#""x{n:03}":"{}""#, "é".repeat(400))).collect();
    let seen = details_with(&many.join(",")).await.unwrap();
    assert_eq!(seen.unknown_fields.len(), 32);
    for (name, json) in &seen.unknown_fields {
        assert!(name.len() <= 64 && json.len() <= 256, "{name} {}", json.len());
        assert!(json.ends_with('…'), "{json}");
    }
}

#[tokio::test]
async fn unknown_statuses_are_kept_as_written() {
    let body = r#"{"orderId":"a44a0805-dd40-4dc4-80d7-8bc81783ec42","status":"Under_Review"}"#;
    let server = Server::start([Reaction::Keep(http("200 OK", "", body))]).await;
    let seen = client(&server.base_url()).details(&order_id(), STARTED).await.unwrap().unwrap();
    assert_eq!(seen.status, ProviderStatus::Unknown("Under_Review".to_owned()));
    assert_eq!(seen.status_text, "Under_Review");
}

#[tokio::test]
async fn an_answer_about_another_order_is_none_about_this_one() {
    let body = r#"{"orderId":"b44a0805-dd40-4dc4-80d7-8bc81783ec42","status":"COMPLETED"}"#;
    assert_eq!(details_class("200 OK", body).await, Err(Ambiguous));

    // A UUID in capitals is the same one; it is kept as we know it.
    let body = r#"{"orderId":"A44A0805-DD40-4DC4-80D7-8BC81783EC42","status":"COMPLETED"}"#;
    let server = Server::start([Reaction::Keep(http("200 OK", "", body))]).await;
    let seen = client(&server.base_url()).details(&order_id(), STARTED).await.unwrap().unwrap();
    assert_eq!(seen.provider_order, order_id());
}

#[tokio::test]
async fn an_order_id_cannot_leave_its_path() {
    let server = Server::start([Reaction::Keep(http("200 OK", "", "{}"))]).await;
    let client = client(&server.base_url());
    for id in ["..", "../lock-rate", "a/b", "a?b", "a#b", "%2e%2e", "ä", "."] {
        let id = ProviderOrderId::new(id).unwrap();
        let error = client.details(&id, STARTED).await.unwrap_err();
        assert_eq!(error.class, Definite, "{id}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_read_that_broke_is_repeated_twice_at_most() {
    let order = r#"{"orderId":"a44a0805-dd40-4dc4-80d7-8bc81783ec42","status":"COMPLETED"}"#;
    let good = || Reaction::Keep(http("200 OK", "", order));
    let p501 = || Reaction::Keep(http("400 Bad Request", "", r#"{"errorCode":"P501"}"#));
    let gone = || Reaction::Close(Vec::new());
    let short = || Reaction::Close(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec());
    let cases = [
        (vec![gone(), good()], true, 2),
        (vec![p501(), gone(), good()], true, 3),
        (vec![short(), short(), good()], true, 3),
        (vec![gone(), gone(), gone(), good()], false, 3),
        (vec![Reaction::Keep(http("429 Too Many Requests", "", "")), good()], false, 1),
        (vec![Reaction::Keep(http("401 Unauthorized", "", "")), good()], false, 1),
        (vec![Reaction::Keep(http("200 OK", "", "{}")), good()], false, 1),
        (vec![Reaction::Keep(http("404 Not Found", "", "<html>")), good()], false, 1),
    ];
    for (reactions, succeeds, requests) in cases {
        let name = format!("{reactions:?}");
        let server = Server::start(reactions).await;
        let answer = client(&server.base_url()).details(&order_id(), STARTED).await;
        assert_eq!(answer.is_ok(), succeeds, "{name} {answer:?}");
        assert_eq!(server.requests().len(), requests, "{name}");
    }
}

#[tokio::test]
async fn a_slow_read_is_given_up_and_not_repeated() {
    let server = Server::start([Reaction::Hang(Vec::new())]).await;
    let client = client(&server.base_url());
    let call = tokio::spawn(async move { client.rates().await });
    server.requested(1).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(16)).await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.class, Ambiguous);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn reads_say_when_nothing_was_sent() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    assert_eq!(client(&format!("http://{address}")).rates().await.unwrap_err().class, NotSent);
}

#[tokio::test]
async fn a_lock_in_other_terms_than_asked_is_refused() {
    let lock = |currency: &str, network: &str, amount: &str, rate: &str| {
        format!(
            r#"{{"lockId":"a","amount":{amount},"rate":{rate},"expiresAt":"2026-02-13T11:28:46Z",
                "currency":"{currency}","network":"{network}"}}"#
        )
    };
    for (body, why) in [
        (lock("usdt", "polygon", "1", "1"), "the field `currency` is not what was asked for"),
        (lock("usdc", "ethereum", "1", "1"), "the field `network` is not what was asked for"),
        (lock("usdc", "polygon", "0", "1"), "the field `amount` is not more than nothing"),
        (lock("usdc", "polygon", "1", "\"0.0\""), "the field `rate` is not more than nothing"),
        (lock("usdc", "polygon", "null", "1"), "the field `amount` is missing"),
        (lock("usdc", "polygon", "1e400", "1"), "the field `amount` is not an exact amount"),
    ] {
        let server = Server::start([Reaction::Keep(http("200 OK", "", &body))]).await;
        let error = client(&server.base_url()).lock(lock_request()).await.unwrap_err();
        assert_eq!(error.class, Ambiguous, "{body}");
        assert_eq!(error.why, format!("HTTP 200, and the answer cannot be read: {why}"), "{body}");
    }
    // Case is no difference, an exponent no float.
    let server = Server::start([Reaction::Keep(http(
        "200 OK",
        "",
        &lock("USDC", "POLYGON", "1.5e-6", "\"0.10\""),
    ))])
    .await;
    let terms = client(&server.base_url()).lock(lock_request()).await.unwrap();
    assert_eq!((terms.pay_amount.text(), terms.rate.text()), ("1.5e-6", "0.10"));
}

#[tokio::test]
async fn rates_pass_over_what_is_none() {
    for (body, expected) in [
        (
            r#"{"usdc":"0.91","note":"hello","x":1,"eth":null,"btc":0}"#,
            Some(vec![("usdc", "0.91")]),
        ),
        (r#"{"id":"q","rates":{"usdc":0.910}}"#, Some(vec![("usdc", "0.910")])),
        (r#"{}"#, None),
        (r#"{"rates":[1]}"#, None),
        (r#"{"usdc":1,"usdc":2}"#, None),
        (r#"[1]"#, None),
    ] {
        let server = Server::start([Reaction::Keep(http("200 OK", "", body))]).await;
        let answer = client(&server.base_url()).rates().await;
        let read = answer.as_ref().ok().map(|rates| {
            rates.per_unit.iter().map(|(c, r)| (c.as_str(), r.text())).collect::<Vec<_>>()
        });
        assert_eq!(read, expected, "{body}");
    }
}
