//! Webhooks out: endpoints, made and managed.

mod view;

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use orderkeep_core::{OrderId, Timestamp};
use orderkeep_driver::BadCursor;
use orderkeep_outbox::{Draft, EndpointId, Outbox, OutboxError, Replay, Secret, Start, Update};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    events::EventType,
    json::{self, JsonBody, QueryOf},
    problem::{Code, Problem},
};
use view::{DeliveryView, EndpointView};

/// A day: time to bring a new secret to every receiver.
const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

/// The routes, each with its description; an outbox is their state.
pub(crate) fn api() -> OpenApiRouter<Outbox> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(show, update, remove))
        .routes(routes!(rotate))
        .routes(routes!(enable))
        .routes(routes!(disable))
        .routes(routes!(test))
        .routes(routes!(replay))
        .routes(routes!(deliveries))
}

/// An endpoint to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CreateWebhookEndpoint)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateBody {
    /// Where events go; not into a private network, unless the configuration allows it.
    #[schema(format = "uri", max_length = 1024)]
    url: String,
    /// What people call it.
    #[serde(default)]
    #[schema(max_length = 256)]
    description: String,
    /// Only events of these types; empty or absent: all.
    #[serde(default)]
    #[schema(value_type = Vec<EventType>, max_items = 64)]
    types: Vec<String>,
    /// `whsec_` and the base64 of 24 to 64 random bytes; absent: one is made.
    #[schema(
        pattern = "^whsec_(([A-Za-z0-9+/]{4}){8,20}([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?|([A-Za-z0-9+/]{4}){21}([A-Za-z0-9+/][AQgw]==)?)$"
    )]
    secret: Option<String>,
    /// `latest` (the default), `oldest`, or a cursor of the feed.
    #[schema(pattern = "^(oldest|latest|[0-9a-f]{32}[.][0-9a-f]{1,16}[.][0-9a-f]{1,8})$")]
    after: Option<String>,
}

/// What is to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UpdateWebhookEndpoint)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UpdateBody {
    /// Where events go.
    #[schema(format = "uri", max_length = 1024)]
    url: Option<String>,
    /// What people call it.
    #[schema(max_length = 256)]
    description: Option<String>,
    /// Only events of these types; empty: all.
    #[schema(value_type = Option<Vec<EventType>>, max_items = 64)]
    types: Option<Vec<String>>,
}

/// A new secret.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RotateSecret)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RotateBody {
    /// `whsec_` and the base64 of 24 to 64 random bytes; absent: one is made.
    #[schema(
        pattern = "^whsec_(([A-Za-z0-9+/]{4}){8,20}([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?|([A-Za-z0-9+/]{4}){21}([A-Za-z0-9+/][AQgw]==)?)$"
    )]
    secret: Option<String>,
    /// How long the old secret signs beside the new one; a day if absent, seven at most.
    #[serde(default, deserialize_with = "json::whole")]
    #[schema(maximum = 604800)]
    overlap_seconds: Option<u64>,
}

/// What to deliver again: give `since` or `event`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Replay)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReplayBody {
    /// Everything that happened since then,
    since: Option<Timestamp>,
    /// or one event, by its id.
    event: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DeliveriesQuery {
    /// So many: 50 unless said. 200 at most are remembered.
    #[param(minimum = 0, maximum = 4294967295.0)]
    limit: Option<u32>,
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
struct Items<T> {
    items: Vec<T>,
}

fn id(text: &str) -> Result<EndpointId, Problem> {
    text.parse().map_err(|_| {
        let detail = format!("there is no webhook endpoint {text}");
        Problem::new(Code::NoSuchWebhookEndpoint, detail)
    })
}

fn secret(text: Option<String>) -> Result<Option<Secret>, Problem> {
    text.map(|text| text.parse()).transpose().map_err(|error: orderkeep_outbox::BadSecret| {
        Problem::bad_request(format!("`secret`: {error}")).at("/secret")
    })
}

/// Makes an endpoint: what happens is sent there, signed. The answer holds its secret, once.
#[utoipa::path(post, path = "/v1/webhook-endpoints", tag = "webhooks out", operation_id = "createWebhookEndpoint",
    request_body = CreateBody,
    responses((status = 201, body = EndpointView, description = "Made, with its secret",
        headers(("Location" = String, description = "The endpoint")))))]
async fn create(
    State(outbox): State<Outbox>,
    JsonBody(body): JsonBody<CreateBody>,
) -> Result<Response, Problem> {
    let start = match body.after.as_deref() {
        None | Some("latest") => Start::Latest,
        Some("oldest") => Start::Oldest,
        Some(cursor) => {
            let wrong =
                |error: BadCursor| Problem::bad_request(format!("`after`: {error}")).at("/after");
            Start::After(cursor.parse().map_err(wrong)?)
        }
    };
    let draft = Draft {
        url: body.url,
        description: body.description,
        types: body.types,
        secret: secret(body.secret)?,
        start,
    };
    let endpoint = outbox.create(draft).await?;
    let place = format!("/v1/webhook-endpoints/{}", endpoint.id);
    let view = EndpointView::with_secret(endpoint);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(view)).into_response())
}

/// All endpoints, oldest first.
#[utoipa::path(get, path = "/v1/webhook-endpoints", tag = "webhooks out", operation_id = "listWebhookEndpoints",
    responses((status = 200, body = Items<EndpointView>, description = "All of them, 64 at most")))]
async fn list(State(outbox): State<Outbox>) -> Json<Items<EndpointView>> {
    let items = outbox.list().into_iter().map(EndpointView::from).collect();
    Json(Items { items })
}

/// One endpoint: where it stands, what it holds back, and why.
#[utoipa::path(get, path = "/v1/webhook-endpoints/{id}", tag = "webhooks out", operation_id = "getWebhookEndpoint",
    params(("id" = OrderId, Path, description = "The endpoint.")),
    responses((status = 200, body = EndpointView, description = "The endpoint, as it is now")))]
async fn show(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
) -> Result<Json<EndpointView>, Problem> {
    Ok(Json(outbox.show(id(&text)?)?.into()))
}

/// Changes an endpoint.
#[utoipa::path(patch, path = "/v1/webhook-endpoints/{id}", tag = "webhooks out", operation_id = "updateWebhookEndpoint",
    params(("id" = OrderId, Path, description = "The endpoint.")), request_body = UpdateBody,
    responses((status = 200, body = EndpointView, description = "The endpoint, as it is now")))]
async fn update(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
    JsonBody(body): JsonBody<UpdateBody>,
) -> Result<Json<EndpointView>, Problem> {
    let UpdateBody { url, description, types } = body;
    let update = Update { url, description, types };
    Ok(Json(outbox.update(id(&text)?, update).await?.into()))
}

/// Ends an endpoint for good.
#[utoipa::path(delete, path = "/v1/webhook-endpoints/{id}", tag = "webhooks out", operation_id = "deleteWebhookEndpoint",
    params(("id" = OrderId, Path, description = "The endpoint.")),
    responses((status = 204, description = "It is no more")))]
async fn remove(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
) -> Result<StatusCode, Problem> {
    outbox.delete(id(&text)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs with a new secret from now on, and with the one before as well for a while.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/rotate-secret", tag = "webhooks out", operation_id = "rotateWebhookSecret",
    params(("id" = OrderId, Path, description = "The endpoint.")), request_body = RotateBody,
    responses((status = 200, body = EndpointView, description = "The endpoint, with its new secret")))]
async fn rotate(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
    JsonBody(body): JsonBody<RotateBody>,
) -> Result<Json<EndpointView>, Problem> {
    let overlap = body.overlap_seconds.map_or(OVERLAP, Duration::from_secs);
    let endpoint = outbox.rotate(id(&text)?, secret(body.secret)?, overlap).await?;
    Ok(Json(EndpointView::with_secret(endpoint)))
}

/// Switches an endpoint on; what it missed, it gets now.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/enable", tag = "webhooks out", operation_id = "enableWebhookEndpoint",
    params(("id" = OrderId, Path, description = "The endpoint.")),
    responses((status = 200, body = EndpointView, description = "The endpoint, as it is now")))]
async fn enable(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
) -> Result<Json<EndpointView>, Problem> {
    Ok(Json(outbox.enable(id(&text)?).await?.into()))
}

/// Switches an endpoint off; its position in the feed stays.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/disable", tag = "webhooks out", operation_id = "disableWebhookEndpoint",
    params(("id" = OrderId, Path, description = "The endpoint.")),
    responses((status = 200, body = EndpointView, description = "The endpoint, as it is now")))]
async fn disable(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
) -> Result<Json<EndpointView>, Problem> {
    Ok(Json(outbox.disable(id(&text)?).await?.into()))
}

/// Sends an event of type `orderkeep.test` now, once, and says how it went.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/test", tag = "webhooks out", operation_id = "testWebhookEndpoint",
    params(("id" = OrderId, Path, description = "The endpoint.")),
    responses((status = 200, body = DeliveryView, description = "How it went; a receiver that does not take it is no error")))]
async fn test(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
) -> Result<Json<DeliveryView>, Problem> {
    Ok(Json(outbox.test(id(&text)?).await?.into()))
}

/// Delivers again, with the same ids.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/replay", tag = "webhooks out", operation_id = "replayWebhooks",
    params(("id" = OrderId, Path, description = "The endpoint.")), request_body = ReplayBody,
    responses((status = 200, body = EndpointView, description = "The endpoint, as it is now")))]
async fn replay(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
    JsonBody(body): JsonBody<ReplayBody>,
) -> Result<Json<EndpointView>, Problem> {
    let replay = match (body.since, body.event) {
        (Some(since), None) => Replay::Since(since),
        (None, Some(event)) => Replay::Event(event),
        (None, None) | (Some(_), Some(_)) => {
            return Err(Problem::bad_request("body: give either `since` or `event`"));
        }
    };
    Ok(Json(outbox.replay(id(&text)?, replay).await?.into()))
}

/// What was tried lately, newest first, of earlier processes as well: as many attempts as `webhooks.deliveries_kept` says.
#[utoipa::path(get, path = "/v1/webhook-endpoints/{id}/deliveries", tag = "webhooks out", operation_id = "listDeliveries",
    params(("id" = OrderId, Path, description = "The endpoint."), DeliveriesQuery),
    responses((status = 200, body = Items<DeliveryView>, description = "The attempts")))]
async fn deliveries(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
    QueryOf(query): QueryOf<DeliveriesQuery>,
) -> Result<Json<Items<DeliveryView>>, Problem> {
    let limit = json::limit(query.limit, (50, 200));
    let log = outbox.deliveries(id(&text)?, limit)?;
    Ok(Json(Items { items: log.into_iter().map(DeliveryView::from).collect() }))
}

impl From<OutboxError> for Problem {
    fn from(error: OutboxError) -> Self {
        let detail = error.to_string();
        match error {
            OutboxError::NoEndpoint(_) => Self::new(Code::NoSuchWebhookEndpoint, detail),
            OutboxError::NoEvent(_) => Self::new(Code::NoSuchEvent, detail),
            OutboxError::TooMany(_) => Self::new(Code::TooManyWebhookEndpoints, detail),
            OutboxError::Engine(error) => error.into(),
            OutboxError::Invalid { field, .. } => Self::bad_request(detail).at(format!("/{field}")),
            OutboxError::Configured => Self::new(Code::Configured, detail),
            OutboxError::Client(_) | _ => Self::new(Code::Internal, detail),
        }
    }
}
