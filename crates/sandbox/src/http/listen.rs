//! The listener, which an outage can close.
//!
//! While connections are to be refused, the port is held by a socket that is bound and does not listen: the system
//! answers every connect with a reset, and nobody else can take the port in the meantime.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;

use super::{connection, shared::Shared};
use crate::faults::OutageMode;

/// Connections waiting to be accepted.
const BACKLOG: u32 = 1_024;

/// Connections open at once; past it, new ones wait in the backlog. Far above what one client opens.
const CONNECTIONS_MAX: usize = 4_096;

/// Tries to get the port back after its listener closed, and the wait between them: half a second in all. The only
/// reason to fail is somebody who took the port in the moment between.
const REBIND_TRIES: u32 = 50;
const REBIND_WAIT: Duration = Duration::from_millis(10);

/// Wait after a failed accept, so that running out of file descriptors does not spin.
const ACCEPT_RETRY: Duration = Duration::from_millis(20);

/// Opens a listener.
pub(crate) fn open(addr: SocketAddr) -> io::Result<TcpListener> {
    bind(addr)?.listen(BACKLOG)
}

fn bind(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // The port may still be in use by connections of an earlier listener.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    Ok(socket)
}

/// Holds a port without listening. The socket shares it while it binds, with connections that are still closing, and
/// with nobody after that.
fn hold(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = bind(addr)?;
    socket.set_reuseaddr(false)?;
    Ok(socket)
}

fn reopen(held: TcpSocket) -> io::Result<TcpListener> {
    held.set_reuseaddr(true)?;
    held.listen(BACKLOG)
}

pub(crate) struct Door {
    pub(crate) addr: SocketAddr,
    pub(crate) router: Router,
    pub(crate) shared: Arc<Shared>,
    pub(crate) tasks: TaskTracker,
}

impl Door {
    /// Serves with outages until the sandbox stops.
    pub(crate) async fn run(self, mut listener: TcpListener) {
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut bell = self.shared.outage_bell();
        let mut era = self.shared.stop.child_token();
        let mut cut_before = false;
        loop {
            bell.mark_unchanged();
            let outage = self.shared.outage();
            let cut = match outage.mode {
                Some(OutageMode::Drop | OutageMode::Refuse) => true,
                Some(OutageMode::Http503) | None => false,
            };
            if cut && !cut_before {
                era.cancel();
                era = self.shared.stop.child_token();
            }
            cut_before = cut;
            if outage.mode == Some(OutageMode::Refuse) {
                drop(listener);
                match self.stay_closed().await {
                    Some(reopened) => listener = reopened,
                    None => return,
                }
                continue;
            }
            let wait = outage.changes_in;
            tokio::select! {
                () = self.shared.stop.cancelled() => return,
                changed = bell.changed() => if changed.is_err() { return },
                () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
                accepted = listener.accept() => self.admit(accepted, cut, &room, &era).await,
            }
        }
    }

    async fn admit(
        &self,
        accepted: io::Result<(TcpStream, SocketAddr)>,
        cut: bool,
        room: &Arc<Semaphore>,
        era: &CancellationToken,
    ) {
        let stream = match accepted {
            // Closing at once, nothing read, is the whole of the `drop` mode.
            Ok(_) if cut => return,
            Ok((stream, _)) => stream,
            Err(error) => {
                warn!(%error, "the sandbox could not accept a connection");
                sleep(ACCEPT_RETRY).await;
                return;
            }
        };
        let permit = tokio::select! {
            permit = Arc::clone(room).acquire_owned() => permit,
            () = self.shared.stop.cancelled() => return,
        };
        let served =
            connection::serve(stream, self.router.clone(), Arc::clone(&self.shared), era.clone());
        self.tasks.spawn(async move {
            served.await;
            drop(permit);
        });
    }

    /// Holds the port without listening until connections are let in again; `None` when the sandbox stops.
    async fn stay_closed(&self) -> Option<TcpListener> {
        let mut bell = self.shared.outage_bell();
        let mut held = None;
        for _ in 0..REBIND_TRIES {
            match hold(self.addr) {
                Ok(socket) => {
                    held = Some(socket);
                    break;
                }
                Err(_) => sleep(REBIND_WAIT).await,
            }
        }
        loop {
            bell.mark_unchanged();
            let outage = self.shared.outage();
            if outage.mode != Some(OutageMode::Refuse) {
                break;
            }
            let wait = outage.changes_in;
            tokio::select! {
                () = self.shared.stop.cancelled() => return None,
                changed = bell.changed() => if changed.is_err() { return None },
                () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
        }
        let reopened = held.map_or_else(|| open(self.addr), reopen);
        if let Err(error) = &reopened {
            warn!(%error, addr = %self.addr, "the sandbox lost its port in an outage and stops");
            self.shared.stop.cancel();
        }
        reopened.ok()
    }
}

/// Serves without outages until the sandbox stops: the control API's own listener.
pub(crate) async fn run_plain(door: Door, listener: TcpListener) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let era = door.shared.stop.child_token();
    loop {
        tokio::select! {
            () = door.shared.stop.cancelled() => return,
            accepted = listener.accept() => door.admit(accepted, false, &room, &era).await,
        }
    }
}
