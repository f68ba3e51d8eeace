//! Bad input to the API, and the answer.

use serde_json::json;

use crate::stage::{Stage, until};

#[test]
fn a_lock_makes_one_order_and_a_key_is_one_order() {
    let stage = Stage::new("", "");
    let _engine = stage.start();
    stage.submit("k0", &json!({"lockId": "never-taken"})).is_problem(
        422,
        "unknown_lock",
        "lockAnswer",
    );

    let lock = stage.lock();
    let body = json!({ "lockId": lock["lockId"], "reference": "cart 17" });
    let first = stage.submit("k1", &body);
    assert_eq!(first.status, 202, "{first:?}");
    let again = stage.submit("k1", &body);
    assert_eq!((again.status, &again.body["id"]), (200, &first.body["id"]));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other_body = json!({ "lockId": lock["lockId"], "reference": "cart 18" });
    stage.submit("k1", &other_body).is_problem(422, "key_conflict", "k1");
    stage.submit("k2", &body).is_problem(409, "lock_taken", first.body["id"].as_str().unwrap());

    let mut terms = stage.lock();
    terms["payAmount"] = json!("1");
    stage.submit("k3", &json!({ "terms": terms })).is_problem(422, "terms_mismatch", "pay amount");
    stage.secrets_are_kept();
}

#[test]
fn an_expired_lock_is_taken_and_fails_on_record_and_is_never_posted() {
    let stage = Stage::new("", "");
    let _engine = stage.start();
    let answer = json!({
        "lockId": "aa1cb52d-4692-45b2-aadb-5a11ac221328", "amount": 412.607142, "rate": "0.84",
        "expiresAt": "2026-02-13T11:28:46.569Z", "currency": "usdc", "destinationCurrency": "eur", "network": "polygon",
    });
    let order = stage.submit("late", &json!({ "lockAnswer": answer }));
    assert_eq!((order.status, &order.body["state"]), (202, &json!("Failed")), "{order:?}");
    assert_eq!(order.body["failReason"], "lock_expired");
    assert_eq!(order.body["outcome"]["funds"], "none");
    assert_eq!(order.body["terms"]["payAmount"], "412.607142");
    assert!(stage.ledger()["calls"]["create"]["received"].as_u64().unwrap_or(0) == 0);
}

#[test]
fn malformed_requests_are_told_what_is_wrong() {
    let stage = Stage::new("", "");
    let _engine = stage.start();
    let url = |path: &str| format!("{}{path}", stage.url);
    let bad = |body: &str, word: &str| {
        let headers = [("idempotency-key", "k")];
        stage.http.send("POST", &url("/v1/orders"), &headers, body.to_owned()).is_problem(
            400,
            "bad_request",
            word,
        );
    };
    bad("", "body");
    bad("{", "body");
    bad("[]", "body");
    bad(r#"{"lockId":"a","colour":"red"}"#, "colour");
    bad(r#"{"lockId":"a","lockAnswer":{}}"#, "one of");
    bad("{}", "lockId");
    bad(r#"{"lockId":"a b"}"#, "white space");
    stage.post("/v1/orders", &[], &json!({"lockId": "a"})).is_problem(
        400,
        "bad_request",
        "Idempotency-Key",
    );
    for amount in ["-1", "0x1", "NaN", "1e400", ""] {
        let lock = json!({"amount": amount, "currency": "usdc", "network": "polygon"});
        stage.post("/v1/locks", &[], &lock).is_problem(400, "bad_request", "amount");
    }
    let large = format!(r#"{{"reference":"{}"}}"#, "x".repeat(300 * 1024));
    let headers = [("idempotency-key", "k")];
    stage.http.send("POST", &url("/v1/orders"), &headers, large).is_problem(
        413,
        "too_large",
        "256 KiB",
    );
    stage.http.send("DELETE", &url("/v1/orders"), &[], "").is_problem(
        405,
        "no_such_method",
        "method",
    );
    stage.get("/v2/orders").is_problem(404, "no_such_path", "path");
    stage.get("/v1/orders?state=Paid").is_problem(400, "bad_request", "AwaitingPayment");
    stage.get("/v1/orders?cursor=17").is_problem(400, "bad_request", "UUID");
    stage.get("/v1/orders/17").is_problem(400, "bad_request", "UUID");
    let nobody = "/v1/orders/0190a5a5-0000-7000-8000-000000000000";
    stage.get(nobody).is_problem(404, "no_such_order", "no order");
    stage.get(&format!("{nobody}/history")).is_problem(404, "no_such_order", "no order");
    // Nothing of it came to anything.
    assert_eq!(stage.get("/v1/orders").body["items"], json!([]));
}

/// 201 with an empty or garbled body.
///
/// Unknown, as A4: nothing is sent again, and the webhook of the order leads to the read that binds it.
#[test]
fn a17_create_is_answered_without_a_body() {
    let rule = "[[faults.rules]]\nfault = { on = \"call\", endpoint = \"create\", fault = { kind = \"garbage\", shape = \"empty\" } }\n";
    let stage = Stage::new("", rule);
    let _engine = stage.start();
    let (id, lock) = stage.order("k");
    stage.to_executed(&id);
    let history = stage.get(&format!("/v1/orders/{id}/history")).body.to_string();
    assert!(history.contains("create_unknown"), "{history}");
    let ledger = stage.ledger();
    assert_eq!(ledger["calls"]["create"]["received"], 1);
    assert_eq!(
        ledger["orders_per_lock"][lock["lockId"].as_str().unwrap()].as_array().unwrap().len(),
        1
    );
    until("nobody is asked", || stage.show(&id)["review"] == json!([]));
}
