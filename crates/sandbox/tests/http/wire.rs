//! A client that shows exactly what happened on the wire: one request per connection, nothing retried.

use std::{io, net::SocketAddr, time::Duration};

use orderkeep_sandbox::{Sandbox, SandboxConfig, SandboxHandle, Secret};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

/// Deadline of every wait; a loaded machine needs seconds at most.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Pause between two looks at a condition.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

pub(crate) const KEY: &str = "test-key";

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_else(|| panic!("{field} in {}", self.body)).to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Sends one request. `UnexpectedEof` is a connection that closed without an answer.
pub(crate) async fn send(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Response> {
    let mut stream = TcpStream::connect(addr).await?;
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut answer)).await??;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok(Response {
        status: status.ok_or(io::ErrorKind::InvalidData)?,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

pub(crate) fn config() -> SandboxConfig {
    SandboxConfig { api_key: Secret::new(KEY), ..SandboxConfig::default() }
}

/// A running sandbox and short verbs for its API.
pub(crate) struct Bench {
    pub(crate) sandbox: SandboxHandle,
    pub(crate) addr: SocketAddr,
}

impl Bench {
    pub(crate) fn start(config: SandboxConfig) -> Self {
        let sandbox = Sandbox::start(config).unwrap();
        let addr = sandbox.addr();
        Self { sandbox, addr }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        send(self.addr, "GET", path, &[("x-api-key", KEY)], "").await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Response {
        self.try_post(path, body).await.unwrap()
    }

    pub(crate) async fn try_post(&self, path: &str, body: &str) -> io::Result<Response> {
        send(self.addr, "POST", path, &[("x-api-key", KEY)], body).await
    }

    pub(crate) async fn lock(&self) -> String {
        let body = r#"{"currency":"usdc","amount":"840","network":"polygon"}"#;
        self.post("/v1/order/lock-rate", body).await.text("lockId")
    }

    /// The id of a new order over 1000 usdc.
    pub(crate) async fn order(&self) -> String {
        let body = format!(r#"{{"lockId":"{}"}}"#, self.lock().await);
        self.post("/v1/order", &body).await.text("orderId")
    }

    pub(crate) async fn details(&self, order: &str) -> Response {
        self.get(&format!("/v1/order/details/{order}")).await
    }

    /// A control call that must succeed.
    pub(crate) async fn control(&self, verb: &str, body: &str) -> serde_json::Value {
        let done = self.post(&format!("/_control/{verb}"), body).await;
        assert_eq!(done.status, 200, "{verb}: {}", done.body);
        done.json()
    }
}

/// Waits for a condition, looking again and again until the deadline.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looked = timeout(DEADLINE, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            sleep(LOOK_AGAIN).await;
        }
    });
    looked.await.unwrap_or_else(|_| panic!("waited in vain for: {what}"))
}
