//! One accepted connection. Serves requests until either side closes, the sandbox stops, or an outage cuts it.
//!
//! An ordinary web framework always answers; a stand-in must be able not to. A response marked [`CutConnection`]
//! becomes an error of the connection's service, on which hyper closes the socket without writing anything.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderValue, header},
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::shared::Shared;
use crate::config::TimestampView;

/// Marks a response that must never be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CutConnection;

#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on purpose")]
struct Cut;

/// Longest wait for a client to send its head, idle connections included.
const HEAD_WITHIN: Duration = Duration::from_secs(60);

/// Serves a connection; `era` ends when an outage (or the end) cuts every open connection.
pub(crate) async fn serve(
    stream: TcpStream,
    router: Router,
    shared: Arc<Shared>,
    era: CancellationToken,
) {
    // Only speeds answers up.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let answer = TowerToHyperService::new(router.clone()).call(request);
        let shared = Arc::clone(&shared);
        async move {
            let mut response = answer.await.unwrap_or_else(|never: Infallible| match never {});
            if response.extensions().get::<CutConnection>().is_some() {
                return Err(Cut);
            }
            if let Some(date) = provider_date(&shared) {
                response.headers_mut().insert(header::DATE, date);
            }
            Ok(response)
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // Clients that vanish and connections that are cut end here alike.
        _ = connection.as_mut() => {}
        // The control call that started the outage is answered already: its handler never waits.
        () = era.cancelled() => {}
    }
}

/// The `Date` header where it is not simply the wall's.
fn provider_date(shared: &Shared) -> Option<HeaderValue> {
    match shared.timestamps {
        TimestampView::Wall => None,
        TimestampView::Provider => {
            let now_ms = shared.with(|_, now| now);
            let instant = jiff::Timestamp::from_millisecond(now_ms).ok()?;
            let date = jiff::fmt::rfc2822::DateTimePrinter::new()
                .timestamp_to_rfc9110_string(&instant)
                .ok()?;
            HeaderValue::from_str(&date).ok()
        }
    }
}
