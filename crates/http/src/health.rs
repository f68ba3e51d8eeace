//! How the engine is, for people and for what watches it.

use axum::{Json, extract::State, http::StatusCode};
use orderkeep_driver::{Engine, EngineError};
use serde_json::{Value, json};

use crate::problem::Problem;

/// The process answers.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// The store takes orders. A provider that is down does not make the engine unready: its webhooks must still arrive.
pub(crate) async fn ready(State(engine): State<Engine>) -> Result<Json<Value>, Problem> {
    let status = engine.status().await?;
    if let Some(why) = status.halted {
        return Err(EngineError::Halted(why).into());
    }
    if let Some(why) = status.full {
        return Err(EngineError::Full(why).into());
    }
    Ok(Json(json!({ "ready": true })))
}

pub(crate) async fn status(
    State(engine): State<Engine>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let status = engine.status().await?;
    let accounts: serde_json::Map<String, Value> = status
        .accounts
        .iter()
        .map(|(id, account)| {
            let shown = json!({ "provider": format!("{:?}", account.gate).to_lowercase(), "waiting": account.waiting });
            (id.clone(), shown)
        })
        .collect();
    let body = json!({
        "halted": status.halted,
        "full": status.full,
        "orders": status.orders,
        "open": status.open,
        "review": status.review,
        "inbox": status.inbox,
        "accounts": accounts,
        "sinceStart": {
            "webhooksTaken": status.webhooks_taken,
            "webhooksRefused": status.webhooks_refused,
            "webhooksOtherKind": status.webhooks_other_kind,
            "webhooksDuplicate": status.webhooks_duplicate,
            "createsSent": status.creates_sent,
            "reads": status.reads,
            "readFailures": status.read_failures,
            "steps": status.steps,
            "quarantined": status.quarantined,
        },
    });
    Ok((StatusCode::OK, Json(body)))
}
