//! Webhooks out: endpoints, made and managed.

mod view;

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use orderkeep_core::Timestamp;
use orderkeep_driver::{BadCursor, Engine};
use orderkeep_outbox::{Draft, EndpointId, Outbox, OutboxError, Replay, Secret, Start, Update};
use serde::{Deserialize, Serialize};

use crate::{
    json::{JsonBody, QueryOf},
    problem::{Code, Problem},
};
use view::{DeliveryView, EndpointView};

/// A day: time to bring a new secret to every receiver.
const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

/// The routes, over an outbox.
pub(crate) fn routes(outbox: Outbox) -> Router<Engine> {
    Router::new()
        .route("/v1/webhook-endpoints", post(create).get(list))
        .route("/v1/webhook-endpoints/{id}", get(show).patch(update).delete(remove))
        .route("/v1/webhook-endpoints/{id}/rotate-secret", post(rotate))
        .route("/v1/webhook-endpoints/{id}/enable", post(enable))
        .route("/v1/webhook-endpoints/{id}/disable", post(disable))
        .route("/v1/webhook-endpoints/{id}/test", post(test))
        .route("/v1/webhook-endpoints/{id}/replay", post(replay))
        .route("/v1/webhook-endpoints/{id}/deliveries", get(deliveries))
        .with_state(outbox)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateBody {
    url: String,
    #[serde(default)]
    description: String,
    /// Empty or absent: all.
    #[serde(default)]
    types: Vec<String>,
    /// `whsec_...`; absent: one is made.
    secret: Option<String>,
    /// `latest` (the default), `oldest`, or a cursor of the feed.
    after: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UpdateBody {
    url: Option<String>,
    description: Option<String>,
    types: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RotateBody {
    /// `whsec_...`; absent: one is made.
    secret: Option<String>,
    /// How long the old secret signs beside the new one; a day if absent, seven at most.
    overlap_seconds: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReplayBody {
    /// Everything that happened since then,
    since: Option<Timestamp>,
    /// or one event, by its id.
    event: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DeliveriesQuery {
    limit: Option<usize>,
}

#[derive(Debug, Serialize)]
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
        Problem::bad_request(format!("`secret`: {error}"))
    })
}

async fn create(
    State(outbox): State<Outbox>,
    JsonBody(body): JsonBody<CreateBody>,
) -> Result<Response, Problem> {
    let start = match body.after.as_deref() {
        None | Some("latest") => Start::Latest,
        Some("oldest") => Start::Oldest,
        Some(cursor) => {
            let wrong = |error: BadCursor| Problem::bad_request(format!("`after`: {error}"));
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

async fn list(State(outbox): State<Outbox>) -> Json<Items<EndpointView>> {
    let items = outbox.list().into_iter().map(EndpointView::from).collect();
    Json(Items { items })
}

async fn show(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
) -> Result<Json<EndpointView>, Problem> {
    Ok(Json(outbox.show(id(&text)?)?.into()))
}

async fn update(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
    JsonBody(body): JsonBody<UpdateBody>,
) -> Result<Json<EndpointView>, Problem> {
    let UpdateBody { url, description, types } = body;
    let update = Update { url, description, types };
    Ok(Json(outbox.update(id(&text)?, update).await?.into()))
}

async fn remove(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
) -> Result<StatusCode, Problem> {
    outbox.delete(id(&text)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn rotate(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
    JsonBody(body): JsonBody<RotateBody>,
) -> Result<Json<EndpointView>, Problem> {
    let overlap = body.overlap_seconds.map_or(OVERLAP, Duration::from_secs);
    let endpoint = outbox.rotate(id(&text)?, secret(body.secret)?, overlap).await?;
    Ok(Json(EndpointView::with_secret(endpoint)))
}

async fn enable(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
) -> Result<Json<EndpointView>, Problem> {
    Ok(Json(outbox.enable(id(&text)?).await?.into()))
}

async fn disable(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
) -> Result<Json<EndpointView>, Problem> {
    Ok(Json(outbox.disable(id(&text)?).await?.into()))
}

async fn test(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
) -> Result<Json<DeliveryView>, Problem> {
    Ok(Json(outbox.test(id(&text)?).await?.into()))
}

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

async fn deliveries(
    State(outbox): State<Outbox>,
    Path(text): Path<String>,
    QueryOf(query): QueryOf<DeliveriesQuery>,
) -> Result<Json<Items<DeliveryView>>, Problem> {
    let limit = query.limit.unwrap_or(50);
    let log = outbox.deliveries(id(&text)?, limit).await?;
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
            OutboxError::Invalid(_) | _ => Self::bad_request(detail),
        }
    }
}
