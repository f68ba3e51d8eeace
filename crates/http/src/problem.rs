//! Errors as problem details (RFC 9457): what, why, what to do, and a code that does not change.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use orderkeep_core::Refusal;
use orderkeep_driver::{CommandError, EngineError, SubmitError, WebhookError};
use orderkeep_provider::{CallError, FailureClass};
use serde::Serialize;

/// One error; boxed, since it travels in every result.
#[derive(Debug)]
pub(crate) struct Problem(Box<Details>);

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_code: Option<String>,
    /// Why the lifecycle refuses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_cursor: Option<String>,
    #[serde(skip)]
    retry_after_s: Option<u64>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind: format!("urn:orderkeep:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            provider_code: None,
            refusal: None,
            oldest_cursor: None,
            retry_after_s: None,
        }))
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// When to try again, in seconds.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    pub(crate) fn too_large() -> Self {
        let detail = "the body is longer than 256 KiB";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// The body, for where there is no status left to say it with.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
        if let Some(seconds) = self.0.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        /// Long enough for a restart or a person with a broom.
        const RETRY_AFTER_S: u64 = 5;
        let detail = error.to_string();
        let (status, code) = match &error {
            EngineError::NoAccount(_) => (StatusCode::NOT_FOUND, "no_such_account"),
            EngineError::Full(_) => (StatusCode::INSUFFICIENT_STORAGE, "disk_full"),
            EngineError::Halted(_) => (StatusCode::SERVICE_UNAVAILABLE, "halted"),
            EngineError::ShuttingDown => (StatusCode::SERVICE_UNAVAILABLE, "shutting_down"),
            EngineError::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            EngineError::CursorGone { .. } => (StatusCode::GONE, "cursor_gone"),
            EngineError::Record(_) | EngineError::Store(_) | _ => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal")
            }
        };
        let mut problem = Self::new(status, code, detail);
        if let EngineError::CursorGone { oldest } = &error {
            problem.0.oldest_cursor = Some(oldest.to_string());
        }
        if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::INSUFFICIENT_STORAGE {
            problem.0.retry_after_s = Some(RETRY_AFTER_S);
        }
        problem
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        let (status, code) = match error.class {
            FailureClass::Definite => (StatusCode::UNPROCESSABLE_ENTITY, "provider_refused"),
            FailureClass::Denied => (StatusCode::BAD_GATEWAY, "provider_denied"),
            FailureClass::Throttled => (StatusCode::SERVICE_UNAVAILABLE, "provider_throttled"),
            FailureClass::NotSent | FailureClass::Ambiguous => {
                (StatusCode::BAD_GATEWAY, "provider_unreachable")
            }
        };
        let mut problem = Self::new(status, code, error.to_string());
        problem.0.retry_after_s = error.retry_after.map(|wait| wait.as_secs());
        problem.0.provider_code = error.code;
        problem
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        let detail = error.to_string();
        match error {
            CommandError::NoOrder(_) => Self::new(StatusCode::NOT_FOUND, "no_such_order", detail),
            CommandError::Refused(why) => {
                if let Refusal::BadText(_) = why {
                    return Self::bad_request(detail);
                }
                let code = if why == Refusal::KeyConflict { "key_conflict" } else { "refused" };
                let mut problem = Self::new(StatusCode::CONFLICT, code, detail);
                problem.0.refusal = Some(why.name());
                problem
            }
            CommandError::NotTaken(_) => Self::new(StatusCode::CONFLICT, "refused", detail),
            CommandError::Provider(error) => error.into(),
            CommandError::Engine(error) => error.into(),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail),
        }
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        let detail = error.to_string();
        let (status, code) = match error {
            SubmitError::Terms(_) => (StatusCode::UNPROCESSABLE_ENTITY, "terms_mismatch"),
            SubmitError::UnknownLock(_) => (StatusCode::UNPROCESSABLE_ENTITY, "unknown_lock"),
            SubmitError::LockAnswer(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_lock_answer"),
            SubmitError::KeyConflict { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "key_conflict"),
            SubmitError::LockTaken { .. } => (StatusCode::CONFLICT, "lock_taken"),
            SubmitError::ReferenceTooLong(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "reference_too_long")
            }
            SubmitError::Engine(error) => return error.into(),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        Self::new(status, code, detail)
    }
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        let detail = error.to_string();
        let (status, code) = match error {
            WebhookError::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            WebhookError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            WebhookError::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            WebhookError::Engine(error) => return error.into(),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        Self::new(status, code, detail)
    }
}

pub(crate) async fn no_such_path() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no_such_path", "there is nothing at this path")
}

pub(crate) async fn no_such_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "no_such_method",
        "this path does not take this method",
    )
}
