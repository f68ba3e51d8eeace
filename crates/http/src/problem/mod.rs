//! Errors as problem details (RFC 9457): what, why, what to do, and a code that does not change.

mod code;
mod pages;

pub(crate) use code::Code;
pub(crate) use pages::{__path_error_index, __path_error_page, error_index, error_page};

use std::borrow::Cow;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use orderkeep_core::Refusal;
use orderkeep_driver::{CommandError, EngineError, SubmitError, WebhookError};
use orderkeep_provider::{CallError, FailureClass};
use serde::Serialize;
use utoipa::ToSchema;

/// One error; boxed, since it travels in every result.
#[derive(Debug)]
pub(crate) struct Problem(Box<Details>);

/// A problem (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Details {
    /// The page about this code, on this engine.
    #[serde(rename = "type")]
    kind: String,
    /// A few words; the same for every occurrence.
    title: &'static str,
    /// The answer's status.
    status: u16,
    /// A stable word to decide by.
    #[schema(schema_with = codes)]
    code: &'static str,
    /// What was wrong this time.
    detail: String,
    /// What can be done about it.
    to_do: &'static str,
    /// Where in the body: a JSON pointer (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pointer: Option<String>,
    /// Which query parameter, header or part of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parameter: Option<Cow<'static, str>>,
    /// The provider's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    provider_code: Option<String>,
    /// Why the lifecycle refuses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refusal: Option<&'static str>,
    /// Where the feed begins now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    oldest_cursor: Option<String>,
    #[serde(skip)]
    retry_after_s: Option<u64>,
}

fn codes() -> utoipa::openapi::schema::Object {
    let codes = Code::ALL.iter().map(|code| code.as_str());
    utoipa::openapi::schema::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .enum_values(Some(codes))
        .description(Some("A stable word to decide by."))
        .build()
}

/// Long enough for a restart or a person with a broom.
const RETRY_AFTER_S: u64 = 5;

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        let entry = code.entry();
        Self(Box::new(Details {
            kind: code.path(),
            title: entry.title,
            status: entry.status.as_u16(),
            code: entry.code,
            detail: detail.into(),
            to_do: entry.to_do,
            pointer: None,
            parameter: None,
            provider_code: None,
            refusal: None,
            oldest_cursor: None,
            retry_after_s: None,
        }))
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, detail)
    }

    /// Where in the body.
    pub(crate) fn at(mut self, pointer: impl Into<String>) -> Self {
        self.0.pointer = Some(pointer.into()).filter(|pointer| !pointer.is_empty());
        self
    }

    /// In which query parameter, header or part of the path.
    pub(crate) fn in_parameter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.parameter = Some(name.into());
        self
    }

    /// When to try again, in seconds.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    pub(crate) fn too_large(most: usize) -> Self {
        let detail = if most.is_multiple_of(1024) {
            format!("the body is longer than {} KiB", most / 1024)
        } else {
            format!("the body is longer than {most} bytes")
        };
        Self::new(Code::TooLarge, detail)
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::new(Code::Internal, detail)
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
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let detail = error.to_string();
        let code = match &error {
            EngineError::NoAccount(_) => Code::NoSuchAccount,
            EngineError::Full(_) => Code::DiskFull,
            EngineError::Halted(_) => Code::Halted,
            EngineError::ShuttingDown => Code::ShuttingDown,
            EngineError::Busy(_) => Code::Busy,
            EngineError::CursorGone { .. } => Code::CursorGone,
            EngineError::Record(_) | EngineError::Store(_) | _ => Code::Internal,
        };
        let mut problem = Self::new(code, detail);
        if let EngineError::CursorGone { oldest } = &error {
            problem.0.oldest_cursor = Some(oldest.to_string());
        }
        let status = code.entry().status;
        if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::INSUFFICIENT_STORAGE {
            problem.0.retry_after_s = Some(RETRY_AFTER_S);
        }
        problem
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        let code = match error.class {
            FailureClass::Definite => Code::ProviderRefused,
            FailureClass::Denied => Code::ProviderDenied,
            FailureClass::Throttled => Code::ProviderThrottled,
            FailureClass::NotSent | FailureClass::Ambiguous => Code::ProviderUnreachable,
        };
        let mut problem = Self::new(code, error.to_string());
        problem.0.retry_after_s = error.retry_after.map(|wait| wait.as_secs());
        if code == Code::ProviderThrottled {
            problem.0.retry_after_s.get_or_insert(RETRY_AFTER_S);
        }
        problem.0.provider_code = error.code;
        problem
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        let detail = error.to_string();
        match error {
            CommandError::NoOrder(_) => Self::new(Code::NoSuchOrder, detail),
            CommandError::Refused(why) => {
                if let Refusal::BadText(_) = why {
                    return Self::bad_request(detail);
                }
                let code =
                    if why == Refusal::KeyConflict { Code::KeyConflict } else { Code::Refused };
                let mut problem = Self::new(code, detail);
                problem.0.refusal = Some(why.name());
                problem
            }
            CommandError::Moved { .. } => Self::new(Code::VersionMismatch, detail),
            CommandError::NotTaken(_) => Self::new(Code::Refused, detail),
            CommandError::Provider(error) => error.into(),
            CommandError::Engine(error) => error.into(),
            _ => Self::new(Code::Internal, detail),
        }
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        let detail = error.to_string();
        let code = match error {
            SubmitError::Terms(_) => Code::TermsMismatch,
            SubmitError::UnknownLock(_) => Code::UnknownLock,
            SubmitError::LockAnswer(_) => Code::BadLockAnswer,
            SubmitError::KeyConflict { .. } => Code::KeyConflict,
            SubmitError::LockTaken { .. } => Code::LockTaken,
            SubmitError::KeyLeft(_) | SubmitError::LockLeft(_) => Code::OrderLeft,
            SubmitError::ReferenceTooLong(_) => Code::ReferenceTooLong,
            SubmitError::Provider(error) => return error.into(),
            SubmitError::Engine(error) => return error.into(),
            _ => Code::Internal,
        };
        Self::new(code, detail)
    }
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        let detail = error.to_string();
        let code = match error {
            WebhookError::Unauthorized => Code::Unauthorized,
            WebhookError::TooLarge(_) => Code::TooLarge,
            WebhookError::Malformed(_) => Code::Malformed,
            WebhookError::Engine(error) => return error.into(),
            _ => Code::Internal,
        };
        Self::new(code, detail)
    }
}

pub(crate) async fn no_such_path() -> Problem {
    Problem::new(Code::NoSuchPath, "there is nothing at this path")
}

pub(crate) async fn no_such_method() -> Problem {
    Problem::new(Code::NoSuchMethod, "this path does not take this method")
}

/// Says in our own words what the timeout layer says with a bare status.
pub(crate) async fn timed_out(response: Response) -> Response {
    let bare = !response.headers().contains_key(header::CONTENT_TYPE);
    if response.status() == StatusCode::REQUEST_TIMEOUT && bare {
        let detail = "no answer was found in time; what was asked may have been done";
        return Problem::new(Code::TimedOut, detail).into_response();
    }
    response
}
