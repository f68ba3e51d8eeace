//! Where the provider's webhooks arrive: token first, then the body, then 200.

use axum::{
    body::{Body, to_bytes},
    extract::State,
    http::{HeaderMap, header},
    routing::{MethodRouter, post},
};
use orderkeep_core::AccountId;
use orderkeep_driver::{Engine, WebhookError};
use serde_json::{Value, json};

use crate::{
    limits::Limits,
    problem::{Code, Problem},
};

/// Far above any webhook; the engine's own limit is the one that speaks.
const BODY_BYTES_MAX: usize = 1024 * 1024;

pub(crate) fn receiver(account: AccountId, limits: Limits) -> MethodRouter<Engine> {
    post(move |State(engine): State<Engine>, headers: HeaderMap, body: Body| {
        let account = account.clone();
        async move { receive(&engine, &account, limits, &headers, body).await }
    })
}

/// Where the provider's webhooks arrive: the token is checked first, then the body is made durable, then it is
/// answered. The path is the configured one; this is the default.
#[utoipa::path(post, path = "/webhooks/p100", tag = "webhooks in", operation_id = "receiveWebhook",
    params(("Authorization" = String, Header, description = "The webhook token that the provider was given.")),
    request_body(content = serde_json::Value, description = "As the provider sends it"),
    security(()),
    responses((status = 200, body = serde_json::Value, description = "Durable")))]
#[expect(dead_code, reason = "the document's; the route is made per account")]
pub(crate) fn documented() {}

/// Other kinds of webhooks may arrive below that path; they are kept, and passed on to `webhooks.forward_url`.
#[utoipa::path(post, path = "/webhooks/p100/{kind}", tag = "webhooks in", operation_id = "receiveOtherWebhook",
    params(("kind" = String, Path, description = "The rest of the path."),
        ("Authorization" = String, Header, description = "The webhook token that the provider was given.")),
    request_body(content = serde_json::Value, description = "As the provider sends it"),
    security(()),
    responses((status = 200, body = serde_json::Value, description = "Durable")))]
#[expect(dead_code, reason = "the document's; the route is made per account")]
pub(crate) fn documented_other() {}

/// The provider looks whether anybody is here, at any path below that one.
#[utoipa::path(get, path = "/webhooks/p100/{kind}", tag = "webhooks in", operation_id = "checkWebhooksBelow",
    params(("kind" = String, Path, description = "The rest of the path.")), security(()),
    responses((status = 200, body = serde_json::Value, description = "Somebody is")))]
#[expect(dead_code, reason = "the document's; the route is made per account")]
pub(crate) fn documented_health_below() {}

/// The provider looks whether anybody is here.
#[utoipa::path(get, path = "/webhook/health", tag = "webhooks in", operation_id = "checkWebhooks", security(()),
    responses((status = 200, body = serde_json::Value, description = "Somebody is")))]
#[expect(dead_code, reason = "the document's; the route is made per listener")]
pub(crate) fn documented_health() {}

/// The provider looks whether anybody is here. (assumed: its documents name such a path, and no more)
pub(crate) async fn health() -> axum::Json<Value> {
    axum::Json(json!({}))
}

async fn receive(
    engine: &Engine,
    account: &AccountId,
    limits: Limits,
    headers: &HeaderMap,
    body: Body,
) -> Result<axum::Json<Value>, Problem> {
    let authorization = once(headers);
    if !engine.is_authentic(account, authorization)? {
        // Not a byte of the body is read.
        engine.count_refused_webhook();
        return Err(WebhookError::Unauthorized.into());
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        engine.count_refused_webhook();
        let detail = "compressed webhooks are not taken";
        return Err(Problem::new(Code::Compressed, detail));
    }
    let body = tokio::time::timeout(limits.body_within, to_bytes(body, BODY_BYTES_MAX));
    let body = body.await.map_err(|_| {
        engine.count_refused_webhook();
        Problem::new(Code::TimedOut, "the body was not here in time; nothing of it is kept")
    })?;
    let body = body.map_err(|_| {
        engine.count_refused_webhook();
        Problem::from(WebhookError::TooLarge(BODY_BYTES_MAX))
    })?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    engine.webhook_of_type(account, authorization, content_type, body).await?;
    Ok(axum::Json(json!({})))
}

/// The header, if it is there once. Of two, another program on the way may have looked at the other.
fn once(headers: &HeaderMap) -> Option<&[u8]> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let value = all.next()?;
    all.next().is_none().then(|| value.as_bytes())
}
