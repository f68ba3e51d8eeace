//! What happens, for the partner's services: a page after a cursor, or a stream that stays open.
//!
//! Both tell every event once, in the order of the commits, and go on after any cursor that the feed still keeps. Asked
//! with `Accept: text/event-stream`, the answer is a stream.

mod cloud_event;
mod stream;

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use orderkeep_driver::{BadCursor, Cursor, Engine, EngineError};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{json::QueryOf, problem::Problem};
use cloud_event::CloudEvent;

/// Events on a page, unless asked otherwise, and at most.
const PAGE: (usize, usize) = (100, 1_000);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EventsQuery {
    /// A cursor of an earlier answer, `oldest` (the default) or `latest`.
    after: Option<String>,
    limit: Option<usize>,
}

/// A page of events.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EventsPage {
    items: Vec<CloudEvent>,
    /// Where to go on, always: at the feed's end it gives what comes later.
    next_cursor: String,
    /// Whether there is more already.
    more: bool,
}

/// The route: at most so many streams at once, all of them ended by `closing`.
pub(crate) fn route(streams: usize, closing: CancellationToken) -> MethodRouter<Engine> {
    let places = Arc::new(Semaphore::new(streams));
    get(
        move |State(engine): State<Engine>,
              headers: HeaderMap,
              QueryOf(query): QueryOf<EventsQuery>| {
            let (places, closing) = (Arc::clone(&places), closing.clone());
            async move {
                if !wants_stream(&headers) {
                    return page(&engine, query).await;
                }
                // What a reconnecting client saw last says more than what it once asked for.
                let after = match headers.get("last-event-id").map(|value| value.to_str()) {
                    Some(Ok(id)) if !id.is_empty() => Some(id.to_owned()),
                    Some(Err(_)) => {
                        return Err(Problem::bad_request("`Last-Event-ID` is no cursor"));
                    }
                    Some(Ok(_)) | None => query.after,
                };
                let after = start(&engine, after.as_deref())?;
                stream::open(&engine, after, &places, closing).await
            }
        },
    )
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
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|error: BadCursor| Problem::bad_request(format!("`after`: {error}"))),
    }
}

async fn page(engine: &Engine, query: EventsQuery) -> Result<Response, Problem> {
    let after = start(engine, query.after.as_deref())?;
    let limit = query.limit.unwrap_or(PAGE.0).clamp(1, PAGE.1);
    let page = engine.events(after, limit).await?;
    let more = page.events.len() == limit;
    let items = page.events.into_iter().map(CloudEvent::from).collect();
    Ok(Json(EventsPage { items, next_cursor: page.next.to_string(), more }).into_response())
}

/// Why a stream is not opened now.
fn no_place() -> Problem {
    EngineError::Busy("as many event streams are open as this engine allows").into()
}
