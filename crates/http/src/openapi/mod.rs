//! The OpenAPI document of the whole API, made from the routes and types that are served; and its pages.

mod errors;
mod finish;

use axum::{Router, routing::get};
use orderkeep_driver::Engine;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

use crate::{
    backup, commands, events, health, locks, metrics, orders, problem, report, restore, wait,
    webhook_endpoints, webhooks,
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
        (name = "webhooks out", description = "Where what happens is sent, signed as Standard Webhooks has it"),
        (name = "watching", description = "For whatever watches the engine"),
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

/// The document, as `/v1/openapi.json` answers it.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    /// What is served besides: its routes are made of the configuration.
    #[derive(OpenApi)]
    #[openapi(paths(
        webhooks::documented,
        webhooks::documented_other,
        webhooks::documented_health,
        webhooks::documented_health_below,
        health::alive,
        health::documented_ready,
        metrics::documented,
        documented_document,
        problem::error_index,
        problem::error_page,
    ))]
    struct Besides;

    let mut document = api().into_openapi();
    document.merge(webhook_endpoints::api().into_openapi());
    document.merge(Besides::openapi());
    document.webhooks = Some(events::webhooks());
    for item in document.paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            errors::describe(operation);
            finish::parameters(operation);
            finish::links(operation);
        }
    }
    document
}

/// This document.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "watching", operation_id = "getDocument", security(()),
    responses((status = 200, body = serde_json::Value, description = "The document")))]
#[expect(dead_code, reason = "the document's; the page serves it")]
fn documented_document() {}

/// The document, what shows it, and the pages about errors. Nobody is asked for a key: they say nothing of any order.
pub(crate) fn pages() -> Router<Engine> {
    Router::new()
        .merge(SwaggerUi::new("/docs").url("/v1/openapi.json", document()))
        .route("/docs/errors", get(problem::error_index))
        .route("/docs/errors/{code}", get(problem::error_page))
}
