//! The callers' token, compared in constant time.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::problem::Problem;

#[derive(Debug, Clone)]
pub(crate) struct Token(Arc<SecretString>);

impl Token {
    pub(crate) fn new(token: SecretString) -> Self {
        Self(Arc::new(token))
    }
}

pub(crate) async fn check(State(token): State<Token>, request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
        .unwrap_or_default();
    if bool::from(given.ct_eq(token.0.expose_secret().as_bytes())) {
        next.run(request).await
    } else {
        let detail = "send `Authorization: Bearer <token>` with this engine's API token";
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail).into_response()
    }
}
