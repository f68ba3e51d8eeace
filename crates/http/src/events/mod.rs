//! What happens, for the partner's services: a page after a cursor, or a stream that stays open.
//!
//! Both tell every event once, in the order of the commits, and go on after any cursor that the feed still keeps. Asked
//! with `Accept: text/event-stream`, the answer is a stream.

mod cloud_event;
mod described;
mod stream;

pub use cloud_event::event_body;
pub(crate) use described::{EventType, webhooks};

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use orderkeep_driver::{BadCursor, Cursor, Engine};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    Closing,
    json::{self, QueryOf},
    limits::Places,
    problem::Problem,
};
use cloud_event::CloudEvent;

/// Events on a page, unless asked otherwise, and at most.
const PAGE: (usize, usize) = (100, 1_000);

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EventsQuery {
    /// A cursor of an earlier answer, `oldest` (the default) or `latest`.
    #[param(pattern = "^(oldest|latest|[0-9a-f]{32}[.][0-9a-f]{1,16}[.][0-9a-f]{1,8})$")]
    after: Option<String>,
    /// So many on a page: 100 unless said, 1,000 at most. A stream has no limit.
    #[param(minimum = 0, maximum = 4294967295.0)]
    limit: Option<u32>,
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventsPage {
    items: Vec<CloudEvent>,
    /// Where to go on, always: at the feed's end it gives what comes later.
    next_cursor: String,
    /// Whether there is more already.
    more: bool,
}

/// How many streams may be open at once.
#[derive(Debug, Clone)]
pub(crate) struct Streams(Places);

impl Streams {
    pub(crate) fn new(most: usize) -> Self {
        Self(Places::new(most, ("as many event streams are open as this engine allows", 5)))
    }
}

/// What happened, in order: a page after a cursor, or, asked with `Accept: text/event-stream`, a stream that stays
/// open and goes on after `Last-Event-ID`.
#[utoipa::path(get, path = "/v1/events", tag = "events", operation_id = "listEvents",
    params(EventsQuery, ("Last-Event-ID" = Option<String>, Header, description = "Of a stream: the last event seen.")),
    responses((status = 200, description = "A page of events, or a stream whose `id` is a cursor and whose `data` is one event",
        content((EventsPage = "application/json"), (String = "text/event-stream")))))]
pub(crate) async fn events(
    State(engine): State<Engine>,
    Extension(Streams(places)): Extension<Streams>,
    Extension(Closing(closing)): Extension<Closing>,
    headers: HeaderMap,
    QueryOf(query): QueryOf<EventsQuery>,
) -> Result<Response, Problem> {
    if !wants_stream(&headers) {
        return page(&engine, query).await;
    }
    // What a reconnecting client saw last says more than what it once asked for.
    let after = match headers.get("last-event-id").map(|value| value.to_str()) {
        Some(Ok(id)) if !id.is_empty() => {
            start(&engine, Some(id)).map_err(|problem| problem.in_parameter("Last-Event-ID"))?
        }
        Some(Err(_)) => {
            let problem = Problem::bad_request("`Last-Event-ID` is no cursor");
            return Err(problem.in_parameter("Last-Event-ID"));
        }
        Some(Ok(_)) | None => start(&engine, query.after.as_deref())?,
    };
    stream::open(&engine, after, &places, closing).await
}

fn wants_stream(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.to_ascii_lowercase().contains("text/event-stream"))
}

/// From where; `None` is the oldest event that is kept.
fn start(engine: &Engine, after: Option<&str>) -> Result<Option<Cursor>, Problem> {
    match after {
        None | Some("oldest") => Ok(None),
        Some("latest") => Ok(Some(engine.feed_head())),
        Some(text) => text.parse().map(Some).map_err(|error: BadCursor| {
            Problem::bad_request(format!("`after`: {error}")).in_parameter("after")
        }),
    }
}

async fn page(engine: &Engine, query: EventsQuery) -> Result<Response, Problem> {
    let after = start(engine, query.after.as_deref())?;
    let limit = json::limit(query.limit, PAGE);
    let page = engine.events(after, limit).await?;
    let more = page.events.len() == limit;
    let items = page.events.into_iter().map(CloudEvent::from).collect();
    Ok(Json(EventsPage { items, next_cursor: page.next.to_string(), more }).into_response())
}
