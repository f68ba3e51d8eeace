//! Who may do what, and how much of it: keys, scopes, a rate per key, requests at once.

mod key;
mod ring;

pub use key::{BadScope, Key, Scope};
pub use ring::KeyRing;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use orderkeep_core::Author;
use tokio::sync::Semaphore;

use crate::{
    BODY_BYTES_MAX,
    problem::{Code, Problem},
};

/// A body is here within this time.
const BODY_WITHIN: std::time::Duration = std::time::Duration::from_secs(15);

/// Whose request this is, when keys are asked for.
#[derive(Debug, Clone)]
pub(crate) struct Caller(Author);

#[derive(Debug, Clone)]
pub(crate) struct Gate {
    keys: KeyRing,
    places: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new(keys: KeyRing, in_flight_max: usize) -> Self {
        Self { keys, places: Arc::new(Semaphore::new(in_flight_max)) }
    }
}

/// What a request needs. Whatever is not known to need less needs an operator.
fn needed(method: &Method, path: &str) -> Scope {
    // A copy of the store holds everything of everybody.
    if path.starts_with("/v1/store/") {
        return Scope::Admin;
    }
    if *method == Method::GET || *method == Method::HEAD {
        return Scope::Read;
    }
    // An endpoint sends what happens out of the house.
    if path.starts_with("/v1/webhook-endpoints") {
        return Scope::Admin;
    }
    match path {
        "/v1/locks" | "/v1/orders" => Scope::Write,
        _ => Scope::Operate,
    }
}

/// Waits and streams are bounded by themselves, and would fill the places of those who only ask.
fn stays(path: &str) -> bool {
    path.ends_with("/wait") || path == "/v1/events"
}

pub(crate) async fn check(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    match admitted(&gate, &request) {
        Ok(Some(caller)) => drop(request.extensions_mut().insert(caller)),
        Ok(None) => {}
        Err(problem) => return problem.into_response(),
    }
    if announced(&request) > BODY_BYTES_MAX as u64 {
        return Problem::too_large().into_response();
    }
    let request = match whole(request).await {
        Ok(request) => request,
        Err(answer) => return answer,
    };
    let place = if stays(request.uri().path()) {
        None
    } else {
        match gate.places.try_acquire() {
            Ok(place) => Some(place),
            Err(_) => {
                let detail = "as many requests are being answered as this engine allows";
                let busy = Problem::new(Code::Busy, detail);
                return busy.retry_after(1).into_response();
            }
        }
    };
    let response = next.run(request).await;
    drop(place);
    response
}

/// The request with its body read. Who sends slowly takes no place from those who do not.
async fn whole(request: Request) -> Result<Request, Response> {
    let (head, body) = request.into_parts();
    match tokio::time::timeout(BODY_WITHIN, axum::body::to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => Ok(Request::from_parts(head, axum::body::Body::from(bytes))),
        // Or the caller broke off, and hears nothing any more.
        Ok(Err(_)) => Err(Problem::too_large().into_response()),
        Err(_) => Err(axum::http::StatusCode::REQUEST_TIMEOUT.into_response()),
    }
}

/// How long the body says it is: what is too long is refused before it is sent.
fn announced(request: &Request) -> u64 {
    let length = request.headers().get(header::CONTENT_LENGTH);
    length.and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0)
}

/// The caller, or why there is none. `None`: no keys are asked for.
fn admitted(gate: &Gate, request: &Request) -> Result<Option<Caller>, Problem> {
    if gate.keys.is_empty() {
        return Ok(None);
    }
    let held = token(request).and_then(|token| gate.keys.find(token)).ok_or_else(|| {
        // The same words whether there is no key, no such key, or one that has ended.
        let detail = "send `Authorization: Bearer <key>` with a key of this engine";
        Problem::new(Code::Unauthorized, detail)
    })?;
    let needed = needed(request.method(), request.uri().path());
    if held.scope < needed {
        let detail = format!(
            "this needs a key with the scope `{needed}`; the key `{}` has `{}`",
            held.name, held.scope
        );
        return Err(Problem::new(Code::InsufficientScope, detail));
    }
    held.spend().map_err(|seconds| {
        let detail = format!("the key `{}` asks too often", held.name);
        let too_many = Problem::new(Code::TooManyRequests, detail);
        too_many.retry_after(seconds)
    })?;
    Ok(Some(Caller(held.name.clone())))
}

/// The one token that was sent.
fn token(request: &Request) -> Option<&[u8]> {
    let mut values = request.headers().get_all(header::AUTHORIZATION).iter();
    let token = values.next()?.as_bytes().strip_prefix(b"Bearer ")?;
    values.next().is_none().then_some(token)
}

/// Under which name an act is recorded: the key's, and behind it whom the caller names.
pub(crate) fn author(caller: Option<&Caller>, named: Option<Author>) -> Result<Author, Problem> {
    match (caller, named) {
        (None, Some(named)) => Ok(named),
        (None, None) => Err(Problem::bad_request("body: missing field `author`: who asks")),
        (Some(Caller(key)), None) => Ok(key.clone()),
        (Some(Caller(key)), Some(named)) => Author::new(format!("{key}/{named}"))
            .map_err(|error| Problem::bad_request(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_something_needs_more_than_what_reads() {
        for (method, path, scope) in [
            (Method::GET, "/v1/orders", Scope::Read),
            (Method::GET, "/metrics", Scope::Read),
            (Method::POST, "/v1/orders", Scope::Write),
            (Method::POST, "/v1/locks", Scope::Write),
            (Method::POST, "/v1/orders/7/cancel", Scope::Operate),
            (Method::DELETE, "/v1/orders", Scope::Write),
            (Method::POST, "/v1/orders/", Scope::Operate),
            (Method::GET, "/v1/store/backup", Scope::Admin),
            (Method::GET, "/v1/webhook-endpoints", Scope::Read),
            (Method::POST, "/v1/webhook-endpoints", Scope::Admin),
            (Method::DELETE, "/v1/webhook-endpoints/7", Scope::Admin),
        ] {
            assert_eq!(needed(&method, path), scope, "{method} {path}");
        }
    }
}
