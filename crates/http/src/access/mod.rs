//! Who may do what, and how much of it: keys, scopes, a rate per key, requests at once.

mod body;
mod key;
mod ring;

pub use key::{BadScope, Key, Scope};
pub use ring::KeyRing;

use axum::{
    extract::{Request, State},
    http::{Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use orderkeep_core::Author;

use crate::{
    limits::{Limits, Places},
    problem::{Code, Problem},
};
use body::Bodies;

/// Whose request this is, when keys are asked for.
#[derive(Debug, Clone)]
pub(crate) struct Caller(Author);

#[derive(Debug, Clone)]
pub(crate) struct Gate {
    keys: KeyRing,
    places: Places,
    bodies: Bodies,
}

impl Gate {
    pub(crate) fn new(keys: KeyRing, limits: Limits) -> Self {
        let busy = ("as many requests are being answered as this engine allows", 1);
        let places = Places::new(limits.in_flight, busy);
        Self { keys, places, bodies: Bodies::new(limits) }
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
    let (request, held) = match gate.bodies.whole(request).await {
        Ok(read) => read,
        Err(answer) => return answer,
    };
    let place = if stays(request.uri().path()) {
        None
    } else {
        match gate.places.take() {
            Ok(place) => Some(place),
            Err(busy) => return busy.into_response(),
        }
    };
    let response = next.run(request).await;
    drop((place, held));
    response
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
        (None, None) => {
            Err(Problem::bad_request("body: missing field `author`: who asks").at("/author"))
        }
        (Some(Caller(key)), None) => Ok(key.clone()),
        (Some(Caller(key)), Some(named)) => {
            Author::new(format!("{key}/{named}")).map_err(|error| {
                // Alone it may be good.
                let detail = format!(
                    "the author is kept behind the name of your key, as `{key}/...`: {error}"
                );
                Problem::bad_request(detail).at("/author")
            })
        }
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
