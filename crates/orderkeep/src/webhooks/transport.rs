//! The HTTP client of webhooks out: looks where a name leads, and connects to what it looked at.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use orderkeep_outbox::{Answer, Request, Transport, Undelivered};
use orderkeep_store::port::BoxFuture;
use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    header::RETRY_AFTER,
    redirect, retry,
};
use url::{Host, Url};

use super::{WebhooksConfig, address::is_public, tls};

/// More of an answer's body is not read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The client cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP client of webhooks cannot be built: {0}")]
pub struct NoClient(String);

/// Sends over HTTP/1.1, each request on its merits: no proxy, no redirect, no retry of its own.
#[derive(Debug)]
pub struct HttpTransport {
    client: Client,
    allow_private: bool,
    /// The operator's own address may be anywhere.
    forward: Option<(Url, Client)>,
}

impl HttpTransport {
    /// A client that goes where the configuration allows.
    ///
    /// # Errors
    /// The system's certificates cannot be read.
    pub fn new(config: &WebhooksConfig) -> Result<Self, NoClient> {
        let forward = match &config.forward_url {
            Some(url) => {
                let url = Url::parse(url).map_err(|error| NoClient(error.to_string()))?;
                Some((url, client(config.timeout, None)?))
            }
            None => None,
        };
        let guard = (!config.allow_private).then(|| Arc::new(Guard::system()));
        let client = client(config.timeout, guard)?;
        Ok(Self { client, allow_private: config.allow_private, forward })
    }

    #[cfg(test)]
    fn resolving_by(lookup: impl Fn(&str) -> Vec<SocketAddr> + Send + Sync + 'static) -> Self {
        let guard = Arc::new(Guard(Lookup::Table(Box::new(lookup))));
        let client = client(Duration::from_secs(5), Some(guard)).unwrap();
        Self { client, allow_private: false, forward: None }
    }

    async fn send(&self, request: Request) -> Result<Answer, Undelivered> {
        let client = match &self.forward {
            Some((url, client)) if *url == request.url => client,
            Some(_) | None => {
                self.allows(&request.url).map_err(Undelivered)?;
                &self.client
            }
        };
        let mut post = client.post(request.url).body(request.body);
        for (name, value) in request.headers {
            post = post.header(name, value);
        }
        // An address can hold a secret of the receiver's.
        let mut response = post.send().await.map_err(|error| undelivered(&error.without_url()))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| {
            let now = jiff::Timestamp::now();
            retry_after(value.to_str().ok()?, now)
        });
        // What was read to its end leaves a connection that can be used again.
        let mut read = 0;
        while let Ok(Some(piece)) = response.chunk().await {
            read += piece.len();
            if read > ANSWER_BYTES_MAX {
                break;
            }
        }
        Ok(Answer { status, retry_after })
    }
}

impl Transport for HttpTransport {
    fn allows(&self, url: &Url) -> Result<(), String> {
        if self.allow_private {
            return Ok(());
        }
        // The parser has read every notation of an address: decimal, octal, hexadecimal, shortened.
        let ip = match url.host() {
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
            // Names are looked at when they are resolved, at each connection.
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err("it names no host".to_owned()),
        };
        if is_public(ip) { Ok(()) } else { Err(not_public()) }
    }

    fn post(&self, request: Request) -> BoxFuture<'_, Result<Answer, Undelivered>> {
        Box::pin(self.send(request))
    }
}

fn not_public() -> String {
    "it leads to an address that is not public; set `webhooks.allow_private` if your receivers are inside".to_owned()
}

fn client(timeout: Duration, guard: Option<Arc<Guard>>) -> Result<Client, NoClient> {
    let tls = tls::config().map_err(|error| NoClient(error.to_string()))?;
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never())
        .no_proxy()
        .connect_timeout(timeout.min(Duration::from_secs(5)))
        .timeout(timeout)
        .pool_max_idle_per_host(8)
        .user_agent(concat!("orderkeep/", env!("CARGO_PKG_VERSION")));
    let builder = match guard {
        Some(guard) => builder.dns_resolver(guard),
        None => builder,
    };
    builder.build().map_err(|error| NoClient(error.to_string()))
}

fn undelivered(error: &reqwest::Error) -> Undelivered {
    if error.is_timeout() {
        return Undelivered("no answer in time".to_owned());
    }
    let mut root: &dyn std::error::Error = error;
    while let Some(source) = root.source() {
        root = source;
    }
    Undelivered(root.to_string())
}

/// Seconds, or a date.
fn retry_after(text: &str, now: jiff::Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(at.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}

/// Resolves names, and gives the client only addresses that are public: it connects to what was looked at, so a name
/// that leads elsewhere a moment later gains nothing.
struct Guard(Lookup);

#[cfg(test)]
type Table = dyn Fn(&str) -> Vec<SocketAddr> + Send + Sync;

enum Lookup {
    System,
    #[cfg(test)]
    Table(Box<Table>),
}

impl Guard {
    const fn system() -> Self {
        Self(Lookup::System)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let found = match &self.0 {
            Lookup::System => None,
            #[cfg(test)]
            Lookup::Table(table) => Some(table(name.as_str())),
        };
        Box::pin(async move {
            let found: Vec<SocketAddr> = match found {
                Some(found) => found,
                // The port is the client's to set.
                None => tokio::net::lookup_host((name.as_str(), 0)).await?.collect(),
            };
            // One address inside among public ones is no accident: none is used.
            if found.is_empty() || !found.iter().all(|address| is_public(address.ip())) {
                return Err(not_public().into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::net::TcpListener;

    use super::*;

    fn strict() -> HttpTransport {
        HttpTransport::new(&WebhooksConfig::default()).unwrap()
    }

    #[tokio::test]
    async fn no_notation_of_an_address_inside_is_let_through() {
        let transport = strict();
        for text in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://0/",
            "http://127.0.0.1./",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://[fd00:ec2::254]/",
            "http://10.1.2.3/",
            "http://①②⑦.⓪.⓪.①/",
            "http://127。0。0。1/",
            "https://192.168.1.1:8443/hook",
        ] {
            let url = Url::parse(text).unwrap();
            assert!(transport.allows(&url).is_err(), "{text} is {url}");
            let request = Request { url, headers: Vec::new(), body: Default::default() };
            assert!(transport.post(request).await.is_err(), "{text}");
        }
        assert_eq!(transport.allows(&Url::parse("https://example.com/hook").unwrap()), Ok(()));
    }

    /// A webhook's target is inside our own network, or a name that leads there.
    ///
    /// Refused, when the endpoint is made and again at every delivery: the connection goes to the address that was looked
    /// at, in whatever notation, and no redirect is followed. `webhooks.allow_private` opens it for tests.
    #[tokio::test]
    async fn h10_a_name_is_looked_at_whenever_it_is_resolved_and_nothing_connects_elsewhere() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inside = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let transport = HttpTransport::resolving_by(move |name| {
            counted.fetch_add(1, Ordering::Relaxed);
            let public = SocketAddr::from(([203, 0, 114, 1], 0));
            match name {
                "inside.test" => vec![inside],
                "both.test" => vec![public, inside],
                _ => Vec::new(),
            }
        });
        for name in ["inside.test", "both.test", "nowhere.test"] {
            let url = Url::parse(&format!("http://{name}:{}/", inside.port())).unwrap();
            assert_eq!(transport.allows(&url), Ok(()), "its text says nothing");
            let request = Request { url, headers: Vec::new(), body: Default::default() };
            let refused = transport.post(request).await.unwrap_err();
            assert!(refused.0.contains("not public"), "{refused}");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 3);
        let reached = tokio::select! {
            biased;
            accepted = listener.accept() => Some(accepted),
            () = std::future::ready(()) => None,
        };
        assert!(reached.is_none(), "somebody connected");
    }

    #[test]
    fn a_receiver_may_name_seconds_or_a_date() {
        let now: jiff::Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let seconds = |text| retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("Sun, 01 Mar 2026 12:05:00 GMT"), Some(300));
        assert_eq!(seconds("Sun, 01 Mar 2026 11:05:00 GMT"), Some(0));
        assert_eq!(seconds("soon"), None);
    }
}
