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
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    exit::{self, Failure, say},
    settings::LimitsSettings,
    tls::Tls,
};

/// Files that are not connections.
const OTHER_FILES: usize = 128;

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

/// One listener, what is spoken on it, and how much of it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<Tls>,
    pub(crate) limits: LimitsSettings,
}

impl Server {
    /// Serves until the process is asked to stop, or `until` is over. `closing` then ends what would stay open.
    pub(crate) async fn serve(
        self,
        router: Router,
        closing: CancellationToken,
        until: impl Future<Output = ()> + Send + 'static,
    ) {
        // On the runtime's own threads: what the main thread accepts would have to be carried over to them.
        let served = AbortOnDropHandle::new(tokio::spawn(self.accept_all(router, closing, until)));
        if let Err(error) = served.await
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }

    async fn accept_all(
        self,
        router: Router,
        closing: CancellationToken,
        until: impl Future<Output = ()> + Send + 'static,
    ) {
        let Self { listener, tls, limits } = self;
        let mut server = http1::Builder::new();
        // Without a timer the header timeout is silently none.
        server
            .timer(TokioTimer::new())
            .header_read_timeout(limits.headers_within.0)
            .max_buf_size(limits.header_bytes);
        let service = TowerToHyperService::new(router);
        let graceful = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(connections_max(limits.connections)));
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
            let (server, service, watcher) = (server.clone(), service.clone(), graceful.watcher());
            let acceptor = tls.as_ref().map(Tls::acceptor);
            tokio::spawn(async move {
                // A caller who breaks off or says nonsense is no event.
                let result = match acceptor {
                    None => {
                        watcher.watch(server.serve_connection(TokioIo::new(stream), service)).await
                    }
                    Some(acceptor) => {
                        let shaken = acceptor.accept(stream);
                        match tokio::time::timeout(limits.headers_within.0, shaken).await {
                            Ok(Ok(stream)) => {
                                let io = TokioIo::new(stream);
                                watcher.watch(server.serve_connection(io, service)).await
                            }
                            Ok(Err(error)) => {
                                tracing::debug!(%error, "TLS");
                                Ok(())
                            }
                            Err(_) => Ok(()),
                        }
                    }
                };
                if let Err(error) = result {
                    tracing::debug!(%error, "connection");
                }
                drop(place);
            });
        }
        // Nobody is answered "refused" while others are seen through.
        closing.cancel();
        drop(listener);
        if tokio::time::timeout(limits.drain.0, graceful.shutdown()).await.is_err() {
            say("some requests were not answered in time");
        }
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
fn connections_max(wanted: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<usize>().ok());
    files.map_or(wanted, |files| files.saturating_sub(OTHER_FILES).max(16).min(wanted))
}
