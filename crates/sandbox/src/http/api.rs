//! The provider's four calls as routes. They translate between HTTP and the model's plain data, nothing more.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use tokio::time::sleep;

use super::{connection::CutConnection, shared::Shared};
use crate::model::{Answer, Key, Reply, Request, Wire};

/// Largest body read. The documented ones are under a hundred bytes.
const BODY_MAX: usize = 16 * 1024;

/// Longest that an unanswered call is kept, for clients that never give up.
const SILENCE_MAX: Duration = Duration::from_secs(300);

pub(crate) fn routes(shared: Arc<Shared>, rates_path: &str) -> Router {
    Router::new()
        .route("/v1/order/lock-rate", post(lock_rate))
        .route("/v1/order", post(create))
        .route("/v1/order/details/{order_id}", get(details))
        .route(rates_path, get(rates))
        .with_state(shared)
}

async fn lock_rate(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let body = read(body).await;
    call(&shared, &headers, &Request::Lock(&body)).await
}

async fn create(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let body = read(body).await;
    call(&shared, &headers, &Request::Create(&body)).await
}

async fn details(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(order_id): Path<String>,
) -> Response<Body> {
    call(&shared, &headers, &Request::Details(&order_id)).await
}

async fn rates(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    call(&shared, &headers, &Request::Rates).await
}

/// A body that is too large or breaks off reads as empty, which no call accepts: P403 by the ordinary way.
async fn read(body: Body) -> Vec<u8> {
    to_bytes(body, BODY_MAX).await.map(Vec::from).unwrap_or_default()
}

async fn call(shared: &Shared, headers: &HeaderMap, request: &Request<'_>) -> Response<Body> {
    let key = match headers.get("x-api-key") {
        None => Key::Missing,
        Some(sent) if sent.as_bytes() == shared.api_key.expose().as_bytes() => Key::Right,
        Some(_) => Key::Wrong,
    };
    let Reply { after_ms, wire } = shared.change(|model, now| model.call(now, key, request));
    if after_ms > 0 {
        sleep(shared.wall(after_ms)).await;
    }
    match wire {
        Wire::Answer(answer) => respond(answer),
        Wire::Closed | Wire::Refused => cut(),
        Wire::Silence => {
            // A client that gives up closes its connection, and this future is dropped with it.
            tokio::select! {
                () = sleep(SILENCE_MAX) => {}
                () = shared.stop.cancelled() => {}
            }
            cut()
        }
    }
}

fn respond(answer: Answer) -> Response<Body> {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if let Some(seconds) = answer.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn cut() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(CutConnection);
    response
}
