//! Waiting for an order: a question that is answered when there is something to say.

use std::time::Duration;

use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use orderkeep_core::{OrderId, StateName};
use orderkeep_driver::{Engine, EngineError};
use serde::{Deserialize, Deserializer, de::Error as _};
use utoipa::IntoParams;

use crate::{
    Closing,
    json::QueryOf,
    limits::{Limits, Places},
    orders::{answer, no_such_order, order_id, state_name},
    problem::Problem,
    view::OrderView,
};

/// How long a wait lasts, unless asked otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Says why the wait is over: `reached`, `ended` or `timed_out`.
const WAIT_END: HeaderName = HeaderName::from_static("wait-end");

/// How many waits may be open at once, and how long each.
#[derive(Debug, Clone)]
pub(crate) struct Waits {
    places: Places,
    longest: Duration,
}

impl Waits {
    pub(crate) fn new(limits: Limits) -> Self {
        let busy = ("as many waits are open as this engine allows", 5);
        let places = Places::new(limits.waits, busy);
        Self { places, longest: limits.wait_max() }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WaitQuery {
    /// The state that is waited for.
    #[serde(rename = "for")]
    #[param(schema_with = state_name)]
    wanted: String,
    /// How long at most, such as `30s` (the default) or a number of seconds; never longer than five sixths of what a request may take: 50 seconds, unless configured otherwise.
    #[serde(default, deserialize_with = "duration")]
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,6}(s|ms)?$")]
    timeout: Option<Duration>,
}

/// A duration as people write it, or a number of seconds.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let seconds = text.parse::<u64>().ok().map(Duration::from_secs);
    let span = || Duration::try_from(text.parse::<jiff::SignedDuration>().ok()?).ok();
    seconds.or_else(span).map(Some).ok_or_else(|| {
        D::Error::custom(format!("timeout: `{text}` is no duration; write it like 30s or 500ms"))
    })
}

/// Waits until the order is in a state, has ended, or the time is over; then answers it as it is.
#[utoipa::path(get, path = "/v1/orders/{id}/wait", tag = "orders", operation_id = "waitForOrder", params(("id" = OrderId, Path), WaitQuery),
    responses((status = 200, body = OrderView, description = "The order, whatever ended the wait",
        headers(("Wait-End" = String, description = "`reached`, `ended` or `timed_out`"),
            ("ETag" = String, description = "The order's version")))))]
pub(crate) async fn until(
    State(engine): State<Engine>,
    Extension(Closing(closing)): Extension<Closing>,
    Extension(waits): Extension<Waits>,
    Path(id): Path<String>,
    QueryOf(query): QueryOf<WaitQuery>,
) -> Result<Response, Problem> {
    let _place = waits.places.take()?;
    tokio::select! {
        () = closing.cancelled() => Err(EngineError::ShuttingDown.into()),
        answer = wait(&engine, &id, query, waits.longest) => answer,
    }
}

async fn wait(
    engine: &Engine,
    id: &str,
    query: WaitQuery,
    longest: Duration,
) -> Result<Response, Problem> {
    let id = order_id(id)?;
    let wanted: StateName =
        query.wanted.parse().map_err(|error: orderkeep_core::state::BadStateName| {
            Problem::bad_request(format!("for: {error}")).in_parameter("for")
        })?;
    let within = query.timeout.unwrap_or(TIMEOUT).min(longest);
    let waited = engine.wait(id, wanted, within).await?.ok_or_else(|| no_such_order(id))?;
    let mut response = answer(StatusCode::OK, &waited.order);
    response.headers_mut().insert(WAIT_END, HeaderValue::from_static(waited.end.name()));
    Ok(response)
}
