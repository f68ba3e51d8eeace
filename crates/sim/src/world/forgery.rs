//! Webhooks that the provider did not send, with the right token: it leaked.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::plan::Forged;

const FALSE_ADDRESS: &str = "0x00000000000000000000000000000000000f0f0e";

/// The body; `None` if there is nothing to forge. `true_body`: what the provider would say of the sale's order.
pub(super) fn body(
    says: Forged,
    lock_id: &str,
    true_body: Option<&str>,
    invented: Uuid,
) -> Option<String> {
    let known: Option<Value> = true_body.and_then(|body| serde_json::from_str(body).ok());
    let mut body = match says {
        Forged::OrderOfOurLock => made_up(invented, lock_id),
        Forged::Stranger => made_up(invented, &invented.to_string()),
        Forged::Address | Forged::End | Forged::AnotherLock | Forged::UnknownWord => known?,
    };
    match says {
        Forged::OrderOfOurLock | Forged::Stranger => {}
        Forged::Address => body["walletAddress"] = json!(FALSE_ADDRESS),
        Forged::End => {
            let executed = body["status"] == "COMPLETED";
            body["status"] = json!(if executed { "EXPIRED" } else { "COMPLETED" });
            body["receivedAmount"] = body["totalAmountRequired"].clone();
        }
        Forged::AnotherLock => body["lockId"] = json!(invented.to_string()),
        Forged::UnknownWord => body["status"] = json!("ON_HOLD"),
    }
    Some(body.to_string())
}

fn made_up(order_id: Uuid, lock_id: &str) -> Value {
    json!({
        "orderId": order_id.to_string(),
        "lockId": lock_id,
        "status": "WAITING_FOR_PAYMENT",
        "createdAt": "2026-03-01T12:00:00.000Z",
        "expiresAt": "2026-03-01T13:00:00.000Z",
        "confirmations": 0,
        "requiredConfirmations": 2,
        "receivedAmount": 0,
        "totalAmountRequired": 119.047619,
        "cryptocurrency": "usdc",
        "walletAddress": FALSE_ADDRESS,
        "transactionHash": null,
        "network": "POLYGON",
    })
}
