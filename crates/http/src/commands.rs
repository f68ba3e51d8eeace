//! What people ask of an order: each with who asks and why, both kept in its history.
//!
//! A verb turns its body into a command; the rest is the same for all of them.

use axum::{
    Json,
    extract::{FromRequestParts, Path},
    http::{HeaderMap, header, request::Parts},
};
use orderkeep_core::{
    Author, Command, LockId, OrderId, ProviderOrderId, Refusal, Resolution, ReviewReason,
    SecondOrderAcknowledged, review::BadReviewReason,
};
use orderkeep_driver::{CommandError, Engine};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{
    IntoParams, ToSchema,
    openapi::schema::{Object, ObjectBuilder, SchemaType, Type},
};

use crate::{
    access::{self, Caller},
    json::JsonBody,
    orders::order_id,
    problem::Problem,
    schema,
    view::OrderView,
};

/// What a command came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CommandAnswer)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommandView {
    /// `applied`, or `duplicate`: it was so already.
    disposition: String,
    /// The order after it.
    order: OrderView,
}

/// A request of somebody about one order.
#[derive(Debug)]
pub(crate) struct Asking {
    engine: Engine,
    /// Whose key it is, when keys are asked for.
    caller: Option<Caller>,
    id: String,
    /// The version that the order must have.
    version: Option<u64>,
}

impl FromRequestParts<Engine> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, engine: &Engine) -> Result<Self, Problem> {
        let Path(id) = Path::from_request_parts(parts, engine)
            .await
            .map_err(|error| Problem::bad_request(error.body_text()).in_parameter("id"))?;
        let caller = parts.extensions.get::<Caller>().cloned();
        let version = if_match(&parts.headers)?;
        Ok(Self { engine: engine.clone(), caller, id, version })
    }
}

/// The one version in `If-Match`; `*` and no header are any.
fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')?.parse().ok());
    version.map(Some).ok_or_else(|| {
        Problem::bad_request("`If-Match` is an order's `ETag`, such as \"4\", or *")
            .in_parameter("If-Match")
    })
}

impl Asking {
    async fn ask(self, author: Option<Author>, command: impl FnOnce(Author) -> Command) -> Answer {
        let author = access::author(self.caller.as_ref(), author)?;
        let id = order_id(&self.id)?;
        let command = command(author);
        let text = if matches!(command, Command::Note { .. }) { "/text" } else { "/reason" };
        let answered = self.engine.command_at(id, self.version, command).await;
        let answered = answered.map_err(|error| {
            let of_the_text = matches!(error, CommandError::Refused(Refusal::BadText(_)));
            let problem = Problem::from(error);
            if of_the_text { problem.at(text) } else { problem }
        })?;
        Ok(Json(CommandView {
            disposition: answered.disposition.describe(),
            order: OrderView::from(&answered.order),
        }))
    }
}

/// Which order.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "read by [`Asking`]; here for the document")]
struct WhichOrder {
    /// The order.
    #[param(value_type = OrderId)]
    id: String,
}

/// While it has which version.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by [`Asking`]; here for the document")]
struct AtVersion {
    /// The order's `ETag`: nothing is asked of an order that has moved on from it.
    #[param(rename = "If-Match", pattern = r#"^("[0-9]{1,18}"|\*)$"#)]
    if_match: Option<String>,
}

type Answer = Result<Json<CommandView>, Problem>;

/// Who asks, and why. With a key its name is recorded, and behind it the author, if one is named.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Asked)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AskedBody {
    /// Who asks; needed where no keys are asked for.
    author: Option<Author>,
    /// Why; kept in the history.
    #[schema(value_type = schema::Text)]
    reason: String,
}

/// Which order at the provider is this one.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Adopt)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AdoptBody {
    /// Who asks; needed where no keys are asked for.
    author: Option<Author>,
    /// Why; kept in the history.
    #[schema(value_type = schema::Text)]
    reason: String,
    /// The order at the provider that is this one.
    provider_order_id: ProviderOrderId,
}

fn which_review() -> Object {
    let words = ReviewReason::ALL.iter().map(|reason| Value::from(reason.name()));
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .enum_values(Some(words.chain(["all".into(), Value::Null])))
        .description(Some("Which question was dealt with; `all` for whatever is open ..."))
        .build()
}

/// What was dealt with: give `review` or `noProviderOrder`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Resolve)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ResolveBody {
    /// Who asks; needed where no keys are asked for.
    author: Option<Author>,
    /// Why; kept in the history.
    #[schema(value_type = schema::Text)]
    reason: String,
    /// Which question was dealt with; `all` for whatever is open ...
    #[schema(schema_with = which_review)]
    review: Option<String>,
    /// ... or that the provider was asked, and has no order for this lock.
    #[serde(default)]
    no_provider_order: bool,
}

/// That a create is to be posted again whose outcome is unknown.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PostAgain)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PostAgainBody {
    /// Who asks; needed where no keys are asked for.
    author: Option<Author>,
    /// Why; kept in the history.
    #[schema(value_type = schema::Text)]
    reason: String,
    /// The order's lock, to say that a second order may come of it.
    lock_id: LockId,
}

/// Something to be written into the history.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Note)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NoteBody {
    /// Who writes; needed where no keys are asked for.
    author: Option<Author>,
    /// What.
    #[schema(value_type = schema::Text)]
    text: String,
}

/// End it if nothing was sent; otherwise the address is withheld, and only the provider ends it.
#[utoipa::path(post, path = "/v1/orders/{id}/cancel", tag = "operator", operation_id = "cancelOrder", params(WhichOrder, AtVersion), request_body = AskedBody,
    responses((status = 200, body = CommandView, description = "What it came to, and the order after it")))]
pub(crate) async fn cancel(asking: Asking, JsonBody(body): JsonBody<AskedBody>) -> Answer {
    let AskedBody { author, reason } = body;
    asking.ask(author, |author| Command::Cancel { author, reason: Some(reason) }).await
}

/// Do now what is due later. Never posts an unknown create again.
#[utoipa::path(post, path = "/v1/orders/{id}/retry", tag = "operator", operation_id = "retryOrder", params(WhichOrder, AtVersion), request_body = AskedBody,
    responses((status = 200, body = CommandView, description = "What it came to, and the order after it")))]
pub(crate) async fn retry(asking: Asking, JsonBody(body): JsonBody<AskedBody>) -> Answer {
    let AskedBody { author, reason } = body;
    asking.ask(author, |author| Command::Retry { author, reason: Some(reason) }).await
}

/// Say which order at the provider is this one; a read must show its lock before anything is believed.
#[utoipa::path(post, path = "/v1/orders/{id}/adopt", tag = "operator", operation_id = "adoptProviderOrder", params(WhichOrder, AtVersion), request_body = AdoptBody,
    responses((status = 200, body = CommandView, description = "What it came to, and the order after it")))]
pub(crate) async fn adopt(asking: Asking, JsonBody(body): JsonBody<AdoptBody>) -> Answer {
    let AdoptBody { author, reason, provider_order_id: provider_order } = body;
    let reason = Some(reason);
    asking.ask(author, |author| Command::Adopt { author, provider_order, reason }).await
}

fn resolution(review: Option<&str>, no_provider_order: bool) -> Result<Resolution, Problem> {
    match (review, no_provider_order) {
        (Some("all"), false) => Ok(Resolution::Acknowledge(None)),
        (Some(review), false) => {
            let reason = review.parse().map_err(|error: BadReviewReason| {
                Problem::bad_request(error.to_string()).at("/review")
            })?;
            Ok(Resolution::Acknowledge(Some(reason)))
        }
        (None, true) => Ok(Resolution::NoProviderOrder),
        (None, false) | (Some(_), true) => Err(Problem::bad_request(
            "give the `review` that was dealt with (or `all`), or `noProviderOrder`: true",
        )),
    }
}

/// Settle what was asked about an order.
#[utoipa::path(post, path = "/v1/orders/{id}/resolve", tag = "operator", operation_id = "resolveOrder", params(WhichOrder, AtVersion), request_body = ResolveBody,
    responses((status = 200, body = CommandView, description = "What it came to, and the order after it")))]
pub(crate) async fn resolve(asking: Asking, JsonBody(body): JsonBody<ResolveBody>) -> Answer {
    let ResolveBody { author, reason: note, review, no_provider_order } = body;
    let resolution = resolution(review.as_deref(), no_provider_order)?;
    asking.ask(author, |author| Command::Resolve { author, resolution, note }).await
}

/// Post a create again whose outcome is unknown. It may make a second order at the provider.
#[utoipa::path(post, path = "/v1/orders/{id}/post-again", tag = "operator", operation_id = "postOrderAgain", params(WhichOrder, AtVersion), request_body = PostAgainBody,
    responses((status = 200, body = CommandView, description = "What it came to, and the order after it")))]
pub(crate) async fn post_again(asking: Asking, JsonBody(body): JsonBody<PostAgainBody>) -> Answer {
    let PostAgainBody { author, reason, lock_id } = body;
    let acknowledged = SecondOrderAcknowledged { lock_id };
    let reason = Some(reason);
    asking.ask(author, |author| Command::PostAgain { author, acknowledged, reason }).await
}

/// Write something into the history of an order.
#[utoipa::path(post, path = "/v1/orders/{id}/note", tag = "operator", operation_id = "noteOrder", params(WhichOrder, AtVersion), request_body = NoteBody,
    responses((status = 200, body = CommandView, description = "What it came to, and the order after it")))]
pub(crate) async fn note(asking: Asking, JsonBody(body): JsonBody<NoteBody>) -> Answer {
    let NoteBody { author, text } = body;
    asking.ask(author, |author| Command::Note { author, text }).await
}
