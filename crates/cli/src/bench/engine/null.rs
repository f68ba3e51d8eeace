//! The limit: a service that does the engine's HTTP exchange and keeps nothing.
//!
//! The same server, the same client of the provider, the same tokens checked and bodies read, the same calls: one create
//! for each submit and, unless webhooks are trusted, one read for each webhook that moves money. Between them stands
//! a map in memory. It forgets everything when it ends, sends twice when its caller does, and checks nothing.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path as InPath, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use orderkeep::{
    AccountId, Clock as _, LockId, Observation, ProviderOrderId, ProviderStatus, SystemClock,
    p100::P100,
    provider::{Heard, Provider as _},
};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    exit::Failure,
    listen,
    settings::{self, Settings},
};

/// Creates on their way at once: the engine's budget in this benchmark.
const CALLS_MAX: usize = 256;
/// The longest that a caller is kept waiting: the engine's limit.
const WAIT_MAX: Duration = Duration::from_secs(50);

#[derive(Debug)]
struct Null {
    client: P100,
    /// Read before an address or an end is believed.
    verifies: bool,
    calls: Semaphore,
    orders: Mutex<HashMap<Uuid, watch::Sender<&'static str>>>,
    bound: Mutex<HashMap<ProviderOrderId, Uuid>>,
    /// Heard before the create was answered.
    early: Mutex<HashMap<ProviderOrderId, Vec<Observation>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) async fn run(config: &Path) -> Result<(), Failure> {
    let settings: Settings = settings::read(config)?;
    let account = AccountId::main();
    let accounts = settings.accounts()?;
    let provider =
        accounts.get(&account).ok_or_else(|| Failure::config("`provider` must be set"))?;
    let policy = settings.engine().policy;
    let null = Arc::new(Null {
        client: P100::new(provider.p100(&account)?).map_err(Failure::config)?,
        verifies: !(policy.trust_claimed_address
            && policy.trust_claimed_executed
            && policy.trust_claimed_failed),
        calls: Semaphore::new(CALLS_MAX),
        orders: Mutex::default(),
        bound: Mutex::default(),
        early: Mutex::default(),
    });
    let router = Router::new()
        .route("/v1/orders", post(submit))
        .route("/v1/orders/{id}/wait", get(wait))
        .route("/webhooks/p100", post(webhook))
        .route("/healthz", get(|| std::future::ready("alive")))
        .with_state(null);
    let listener = listen::open(settings.listen).await?;
    let server = listen::Server { listener, tls: None, limits: settings.limits };
    server.serve(router, CancellationToken::new(), std::future::pending()).await;
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SubmitBody {
    lock_answer: Box<RawValue>,
}

#[derive(Debug, Serialize)]
struct View {
    id: Uuid,
    state: &'static str,
}

async fn submit(State(null): State<Arc<Null>>, Json(body): Json<SubmitBody>) -> Response {
    let terms = match null.client.read_lock(body.lock_answer.get().as_bytes()) {
        Ok(terms) => terms,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let id = Uuid::now_v7();
    lock(&null.orders).insert(id, watch::Sender::new("Locked"));
    tokio::spawn(create(null, id, terms.lock_id));
    (StatusCode::CREATED, Json(View { id, state: "Locked" })).into_response()
}

async fn create(null: Arc<Null>, id: Uuid, lock_id: LockId) {
    let Ok(_place) = null.calls.acquire().await else { return };
    let Ok(provider_order) = null.client.create(&lock_id).await else { return };
    lock(&null.bound).insert(provider_order.clone(), id);
    let early = lock(&null.early).remove(&provider_order);
    for seen in early.into_iter().flatten() {
        null.take(id, &seen);
    }
}

async fn webhook(State(null): State<Arc<Null>>, headers: HeaderMap, body: Bytes) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
    if !null.client.is_authentic(authorization) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match null.client.read_webhook(&body, SystemClock.now()) {
        Ok(Heard::Order(seen)) => {
            let moves_money = !matches!(seen.status, ProviderStatus::Confirming);
            if null.verifies && moves_money {
                tokio::spawn(verify(null, seen.provider_order.clone()));
            } else {
                null.hear(*seen);
            }
            Json(json!({})).into_response()
        }
        Ok(Heard::Unreadable { .. } | Heard::OtherKind { .. }) => Json(json!({})).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

async fn verify(null: Arc<Null>, provider_order: ProviderOrderId) {
    if let Ok(Some(seen)) = null.client.details(&provider_order, SystemClock.now()).await {
        null.hear(seen);
    }
}

impl Null {
    fn hear(&self, seen: Observation) {
        let bound = lock(&self.bound).get(&seen.provider_order).copied();
        if let Some(id) = bound {
            self.take(id, &seen);
            return;
        }
        let provider_order = seen.provider_order.clone();
        lock(&self.early).entry(provider_order.clone()).or_default().push(seen);
        // The create may have been answered in between.
        let bound = lock(&self.bound).get(&provider_order).copied();
        if let Some(id) = bound {
            let early = lock(&self.early).remove(&provider_order);
            for seen in early.into_iter().flatten() {
                self.take(id, &seen);
            }
        }
    }

    fn take(&self, id: Uuid, seen: &Observation) {
        if let Some(order) = lock(&self.orders).get(&id) {
            let ended = seen.status == ProviderStatus::Executed;
            let state = if ended { "Executed" } else { "AwaitingPayment" };
            order.send_if_modified(|now| {
                let moves = *now != "Executed" && *now != state;
                if moves {
                    *now = state;
                }
                moves
            });
        }
    }
}

async fn wait(State(null): State<Arc<Null>>, InPath(id): InPath<Uuid>) -> Response {
    let Some(mut order) = lock(&null.orders).get(&id).map(watch::Sender::subscribe) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let ended = order.wait_for(|state| *state == "Executed");
    drop(tokio::time::timeout(WAIT_MAX, ended).await);
    let state = *order.borrow();
    Json(View { id, state }).into_response()
}
