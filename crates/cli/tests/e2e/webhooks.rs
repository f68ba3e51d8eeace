//! Bad webhooks, and the answer.

use serde_json::{Value, json};

use crate::stage::{Answer, Stage, TOKEN};

const ORDER: &str = "a44a0805-dd40-4dc4-80d7-8bc81783ec42";

fn hook(stage: &Stage, token: Option<&str>, more: &[(&str, &str)], body: Vec<u8>) -> Answer {
    let mut headers: Vec<(&str, &str)> = more.to_vec();
    if let Some(token) = token {
        headers.push(("authorization", token));
    }
    stage.http.send("POST", &format!("{}/webhooks/p100", stage.url), &headers, body)
}

fn inbox(stage: &Stage) -> Value {
    stage.get("/v1/status").body["inbox"].clone()
}

#[test]
fn webhooks_are_checked_before_they_are_read_and_kept_before_they_are_answered() {
    let stage = Stage::new("", "");
    let _engine = stage.start();
    let body =
        json!({ "orderId": ORDER, "lockId": "b", "status": "COMPLETED" }).to_string().into_bytes();

    hook(&stage, None, &[], body.clone()).is_problem(401, "unauthorized", "token");
    hook(&stage, Some("wrong"), &[], body.clone()).is_problem(401, "unauthorized", "token");
    // Garbage with a wrong token: the token is what is wrong, the body was not looked at.
    hook(&stage, Some("wrong"), &[], b"\xff{".to_vec()).is_problem(401, "unauthorized", "token");
    hook(&stage, Some(TOKEN), &[], b"\xff{".to_vec()).is_problem(400, "malformed", "webhook");
    hook(&stage, Some(TOKEN), &[], vec![b' '; 100 * 1024]).is_problem(413, "too_large", "longer");
    let compressed = [("content-encoding", "gzip")];
    hook(&stage, Some(TOKEN), &compressed, body.clone()).is_problem(
        415,
        "compressed",
        "compressed",
    );
    let deposit = json!({ "cryptoDepositId": ORDER, "status": "SUCCESSFUL", "amount": 0.001 });
    assert_eq!(hook(&stage, Some(TOKEN), &[], deposit.to_string().into_bytes()).status, 200);
    assert_eq!(inbox(&stage), 0, "none of these is kept");

    // An order that nobody here knows: kept, in case it becomes known.
    assert_eq!(hook(&stage, Some(TOKEN), &[], body).status, 200);
    assert_eq!(inbox(&stage), 1);
    stage.secrets_are_kept();
}

#[test]
fn odd_and_forged_webhooks_neither_fail_nor_finish_an_order() {
    let stage = Stage::new("", "");
    let _engine = stage.start();
    let (id, lock) = stage.order("k");
    crate::stage::until("an address", || stage.show(&id)["address"].is_string());
    let order = stage.show(&id);
    for (status, address) in [
        ("SOMETHING_NEW", &order["address"]),
        ("COMPLETED", &order["address"]),
        ("FAILED", &json!("0xforged")),
    ] {
        let body = json!({
            "orderId": order["providerOrderId"], "lockId": lock["lockId"], "status": status,
            "walletAddress": address, "receivedAmount": "1000000.5", "colour": { "never": "seen" },
        });
        assert_eq!(hook(&stage, Some(TOKEN), &[], body.to_string().into_bytes()).status, 200);
    }
    crate::stage::until("worked off", || inbox(&stage) == 0);
    let after = stage.show(&id);
    assert_eq!(
        (&after["state"], &after["address"]),
        (&json!("AwaitingPayment"), &order["address"])
    );
    assert_eq!(after["payment"]["kind"], "none");
    stage.to_executed(&id);
}
