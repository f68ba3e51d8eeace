//! The OpenAPI document of the whole API, made from the routes and types that are served; and its pages.

use axum::{Router, routing::get};
use orderkeep_driver::Engine;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ResponseBuilder,
        content::ContentBuilder,
        path::Operation,
        schema::Ref,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

use crate::{
    backup, commands, events, health, locks, orders,
    problem::{self, Code},
    report, restore, wait, webhooks,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "orderkeep",
        description = "Takes every order from a locked rate to its end and never loses one. Amounts are exact decimals as text, times RFC 3339. Errors are problems (RFC 9457); `code` is stable, and `type` leads to a page about it.",
    ),
    components(schemas(problem::Details)),
    tags(
        (name = "locks", description = "Rates and locks, passed through to the provider"),
        (name = "orders", description = "Orders from submit to end"),
        (name = "operator", description = "What people ask of an order and of the engine"),
        (name = "events", description = "What happens, as pages and as a stream"),
        (name = "finance", description = "What the books need"),
        (name = "webhooks in", description = "Where the provider's webhooks arrive"),
    ),
    modifiers(&Keys),
)]
struct Base;

/// Keys, where they are asked for.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "A key of this engine: `orderkeep keys create`. Asked for where there are keys.",
            ))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(bearer));
        document.security = Some(vec![
            SecurityRequirement::new("key", Vec::<String>::new()),
            SecurityRequirement::default(),
        ]);
    }
}

/// All routes of `/v1`, each with its description.
pub(crate) fn api() -> OpenApiRouter<Engine> {
    OpenApiRouter::with_openapi(Base::openapi())
        .routes(routes!(locks::rates))
        .routes(routes!(locks::take))
        .routes(routes!(orders::submit, orders::list))
        .routes(routes!(orders::show))
        .routes(routes!(orders::history))
        .routes(routes!(orders::explain))
        .routes(routes!(wait::until))
        .routes(routes!(commands::cancel))
        .routes(routes!(commands::retry))
        .routes(routes!(commands::adopt))
        .routes(routes!(commands::resolve))
        .routes(routes!(commands::post_again))
        .routes(routes!(commands::note))
        .routes(routes!(events::events))
        .routes(routes!(report::report))
        .routes(routes!(backup::download))
        .routes(routes!(restore::lift))
        .routes(routes!(health::status))
}

/// What can be answered to anything.
const ALWAYS: &[Code] = &[
    Code::BadRequest,
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
const COMMAND: &[Code] = &[Code::NoSuchOrder, Code::Refused, Code::VersionMismatch, Code::DiskFull];

/// What an operation can answer besides what can be answered to anything.
fn errors_of(operation: &str) -> &'static [&'static [Code]] {
    match operation {
        "rates" => &[PROVIDER],
        "take" => &[PROVIDER, &[Code::DiskFull]],
        "submit" => &[PROVIDER, SUBMIT],
        "show" | "history" | "explain" | "until" => &[&[Code::NoSuchOrder]],
        "cancel" | "retry" | "adopt" | "resolve" | "post_again" | "note" => &[COMMAND],
        "events" => &[&[Code::CursorGone]],
        "report" => &[&[Code::ReportTooLarge]],
        "lift" => &[&[Code::NotRestored, Code::DiskFull]],
        "receive_webhook" => {
            &[&[Code::Malformed, Code::Compressed, Code::TooLarge, Code::DiskFull]]
        }
        _ => &[],
    }
}

fn describe_errors(operation: &mut Operation) {
    let name = operation.operation_id.clone().unwrap_or_default();
    let mut codes: Vec<Code> = ALWAYS.to_vec();
    codes.extend(errors_of(&name).concat());
    if operation.request_body.is_some() && !codes.contains(&Code::TooLarge) {
        codes.push(Code::TooLarge);
    }
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
        let response = ResponseBuilder::new()
            .description(said.join("; "))
            .content("application/problem+json", content)
            .build();
        operation.responses.responses.insert(status.as_u16().to_string(), response.into());
    }
}

/// The document, as `/v1/openapi.json` answers it.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(paths(webhooks::documented))]
    struct Webhooks;

    let mut document = api().into_openapi();
    document.merge(Webhooks::openapi());
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            describe_errors(operation);
        }
    }
    document
}

/// The document, what shows it, and the pages about errors. Nobody is asked for a key: they say nothing of any order.
pub(crate) fn pages() -> Router<Engine> {
    Router::new()
        .merge(SwaggerUi::new("/docs").url("/v1/openapi.json", document()))
        .route("/docs/errors", get(problem::error_index))
        .route("/docs/errors/{code}", get(problem::error_page))
}
