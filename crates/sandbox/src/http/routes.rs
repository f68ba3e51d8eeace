//! The control API: [`Control`] as JSON over HTTP. Its errors are `{"error": "..."}` with a sentence that says what
//! to do.

use std::{str::FromStr, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Request, State},
    http::{Response, StatusCode, header},
    middleware::{self, Next},
    response::IntoResponse,
    routing::{get, post},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{control::Control, shared::Shared};
use crate::{
    amount,
    faults::{FaultScript, OutageMode},
    model::{ControlError, OrderRef},
};

/// Largest body read: a script of a thousand rules.
const BODY_MAX: usize = 1024 * 1024;

pub(crate) fn routes(shared: Arc<Shared>) -> Router {
    let control = Control::new(Arc::clone(&shared));
    Router::new()
        .route("/_control/pay", post(pay))
        .route("/_control/advance", post(advance))
        .route("/_control/reverse", post(reverse))
        .route("/_control/fail", post(fail))
        .route("/_control/reorg", post(reorg))
        .route("/_control/faults", post(faults))
        .route("/_control/outage", post(outage))
        .route("/_control/webhook", post(webhook))
        .route("/_control/config", post(config))
        .route("/_control/ledger", get(ledger))
        .route("/_control/ledger/summary", get(summary))
        .route("/_control/health", get(health))
        .with_state(control)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .route_layer(middleware::from_fn_with_state(shared, authorize))
}

async fn authorize(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    if let Some(token) = &shared.control_token {
        let sent = request.headers().get(header::AUTHORIZATION).and_then(|sent| sent.to_str().ok());
        if sent.and_then(|sent| sent.strip_prefix("Bearer ")) != Some(token.expose()) {
            return Refusal::new(
                StatusCode::UNAUTHORIZED,
                "the control API needs its bearer token",
            )
            .into_response();
        }
    }
    next.run(request).await
}

struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        (self.status, axum::Json(serde_json::json!({ "error": self.message }))).into_response()
    }
}

impl From<ControlError> for Refusal {
    fn from(error: ControlError) -> Self {
        let status = match &error {
            ControlError::UnknownOrder(_) => StatusCode::NOT_FOUND,
            ControlError::NoAddress(_)
            | ControlError::NothingMissing(_)
            | ControlError::WrongStage { .. } => StatusCode::CONFLICT,
            ControlError::BadAmount(_)
            | ControlError::TooManyTransactions(_)
            | ControlError::BadDelay(_) => StatusCode::BAD_REQUEST,
            ControlError::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
        };
        Self::new(status, error.to_string())
    }
}

type Answered<T> = Result<axum::Json<T>, Refusal>;

#[derive(Serialize)]
struct Done {
    ok: bool,
}

const DONE: axum::Json<Done> = axum::Json(Done { ok: true });

fn decode<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::bad(format!("body: {error}")))
}

/// Names an order by its id or by its address.
#[derive(Deserialize)]
struct OrderName {
    #[serde(rename = "orderId")]
    order_id: Option<String>,
    address: Option<String>,
}

impl OrderName {
    fn read(self) -> Result<OrderRef, Refusal> {
        match (self.order_id, self.address) {
            (Some(id), None) => Uuid::from_str(&id)
                .map(OrderRef::Id)
                .map_err(|_| Refusal::bad(format!("orderId: {id} is not a UUID"))),
            (None, Some(address)) => Ok(OrderRef::Address(address)),
            (Some(_), Some(_)) | (None, None) => {
                Err(Refusal::bad("name the order by either orderId or address"))
            }
        }
    }
}

fn read_amount(text: Option<String>) -> Result<Option<Decimal>, Refusal> {
    text.map(|text| amount::positive(&text).ok_or_else(|| ControlError::BadAmount(text).into()))
        .transpose()
}

#[derive(Deserialize)]
struct Pay {
    #[serde(flatten)]
    order: OrderName,
    amount: Option<String>,
    transactions: Option<usize>,
    after_ms: Option<i64>,
}

#[derive(Serialize)]
struct Paid {
    transactions: Vec<String>,
}

async fn pay(State(control): State<Control>, body: Bytes) -> Answered<Paid> {
    let asked: Pay = decode(&body)?;
    let order = asked.order.read()?;
    let amount = read_amount(asked.amount)?;
    let transactions = control.pay(
        &order,
        amount,
        asked.transactions.unwrap_or(1),
        asked.after_ms.unwrap_or(0),
    )?;
    Ok(axum::Json(Paid { transactions }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    ms: i64,
}

#[derive(Serialize)]
struct Now {
    now_ms: i64,
}

async fn advance(State(control): State<Control>, body: Bytes) -> Answered<Now> {
    let asked: Advance = decode(&body)?;
    Ok(axum::Json(Now { now_ms: control.advance(asked.ms)? }))
}

async fn reverse(State(control): State<Control>, body: Bytes) -> Answered<Done> {
    let asked: OrderName = decode(&body)?;
    control.reverse(&asked.read()?)?;
    Ok(DONE)
}

#[derive(Deserialize)]
struct Fail {
    #[serde(flatten)]
    order: OrderName,
    reason: String,
}

async fn fail(State(control): State<Control>, body: Bytes) -> Answered<Done> {
    let asked: Fail = decode(&body)?;
    control.fail(&asked.order.read()?, asked.reason)?;
    Ok(DONE)
}

#[derive(Deserialize)]
struct Reorg {
    #[serde(flatten)]
    order: OrderName,
    amount: Option<String>,
}

#[derive(Serialize)]
struct Taken {
    taken: String,
}

async fn reorg(State(control): State<Control>, body: Bytes) -> Answered<Taken> {
    let asked: Reorg = decode(&body)?;
    let amount = read_amount(asked.amount)?;
    let taken = control.reorganise(&asked.order.read()?, amount)?;
    Ok(axum::Json(Taken { taken: amount::plain(taken) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Preset {
    preset: String,
}

/// A whole script, or `{"preset": "rough"}`.
async fn faults(State(control): State<Control>, body: Bytes) -> Answered<Done> {
    let script = match serde_json::from_slice::<Preset>(&body) {
        Ok(Preset { preset }) => FaultScript::preset(&preset)
            .ok_or_else(|| Refusal::bad(format!("preset {preset}: there are none and rough")))?,
        Err(_) => decode(&body)?,
    };
    control.set_faults(script).map_err(|error| Refusal::bad(error.to_string()))?;
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StartOutage {
    ms: i64,
    mode: OutageMode,
}

async fn outage(State(control): State<Control>, body: Bytes) -> Answered<Done> {
    let asked: StartOutage = decode(&body)?;
    control.start_outage(asked.ms, asked.mode)?;
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByHand {
    /// Sent as it is, byte for byte.
    body: Box<RawValue>,
    token: Option<String>,
}

#[derive(Serialize)]
struct Posted {
    delivery: u64,
}

async fn webhook(State(control): State<Control>, body: Bytes) -> Answered<Posted> {
    let asked: ByHand = decode(&body)?;
    let visible = |token: &String| token.bytes().all(|b| (0x20..0x7f).contains(&b));
    if asked.token.as_ref().is_some_and(|token| !visible(token)) {
        return Err(Refusal::bad("token: visible ASCII only"));
    }
    let delivery = control.send_webhook(asked.body.get().to_owned(), asked.token)?;
    Ok(axum::Json(Posted { delivery }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Configure {
    /// Null stops webhooks.
    webhook_url: Option<String>,
}

async fn config(State(control): State<Control>, body: Bytes) -> Answered<Done> {
    let asked: Configure = decode(&body)?;
    control
        .set_webhook_url(asked.webhook_url.as_deref())
        .map_err(|error| Refusal::bad(error.to_string()))?;
    Ok(DONE)
}

async fn ledger(State(control): State<Control>) -> impl IntoResponse {
    axum::Json(control.ledger())
}

async fn summary(State(control): State<Control>) -> impl IntoResponse {
    axum::Json(control.summary())
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    now_ms: i64,
}

async fn health(State(control): State<Control>) -> impl IntoResponse {
    axum::Json(Health { status: "ok", now_ms: control.now_ms() })
}
