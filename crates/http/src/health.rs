//! How the engine is, for people and for what watches it.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    routing::{MethodRouter, get},
};
use orderkeep_core::StateName;
use orderkeep_driver::{Engine, EngineError, GateState};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::{problem::Problem, restore::RestoreView};

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "watching", operation_id = "getHealth", security(()),
    responses((status = 200, body = String, content_type = "text/plain", description = "`ok`")))]
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// Whether work may be sent here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// Always: who is not ready answers a problem.
    ready: bool,
    /// A provider cannot be reached as usual; webhooks must still arrive.
    degraded: bool,
    checks: Checks,
}

/// What was looked at.
#[derive(Debug, Serialize, ToSchema)]
struct Checks {
    /// `ok`.
    store: &'static str,
    /// Each account's provider: `flowing`, `throttled`, `down` or `denied`.
    providers: BTreeMap<String, String>,
}

/// Whether work may be sent here: the store takes orders, and the engine is not going down.
#[utoipa::path(get, path = "/readyz", tag = "watching", operation_id = "getReadiness", security(()),
    responses((status = 200, body = Readiness, description = "It may")))]
#[expect(dead_code, reason = "the document's; the route is made with what ends it")]
pub(crate) fn documented_ready() {}

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
async fn ready(engine: &Engine) -> Result<Json<Readiness>, Problem> {
    let status = engine.status().await?;
    if let Some(why) = status.halted {
        return Err(EngineError::Halted(why).into());
    }
    if let Some(why) = status.full {
        return Err(EngineError::Full(why).into());
    }
    let degraded = status.accounts.values().any(|account| account.gate != GateState::Flowing);
    let providers =
        status.accounts.iter().map(|(id, account)| (id.clone(), word(account.gate))).collect();
    let checks = Checks { store: "ok", providers };
    Ok(Json(Readiness { ready: true, degraded, checks }))
}

/// How the engine is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Status)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusView {
    /// Why it has halted, if it has.
    halted: Option<String>,
    /// Why new orders are refused, if the disk is full.
    full: Option<String>,
    /// How many orders are in each state.
    #[schema(value_type = BTreeMap<String, u64>)]
    orders: BTreeMap<StateName, u64>,
    /// How many have not ended.
    open: u64,
    /// How many need a person.
    review: u64,
    /// That the store began as an older copy.
    restore: Option<RestoreView>,
    /// Webhooks that wait to be worked off, parked ones included.
    inbox: u64,
    /// Each account and its provider.
    accounts: BTreeMap<String, AccountView>,
    since_start: SinceStart,
}

/// An account's provider, as its calls show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountStatus)]
#[serde(rename_all = "camelCase")]
struct AccountView {
    /// `flowing`, `throttled`, `down` or `denied`.
    provider: String,
    /// Calls that wait for the budget.
    waiting: usize,
    /// How far our clock is ahead of the provider's, if that is known.
    clock_ahead_ms: Option<i64>,
    /// How late its webhooks run, if that is known.
    webhooks_late_ms: Option<u64>,
    /// How closely orders are read for it.
    polling: &'static str,
}

/// Counters that begin at zero with each start.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SinceStart {
    webhooks_taken: u64,
    /// No token, too large, malformed.
    webhooks_refused: u64,
    /// Not about orders.
    webhooks_other_kind: u64,
    /// They said nothing new.
    webhooks_duplicate: u64,
    creates_sent: u64,
    /// Reads of provider orders.
    reads: u64,
    /// Reads that brought no answer.
    read_failures: u64,
    /// Steps made durable.
    steps: u64,
    /// Inputs that could not be worked with.
    quarantined: u64,
}

/// How the engine is: what it carries, and what it did since its start.
#[utoipa::path(get, path = "/v1/status", tag = "operator", operation_id = "getStatus",
    responses((status = 200, body = StatusView, description = "How it is")))]
pub(crate) async fn status(State(engine): State<Engine>) -> Result<Json<StatusView>, Problem> {
    let status = engine.status().await?;
    let accounts = status.accounts.iter().map(|(id, account)| {
        let view = AccountView {
            provider: word(account.gate),
            waiting: account.waiting,
            clock_ahead_ms: account.clock_ahead_ms,
            webhooks_late_ms: account
                .webhooks_late
                .and_then(|late| late.as_millis().try_into().ok()),
            polling: account.polling.as_str(),
        };
        (id.clone(), view)
    });
    Ok(Json(StatusView {
        accounts: accounts.collect(),
        restore: status.restore.as_ref().map(RestoreView::from),
        halted: status.halted,
        full: status.full,
        orders: status.orders,
        open: status.open,
        review: status.review,
        inbox: status.inbox,
        since_start: SinceStart {
            webhooks_taken: status.webhooks_taken,
            webhooks_refused: status.webhooks_refused,
            webhooks_other_kind: status.webhooks_other_kind,
            webhooks_duplicate: status.webhooks_duplicate,
            creates_sent: status.creates_sent,
            reads: status.reads,
            read_failures: status.read_failures,
            steps: status.steps,
            quarantined: status.quarantined,
        },
    }))
}

fn word(gate: GateState) -> String {
    format!("{gate:?}").to_lowercase()
}
