//! Server-sent events: `id` is the cursor, `data` the CloudEvent, a comment every 15 seconds.

use std::{convert::Infallible, time::Duration};

use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures_util::stream;
use orderkeep_driver::{Cursor, Engine, Feed, FeedEvent};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tokio_util::sync::CancellationToken;

use super::cloud_event::CloudEvent;
use crate::{limits::Places, problem::Problem};

/// Well below the minute after which proxies give up on a silent connection.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A stream ends after so long; its client comes back with its cursor. So no place is held for ever by one who is gone.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

struct Stream {
    feed: Feed,
    closing: CancellationToken,
    until: Instant,
    broken: bool,
    _place: OwnedSemaphorePermit,
}

/// Opens a stream, or says why not while there is still a status to say it with.
pub(super) async fn open(
    engine: &Engine,
    after: Option<Cursor>,
    places: &Places,
    closing: CancellationToken,
) -> Result<Response, Problem> {
    let place = places.take()?;
    // A cursor that is gone is found here.
    engine.events(after, 1).await?;
    let stream = Stream {
        feed: engine.subscribe(after),
        closing,
        until: Instant::now() + LIFETIME,
        broken: false,
        _place: place,
    };
    let events = stream::unfold(stream, |mut stream| async move {
        let event = stream.next().await?;
        Some((Ok::<_, Infallible>(event), stream))
    });
    let alive = KeepAlive::new().interval(HEARTBEAT);
    Ok(Sse::new(events).keep_alive(alive).into_response())
}

impl Stream {
    async fn next(&mut self) -> Option<Event> {
        if self.broken {
            return None;
        }
        let next = tokio::select! {
            biased;
            () = self.closing.cancelled() => return None,
            () = tokio::time::sleep_until(self.until) => return None,
            next = self.feed.next() => next,
        };
        Some(next.map_err(Problem::from).and_then(written).unwrap_or_else(|problem| {
            // Nothing is passed over: whoever comes back with the same cursor is told the same.
            self.broken = true;
            Event::default().event("error").data(problem.to_json())
        }))
    }
}

fn written(event: FeedEvent) -> Result<Event, Problem> {
    let event = CloudEvent::from(event);
    let id = event.cursor().to_owned();
    Event::default().id(id).json_data(event).map_err(|error| {
        tracing::error!(%error, "an event cannot be written");
        Problem::internal("an event cannot be written")
    })
}
