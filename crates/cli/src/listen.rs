//! Listening, and stopping: one server over one engine, until told to stop.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;

use crate::exit::{self, Failure, say};

/// A request's headers are here within this time, and a connection that asks nothing is closed after it.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);
/// A request's line and headers are at most this long.
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// Connections at once, where the process may open so many files.
const CONNECTIONS_MAX: usize = 4_096;
/// Files that are not connections.
const OTHER_FILES: usize = 128;
/// Requests on their way are seen through for so long.
const DRAIN: Duration = Duration::from_secs(15);

/// Opens the socket, with an error that says what to do.
pub(crate) async fn open(addr: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(addr).await.map_err(|error| {
        Failure::new(
            exit::FAILED,
            format!("cannot listen on {addr}: {error}; choose another address with --listen"),
        )
    })
}

/// Until the process is asked to stop.
pub(crate) async fn asked_to_stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Serves until the process is asked to stop, or `until` is over. `closing` then ends what would stay open.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    closing: CancellationToken,
    until: impl Future<Output = ()> + Send + 'static,
) {
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(HEADER_BYTES_MAX);
    let service = TowerToHyperService::new(router);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(connections_max()));
    let stop = async {
        tokio::select! {
            () = asked_to_stop() => {}
            () = until => {}
        }
    };
    tokio::pin!(stop);
    loop {
        let (stream, place) = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let connection = server.serve_connection(TokioIo::new(stream), service.clone());
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A caller who breaks off or says nonsense is no event.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection");
            }
            drop(place);
        });
    }
    // Nobody is answered "refused" while others are seen through.
    closing.cancel();
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        say("some requests were not answered in time");
    }
}

/// The next connection, once there is a place for it. What waits meanwhile, waits in the listener's queue; places become
/// free since a connection that asks nothing is closed.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, tokio::sync::OwnedSemaphorePermit) {
    /// Until files are closed again.
    const RETRY: Duration = Duration::from_millis(100);
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            // Never closed.
            return std::future::pending().await;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                drop(stream.set_nodelay(true));
                return (stream, place);
            }
            Err(error) => {
                tracing::debug!(%error, "accept");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// The store must be able to open its files whoever else is connected.
fn connections_max() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<usize>().ok());
    files
        .map_or(CONNECTIONS_MAX, |files| files.saturating_sub(OTHER_FILES).min(CONNECTIONS_MAX))
        .max(16)
}
