//! A client of the engine's API and of the sandbox's controls: JSON in, JSON out, errors as sentences.

use std::{path::Path, time::Duration};

use reqwest::{Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;

use crate::{
    exit::{self, Failure},
    settings::secrets,
};

/// The token itself, where no file is named.
const TOKEN: &str = "ORDERKEEP_API_TOKEN";
/// How long one request may take. Longer than the engine's own limit is of no use.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A stream says something every 15 seconds; silence for longer is no engine.
const SILENCE: Duration = Duration::from_secs(45);

/// A client of one server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    streams: reqwest::Client,
    base: String,
    token: Option<SecretString>,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

/// The server could not be asked; a later try may reach it.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach {base}: {why}; is the engine running there? Give another address with --url")]
pub(crate) struct Unreachable {
    base: String,
    why: String,
}

impl Client {
    pub(crate) fn new(base: &str, token_file: Option<&Path>) -> Result<Self, Failure> {
        let client =
            || reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        let http = client().timeout(TIMEOUT).build().map_err(Failure::failed)?;
        let streams = client()
            .connect_timeout(TIMEOUT)
            .read_timeout(SILENCE)
            .build()
            .map_err(Failure::failed)?;
        let token = match token_file {
            Some(file) => Some(secrets::in_file(file)?),
            None if std::env::var_os(TOKEN).is_some() => Some(secrets::in_variable(TOKEN)?),
            None => None,
        };
        Ok(Self { http, streams, base: base.trim_end_matches('/').to_owned(), token })
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&(impl Serialize + ?Sized)>,
    ) -> Result<Answer, Unreachable> {
        let unreachable = |error| Unreachable::new(&self.base, &error);
        let mut request = self.request(&self.http, method, path);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            let text = serde_json::to_string(body).map_err(|error| Unreachable {
                base: self.base.clone(),
                why: format!("the request cannot be written: {error}"),
            })?;
            request = request.header(header::CONTENT_TYPE, "application/json").body(text);
        }
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(unreachable)?;
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    fn request(
        &self,
        client: &reqwest::Client,
        method: Method,
        path: &str,
    ) -> reqwest::RequestBuilder {
        let request = client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        }
    }

    /// Opens a stream of server-sent events.
    pub(crate) async fn stream(&self, path: &str) -> Result<Stream, Interrupted> {
        let interrupted = |error| Interrupted::Unreachable(Unreachable::new(&self.base, &error));
        let request = self.request(&self.streams, Method::GET, path);
        let response = request
            .header(header::ACCEPT, "text/event-stream")
            .send()
            .await
            .map_err(interrupted)?;
        let status = response.status();
        if status.is_success() {
            return Ok(Stream { base: self.base.clone(), response });
        }
        let bytes = response.bytes().await.map_err(interrupted)?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Err(Interrupted::Refused(Answer { status, body }))
    }

    /// A body that may be long, to be read as it comes.
    pub(crate) async fn download(&self, path: &str) -> Result<reqwest::Response, Failure> {
        /// The longest that one file may take.
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        let mut request = self.http.get(format!("{}{path}", self.base)).timeout(DAY);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        let response = request
            .send()
            .await
            .map_err(|error| Failure::failed(Unreachable::new(&self.base, &error)))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = response.bytes().await.unwrap_or_default();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer { status, body }.good().and(Err(Failure::failed("no body in the answer")))
    }

    /// A body that is no JSON.
    pub(crate) async fn text(&self, path: &str, kind: &str) -> Result<String, Failure> {
        let unreachable = |error| Unreachable::new(&self.base, &error);
        let request = self.request(&self.http, Method::GET, path).header(header::ACCEPT, kind);
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let text = response.text().await.map_err(unreachable)?;
        if status.is_success() {
            return Ok(text);
        }
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, body }.good().and(Ok(String::new()))
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Unreachable> {
        self.send(Method::GET, path, None, None::<&Value>).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Answer, Unreachable> {
        self.send(Method::POST, path, None, Some(body)).await
    }
}

/// An answer that does not end.
#[derive(Debug)]
pub(crate) struct Stream {
    base: String,
    response: reqwest::Response,
}

/// Why there is no stream, or no more of it.
#[derive(Debug)]
pub(crate) enum Interrupted {
    Unreachable(Unreachable),
    Refused(Answer),
}

impl Stream {
    /// The next piece; `None`: the server ended it.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Interrupted> {
        match self.response.chunk().await {
            Ok(bytes) => Ok(bytes.map(|bytes| bytes.to_vec())),
            Err(error) => Err(Interrupted::Unreachable(Unreachable::new(&self.base, &error))),
        }
    }
}

impl Unreachable {
    fn new(base: &str, error: &reqwest::Error) -> Self {
        let mut why = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            why = cause.to_string();
            source = cause.source();
        }
        Self { base: base.to_owned(), why }
    }
}

impl Answer {
    /// The body of a good answer; a bad one becomes the process's failure.
    pub(crate) fn good(self) -> Result<Value, Failure> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        let detail = self.body.get("detail").and_then(Value::as_str).unwrap_or("no details");
        let code = match self.status {
            StatusCode::NOT_FOUND => exit::NOT_FOUND,
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => exit::CONFLICT,
            _ => exit::FAILED,
        };
        Err(Failure::new(code, format!("{detail} ({})", self.status.as_u16())))
    }
}

impl From<Unreachable> for Failure {
    fn from(error: Unreachable) -> Self {
        Self::failed(error)
    }
}
