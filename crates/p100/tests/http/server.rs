//! A server on the loopback interface that reads bytes and answers bytes, and remembers every request it was sent.
//!
//! It knows no HTTP library, so that what it counts is what was on the wire.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    sync::Notify,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// What the server does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Reaction {
    /// Writes these bytes and keeps the connection open for another request.
    Keep(Vec<u8>),
    /// Writes these bytes and closes the connection.
    Close(Vec<u8>),
    /// Writes these bytes, then nothing, and never closes.
    Hang(Vec<u8>),
    /// Closes before it has read the request's end.
    CloseWhileReading,
    /// Accepts the connection and closes it without reading.
    CloseAtOnce,
}

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// The value of a header, exactly as its name was written.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

#[derive(Debug, Default)]
struct Seen {
    requests: Vec<Request>,
    connections: usize,
    closed: usize,
}

/// Stops with the test that owns it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    changed: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Reacts to the n-th request with the n-th reaction, and with the last one ever after.
    pub(crate) async fn start(reactions: impl IntoIterator<Item = Reaction>) -> Self {
        Self::start_with(reactions, None).await
    }

    /// The same behind TLS.
    pub(crate) async fn start_tls(
        reactions: impl IntoIterator<Item = Reaction>,
        tls: TlsAcceptor,
    ) -> Self {
        Self::start_with(reactions, Some(tls)).await
    }

    async fn start_with(
        reactions: impl IntoIterator<Item = Reaction>,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("its address");
        let seen = Arc::new(Mutex::new(Seen::default()));
        let changed = Arc::new(Notify::new());
        let script = Arc::new(Mutex::new(reactions.into_iter().collect::<VecDeque<_>>()));
        let task = tokio::spawn({
            let (seen, changed) = (Arc::clone(&seen), Arc::clone(&changed));
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    lock(&seen).connections += 1;
                    changed.notify_waiters();
                    let (seen, changed) = (Arc::clone(&seen), Arc::clone(&changed));
                    let (script, tls) = (Arc::clone(&script), tls.clone());
                    tokio::spawn(async move {
                        match tls {
                            None => serve(stream, &script, &seen, &changed).await,
                            Some(tls) => {
                                if let Ok(stream) = tls.accept(stream).await {
                                    serve(stream, &script, &seen, &changed).await;
                                }
                            }
                        }
                        lock(&seen).closed += 1;
                        changed.notify_waiters();
                    });
                }
            }
        });
        Self { address, seen, changed, task }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        lock(&self.seen).requests.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        lock(&self.seen).connections
    }

    /// Until this many requests have arrived.
    pub(crate) async fn requested(&self, requests: usize) {
        self.until(|seen| seen.requests.len() >= requests).await;
    }

    /// Until this many connections were accepted.
    pub(crate) async fn connected(&self, connections: usize) {
        self.until(|seen| seen.connections >= connections).await;
    }

    /// Until the server has closed this many connections.
    pub(crate) async fn closed(&self, connections: usize) {
        self.until(|seen| seen.closed >= connections).await;
    }

    async fn until(&self, enough: impl Fn(&Seen) -> bool) {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                if enough(&lock(&self.seen)) {
                    break;
                }
                changed.await;
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.expect("the client does this in time");
    }
}

/// For what must happen in any case; only a broken test waits for it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// An answer with its length.
pub(crate) fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn next(script: &Mutex<VecDeque<Reaction>>) -> Reaction {
    let mut script = lock(script);
    match script.len() {
        0 => Reaction::Close(Vec::new()),
        1 => script[0].clone(),
        _ => script.pop_front().expect("it is not empty"),
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    script: &Mutex<VecDeque<Reaction>>,
    seen: &Mutex<Seen>,
    changed: &Notify,
) {
    let at_once =
        matches!(lock(script).front(), Some(Reaction::CloseAtOnce | Reaction::CloseWhileReading));
    if at_once {
        if let Reaction::CloseWhileReading = next(script) {
            let mut some = [0_u8; 8];
            // What arrived counts as a request: its first bytes were written.
            if stream.read(&mut some).await.is_ok_and(|n| n > 0) {
                let head = String::from_utf8_lossy(&some).into_owned();
                lock(seen).requests.push(Request { head, body: String::new() });
            }
        }
        return;
    }
    while let Some(request) = read_request(&mut stream).await {
        lock(seen).requests.push(request);
        changed.notify_waiters();
        match next(script) {
            Reaction::Keep(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Reaction::Close(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return;
            }
            Reaction::Hang(bytes) => {
                let _ = stream.write_all(&bytes).await;
                std::future::pending::<()>().await;
            }
            Reaction::CloseAtOnce | Reaction::CloseWhileReading => return,
        }
    }
}

/// A whole request, or `None` at the connection's end.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut buffer = [0_u8; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length: usize = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
                })
                .unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
                return Some(Request { head, body });
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
        }
    }
}
