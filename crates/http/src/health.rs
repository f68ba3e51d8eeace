//! How the engine is, for people and for what watches it.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    routing::{MethodRouter, get},
};
use orderkeep_driver::{Engine, EngineError, GateState};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{problem::Problem, restore::RestoreView};

/// The process answers.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// The route that says whether work may be sent here.
pub(crate) fn ready_route(closing: CancellationToken) -> MethodRouter<Engine> {
    get(move |State(engine): State<Engine>| async move {
        // Whoever sends work here learns of the end first.
        if closing.is_cancelled() {
            return Err(EngineError::ShuttingDown.into());
        }
        ready(&engine).await
    })
}

/// The store takes orders. A provider that is down does not make the engine unready, only degraded: its webhooks must
/// still arrive.
async fn ready(engine: &Engine) -> Result<Json<Value>, Problem> {
    let status = engine.status().await?;
    if let Some(why) = status.halted {
        return Err(EngineError::Halted(why).into());
    }
    if let Some(why) = status.full {
        return Err(EngineError::Full(why).into());
    }
    let degraded = status.accounts.values().any(|account| account.gate != GateState::Flowing);
    let providers: BTreeMap<&String, String> =
        status.accounts.iter().map(|(id, account)| (id, word(account.gate))).collect();
    let checks = json!({ "store": "ok", "providers": providers });
    Ok(Json(json!({ "ready": true, "degraded": degraded, "checks": checks })))
}

pub(crate) async fn status(
    State(engine): State<Engine>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let status = engine.status().await?;
    let accounts: serde_json::Map<String, Value> = status
        .accounts
        .iter()
        .map(|(id, account)| {
            let late = account.webhooks_late.map(|late| u64::try_from(late.as_millis()).ok());
            let shown = json!({
                "provider": word(account.gate),
                "waiting": account.waiting,
                "clockAheadMs": account.clock_ahead_ms,
                "webhooksLateMs": late.flatten(),
                "polling": account.polling.as_str(),
            });
            (id.clone(), shown)
        })
        .collect();
    let body = json!({
        "halted": status.halted,
        "full": status.full,
        "orders": status.orders,
        "open": status.open,
        "review": status.review,
        "restore": status.restore.as_ref().map(RestoreView::from),
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

fn word(gate: GateState) -> String {
    format!("{gate:?}").to_lowercase()
}
