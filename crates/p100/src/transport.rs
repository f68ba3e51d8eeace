//! One request, at most one answer, bounded in time and size. Says whether the request can have left this machine.
//!
//! It decides nothing about what an answer means; `failure` does.

use std::{error::Error as _, sync::Arc, time::Instant};

use reqwest::{
    Client, Method, Url,
    header::{ACCEPT, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
    redirect, retry,
};

use crate::{
    Answer, Exchange, Fault, Request,
    config::{BaseUrl, ConfigError, P100Config},
    retry_after,
    secret::{Secret, SecretError},
    skew::Skew,
    tls,
};

/// Far above any documented answer, far below what would hurt.
pub(crate) const ANSWER_BYTES_MAX: usize = 256 * 1024;

const USER_AGENT: &str = concat!("orderkeep/", env!("CARGO_PKG_VERSION"));

/// What carries requests.
pub(crate) enum Transport {
    /// The network.
    Http(Box<Http>),
    /// Something else, for simulations.
    Other(Arc<dyn Exchange>),
}

impl Transport {
    /// Sends once. The future is bounded by the lane's timeout; dropped early, it leaves the outcome unknown.
    pub(crate) async fn send(
        &self,
        lane: Lane,
        method: Method,
        url: Url,
        json: Option<Vec<u8>>,
    ) -> Result<Answer, Fault> {
        match self {
            Self::Http(http) => http.send(lane, method, url, json).await,
            Self::Other(exchange) => {
                let (is_post, path) = (method == Method::POST, url.path().to_owned());
                exchange.send(Request { is_post, path, body: json }).await
            }
        }
    }
}

/// Two HTTP clients: connections of one are never used again.
pub(crate) struct Http {
    reads: Client,
    creates: Client,
    pub(crate) skew: Skew,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// May use a connection that was used before.
    Pooled,
    /// Its own connection, closed after it. On a used connection "closed before the answer" would not tell whether the
    /// request had arrived, and the pool would try again by itself where it believes that it had not.
    Fresh,
}

impl Http {
    pub(crate) fn new(config: &P100Config, base: &BaseUrl) -> Result<Self, ConfigError> {
        let tls = if base.is_https() {
            tls::platform_roots(config.extra_roots_pem.as_deref())?
        } else {
            tls::no_roots()?
        };
        let headers = headers(&config.api_key)?;
        let client = |timeout, idle_connections| {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .https_only(base.is_https())
                .http1_only()
                .redirect(redirect::Policy::none())
                .referer(false)
                .retry(retry::never())
                .no_proxy()
                .connect_timeout(config.timeouts.connect)
                .timeout(timeout)
                .pool_max_idle_per_host(idle_connections)
                .user_agent(USER_AGENT)
                .default_headers(headers.clone())
                .build()
                .map_err(|e| ConfigError::Http(root_cause(&e)))
        };
        /// Enough for the reads that one account's budget lets run at once.
        const IDLE_CONNECTIONS: usize = 8;
        Ok(Self {
            reads: client(config.timeouts.read, IDLE_CONNECTIONS)?,
            creates: client(config.timeouts.create, 0)?,
            skew: Skew::default(),
        })
    }

    async fn send(
        &self,
        lane: Lane,
        method: Method,
        url: Url,
        json: Option<Vec<u8>>,
    ) -> Result<Answer, Fault> {
        let client = match lane {
            Lane::Pooled => &self.reads,
            Lane::Fresh => &self.creates,
        };
        let mut request = client.request(method, url);
        if let Some(json) = json {
            request = request.header(CONTENT_TYPE, JSON).body(json);
        }
        let (sent_at, started) = (jiff::Timestamp::now(), Instant::now());
        let mut response = request.send().await.map_err(|e| fault(&e))?;
        let header =
            |name| response.headers().get(name).and_then(|v: &HeaderValue| v.to_str().ok());
        let retry_after = header(RETRY_AFTER)
            .and_then(|value| retry_after::read(value, header(DATE), jiff::Timestamp::now()));
        if let Some(date) = header(DATE).and_then(retry_after::http_date) {
            self.skew.take_in(date, sent_at, started.elapsed());
        }
        let status = response.status().as_u16();
        let body = read_body(&mut response).await;
        Ok(Answer { status, retry_after, body })
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

fn headers(api_key: &Secret) -> Result<HeaderMap, ConfigError> {
    // The provider's documents insist on lower case.
    const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
    let mut key = HeaderValue::from_str(api_key.expose())
        .map_err(|_| SecretError::NotOneWord { origin: "the API key".to_owned() })?;
    key.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(API_KEY, key);
    headers.insert(ACCEPT, JSON);
    Ok(headers)
}

async fn read_body(response: &mut reqwest::Response) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| fault(&e))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Fault {
                not_sent: false,
                why: format!("the answer is longer than {ANSWER_BYTES_MAX} bytes"),
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn fault(error: &reqwest::Error) -> Fault {
    // Only an error of the connector itself proves that nothing was written: the request is handed over after it.
    let not_sent = error.is_connect();
    let what = match (not_sent, error.is_timeout()) {
        (true, true) => "no connection in time",
        (true, false) => "no connection",
        (false, true) => "no whole answer in time",
        (false, false) => "the connection broke before the whole answer",
    };
    Fault { not_sent, why: format!("{what} ({})", root_cause(error)) }
}

/// The innermost cause alone: the outer ones repeat the address of the request.
fn root_cause(error: &reqwest::Error) -> String {
    const CHARS_MAX: usize = 200;
    let Some(mut cause) = error.source() else { return "no cause given".to_owned() };
    // Bounded: no real chain is this deep.
    for _ in 0..16 {
        match cause.source() {
            Some(inner) => cause = inner,
            None => break,
        }
    }
    cause.to_string().chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect()
}
