//! Which errors each operation can answer.

use utoipa::openapi::{
    HeaderBuilder, ResponseBuilder,
    content::ContentBuilder,
    path::Operation,
    schema::{ObjectBuilder, Ref, Type},
};

use crate::problem::Code;

/// What can be answered to anything that keys are asked for.
const GUARDED: &[Code] = &[
    Code::BadRequest,
    Code::TooLarge,
    Code::Unauthorized,
    Code::InsufficientScope,
    Code::TimedOut,
    Code::TooManyRequests,
    Code::Internal,
    Code::Busy,
    Code::ShuttingDown,
    Code::Halted,
];
/// What the provider can make of a call.
const PROVIDER: &[Code] = &[
    Code::NoSuchAccount,
    Code::ProviderRefused,
    Code::ProviderDenied,
    Code::ProviderUnreachable,
    Code::ProviderThrottled,
];
const SUBMIT: &[Code] = &[
    Code::LockTaken,
    Code::OrderLeft,
    Code::TermsMismatch,
    Code::UnknownLock,
    Code::BadLockAnswer,
    Code::KeyConflict,
    Code::ReferenceTooLong,
    Code::DiskFull,
];
const RECEIVED: &[Code] = &[
    Code::Malformed,
    Code::Unauthorized,
    Code::TooLarge,
    Code::Compressed,
    Code::Internal,
    Code::Busy,
    Code::ShuttingDown,
    Code::Halted,
    Code::DiskFull,
];
const COMMAND: &[Code] = &[Code::NoSuchOrder, Code::Refused, Code::VersionMismatch, Code::DiskFull];

/// What an operation can answer besides what can be answered to anything.
fn errors_of(operation: &str) -> &'static [&'static [Code]] {
    match operation {
        "getRates" => &[PROVIDER],
        "takeLock" => &[PROVIDER, &[Code::DiskFull]],
        "submitOrder" => &[PROVIDER, SUBMIT],
        "getOrder" | "getOrderHistory" | "explainOrder" | "waitForOrder" => &[&[Code::NoSuchOrder]],
        "cancelOrder" | "retryOrder" | "adoptProviderOrder" | "resolveOrder" | "postOrderAgain"
        | "noteOrder" => &[COMMAND],
        "listEvents" => &[&[Code::CursorGone]],
        "getReport" => &[&[Code::ReportTooLarge]],
        "liftRestoreHold" => &[&[Code::NotRestored, Code::DiskFull]],
        "createWebhookEndpoint" => {
            &[&[Code::TooManyWebhookEndpoints, Code::CursorGone, Code::DiskFull]]
        }
        "getWebhookEndpoint" | "testWebhookEndpoint" | "listDeliveries" => {
            &[&[Code::NoSuchWebhookEndpoint]]
        }
        "enableWebhookEndpoint" | "disableWebhookEndpoint" | "rotateWebhookSecret" => {
            &[&[Code::NoSuchWebhookEndpoint, Code::DiskFull]]
        }
        "updateWebhookEndpoint" | "deleteWebhookEndpoint" => {
            &[&[Code::NoSuchWebhookEndpoint, Code::Configured, Code::DiskFull]]
        }
        "replayWebhooks" => &[&[Code::NoSuchWebhookEndpoint, Code::NoSuchEvent, Code::DiskFull]],
        "getReadiness" => &[&[Code::Internal, Code::ShuttingDown, Code::Halted, Code::DiskFull]],
        "getErrorPage" => &[&[Code::NoSuchPath]],
        "receiveWebhook" | "receiveOtherWebhook" => &[RECEIVED],
        _ => &[],
    }
}

/// Adds them to what an operation answers.
pub(super) fn describe(operation: &mut Operation) {
    let name = operation.operation_id.clone().unwrap_or_default();
    // Where nobody is asked for a key, the operation itself says so.
    let guarded = operation.security.is_none();
    let always = if guarded { GUARDED } else { &[Code::TimedOut] };
    let own = errors_of(&name).concat();
    let codes = [always, own.as_slice()].concat();
    let mut statuses: Vec<_> = codes.iter().map(|code| code.entry().status).collect();
    statuses.sort_unstable();
    statuses.dedup();
    for status in statuses {
        let said: Vec<_> = codes
            .iter()
            .filter(|code| code.entry().status == status)
            .map(|code| format!("`{}`: {}", code.as_str(), code.entry().title))
            .collect();
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let mut response = ResponseBuilder::new()
            .description(said.join("; "))
            .content("application/problem+json", content);
        if matches!(status.as_u16(), 429 | 503 | 507) {
            let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
            let wait = HeaderBuilder::new()
                .schema(Some(seconds))
                .description(Some("How many seconds to wait"))
                .build();
            response = response.header("Retry-After", wait);
        }
        let response = response.build();
        operation.responses.responses.insert(status.as_u16().to_string(), response.into());
    }
}
