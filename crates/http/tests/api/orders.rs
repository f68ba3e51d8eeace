//! An order as callers see it: every field, as literal data.

use serde_json::{Value, json};

use crate::world::{World, terms};

#[tokio::test(start_paused = true)]
async fn an_order_has_these_fields() {
    let world = World::new().await;
    let body = terms("lock-1")
        .replace(r#"{"terms""#, r#"{"reference":"cart 17","metadata":{"shop":"7"},"terms""#);
    let submitted = world.submit("cart-17", body).await;
    assert_eq!(submitted.status, 202);
    let id = submitted.body["id"].as_str().unwrap().to_owned();
    assert_eq!(submitted.headers["location"], format!("/v1/orders/{id}"));
    let mut expected = json!({
        "id": id,
        "account": "default",
        "idempotencyKey": "cart-17",
        "reference": "cart 17",
        "metadata": { "shop": "7" },
        "state": "Locked",
        "since": "2026-03-01T12:00:00Z",
        "createdAt": "2026-03-01T12:00:00Z",
        "version": 1,
        "terms": {
            "lockId": "lock-1",
            "payAmount": "412.607142",
            "payCurrency": "usdc",
            "network": "polygon",
            "rate": "0.84",
            "settleCurrency": "eur",
            "settleAmount": "346.59",
            "expiresAt": "2026-03-01T12:00:40Z",
        },
        "relock": null,
        "earlierLockIds": [],
        "create": { "progress": "not_sent", "attempts": 0, "why": null },
        "providerOrderId": null,
        "providerStatus": null,
        "address": null,
        "addressWithheld": false,
        "expiresAt": null,
        "payment": null,
        "review": [],
        "cancelWished": false,
        "failReason": null,
        "outcome": null,
        "after": [],
        "otherProviderOrderIds": [],
    });
    assert_eq!(submitted.body, expected);

    // Its create goes out, and is never answered.
    let path = format!("/v1/orders/{id}");
    let shown = loop {
        let shown = world.get(&path).await;
        if shown.body["version"] == 2 {
            break shown;
        }
        tokio::task::yield_now().await;
    };
    expected["version"] = json!(2);
    expected["create"] = json!({ "progress": "in_flight", "attempts": 1, "why": null });
    assert_eq!((shown.status, &shown.body), (200, &expected));

    let history = world.get(&format!("{path}/history")).await.body;
    let events: Vec<(&Value, &Value)> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["version"], &item["event"]))
        .collect();
    assert_eq!(events[1], (&json!(2), &json!({ "create_intended": { "attempt": 1 } })));
    assert_eq!(events[0].1["submitted"]["key"], "cart-17");
    assert_eq!(events[0].1["submitted"]["metadata"], json!({ "shop": "7" }));
    assert_eq!((events.len(), &history["nextCursor"]), (2, &Value::Null));
}

#[tokio::test(start_paused = true)]
async fn a_lock_and_rates_have_these_fields() {
    let world = World::new().await;
    let lock =
        world.post("/v1/locks", r#"{"amount":346.59,"currency":"USDC","network":"POLYGON"}"#).await;
    let expected = json!({
        "lockId": "lock-1",
        "payAmount": "412.607142",
        "payCurrency": "usdc",
        "network": "polygon",
        "rate": "0.84",
        "settleCurrency": "eur",
        "settleAmount": "346.59",
        "expiresAt": "2026-03-01T12:00:40Z",
    });
    assert_eq!((lock.status, lock.body), (201, expected));
    let rates = world.get("/v1/rates").await;
    assert_eq!((rates.status, rates.body), (200, json!({ "rates": { "usdc": "0.840" } })));
}

#[tokio::test(start_paused = true)]
async fn the_status_has_these_fields() {
    let world = World::new().await;
    let expected = json!({
        "halted": null,
        "full": null,
        "orders": {
            "Locked": 0, "Created": 0, "WaitingForWallet": 0, "AwaitingPayment": 0, "Executed": 0, "Failed": 0,
        },
        "open": 0,
        "review": 0,
        "restore": null,
        "inbox": 0,
        "accounts": { "default": {
            "provider": "flowing", "waiting": 0,
            "clockAheadMs": null, "webhooksLateMs": null, "polling": "usual",
        } },
        "sinceStart": {
            "webhooksTaken": 0, "webhooksRefused": 0, "webhooksOtherKind": 0, "webhooksDuplicate": 0,
            "createsSent": 0, "reads": 0, "readFailures": 0, "steps": 0, "quarantined": 0,
        },
    });
    let status = world.get("/v1/status").await;
    assert_eq!((status.status, status.body), (200, expected));
}
