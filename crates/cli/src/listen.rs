//! Listening, and stopping: one server over one engine, until told to stop.

use std::net::SocketAddr;

use axum::Router;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use crate::exit::{self, Failure};

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
) -> Result<(), Failure> {
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            tokio::select! {
                () = asked_to_stop() => {}
                () = until => {}
            }
            closing.cancel();
        })
        .await
        .map_err(Failure::failed)
}
