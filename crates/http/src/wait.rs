//! Waiting for an order: a question that is answered when there is something to say.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderName, HeaderValue},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use orderkeep_core::StateName;
use orderkeep_driver::{Engine, EngineError};
use serde::{Deserialize, Deserializer, de::Error as _};
use tokio_util::sync::CancellationToken;

use crate::{
    json::QueryOf,
    orders::{no_such_order, order_id},
    problem::Problem,
    view::OrderView,
};

/// How long a wait lasts, unless asked otherwise, and at most: below the time after which requests are given up.
const TIMEOUT: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(50));
/// Says why the wait is over: `reached`, `ended` or `timed_out`.
const WAIT_END: HeaderName = HeaderName::from_static("wait-end");

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WaitQuery {
    #[serde(rename = "for")]
    wanted: String,
    #[serde(default, deserialize_with = "duration")]
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

/// The route. The order is answered as it is when the wait is over, whatever ended it.
pub(crate) fn route(closing: CancellationToken) -> MethodRouter<Engine> {
    get(
        move |State(engine): State<Engine>,
              Path(id): Path<String>,
              QueryOf(query): QueryOf<WaitQuery>| {
            let closing = closing.clone();
            async move {
                tokio::select! {
                    () = closing.cancelled() => Err(EngineError::ShuttingDown.into()),
                    answer = wait(&engine, &id, query) => answer,
                }
            }
        },
    )
}

async fn wait(engine: &Engine, id: &str, query: WaitQuery) -> Result<Response, Problem> {
    let id = order_id(id)?;
    let wanted: StateName =
        query.wanted.parse().map_err(|error: orderkeep_core::state::BadStateName| {
            Problem::bad_request(format!("for: {error}"))
        })?;
    let within = query.timeout.unwrap_or(TIMEOUT.0).min(TIMEOUT.1);
    let waited = engine.wait(id, wanted, within).await?.ok_or_else(|| no_such_order(id))?;
    let mut response = Json(OrderView::from(&waited.order)).into_response();
    response.headers_mut().insert(WAIT_END, HeaderValue::from_static(waited.end.name()));
    Ok(response)
}
