//! What people ask of an order: each with who asks and why, both kept in its history.

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use orderkeep_core::{
    Author, Command, LockId, ProviderOrderId, Resolution, ReviewReason, SecondOrderAcknowledged,
    review::BadReviewReason,
};
use orderkeep_driver::Engine;
use serde::{Deserialize, Serialize};

use crate::{
    access::{self, Caller},
    json::JsonBody,
    orders::order_id,
    problem::Problem,
    view::OrderView,
};

/// What a command came to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommandView {
    /// `applied`, or `duplicate`: it was so already.
    disposition: String,
    /// The order after it.
    order: OrderView,
}

async fn ask(engine: &Engine, id: &str, command: Command) -> Result<Json<CommandView>, Problem> {
    let answered = engine.command(order_id(id)?, command).await?;
    Ok(Json(CommandView {
        disposition: answered.disposition.describe(),
        order: OrderView::from(&answered.order),
    }))
}

/// Whose key it is, when keys are asked for.
type Asker = Option<Extension<Caller>>;

/// Who asks, and why. With a key its name is recorded, and behind it the author, if one is named.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AskedBody {
    author: Option<Author>,
    reason: String,
}

pub(crate) async fn cancel(
    State(engine): State<Engine>,
    caller: Asker,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<AskedBody>,
) -> Result<Json<CommandView>, Problem> {
    let AskedBody { author, reason } = body;
    let author = access::author(caller.as_deref(), author)?;
    ask(&engine, &id, Command::Cancel { author, reason: Some(reason) }).await
}

pub(crate) async fn retry(
    State(engine): State<Engine>,
    caller: Asker,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<AskedBody>,
) -> Result<Json<CommandView>, Problem> {
    let AskedBody { author, reason } = body;
    let author = access::author(caller.as_deref(), author)?;
    ask(&engine, &id, Command::Retry { author, reason: Some(reason) }).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AdoptBody {
    author: Option<Author>,
    reason: String,
    /// The order at the provider that is this one.
    provider_order_id: ProviderOrderId,
}

pub(crate) async fn adopt(
    State(engine): State<Engine>,
    caller: Asker,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<AdoptBody>,
) -> Result<Json<CommandView>, Problem> {
    let AdoptBody { author, reason, provider_order_id } = body;
    let author = access::author(caller.as_deref(), author)?;
    let command =
        Command::Adopt { author, provider_order: provider_order_id, reason: Some(reason) };
    ask(&engine, &id, command).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ResolveBody {
    author: Option<Author>,
    reason: String,
    /// Which question was dealt with; `all` for whatever is open ...
    review: Option<String>,
    /// ... or that the provider was asked, and has no order for this lock.
    #[serde(default)]
    no_provider_order: bool,
}

pub(crate) async fn resolve(
    State(engine): State<Engine>,
    caller: Asker,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<ResolveBody>,
) -> Result<Json<CommandView>, Problem> {
    let ResolveBody { author, reason, review, no_provider_order } = body;
    let author = access::author(caller.as_deref(), author)?;
    let resolution = match (review.as_deref(), no_provider_order) {
        (Some("all"), false) => Resolution::Acknowledge(None),
        (Some(review), false) => {
            let review: ReviewReason = review
                .parse()
                .map_err(|error: BadReviewReason| Problem::bad_request(error.to_string()))?;
            Resolution::Acknowledge(Some(review))
        }
        (None, true) => Resolution::NoProviderOrder,
        (None, false) | (Some(_), true) => {
            return Err(Problem::bad_request(
                "give the `review` that was dealt with (or `all`), or `noProviderOrder`: true",
            ));
        }
    };
    ask(&engine, &id, Command::Resolve { author, resolution, note: reason }).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PostAgainBody {
    author: Option<Author>,
    reason: String,
    /// The order's lock, to say that a second order may come of it.
    lock_id: LockId,
}

pub(crate) async fn post_again(
    State(engine): State<Engine>,
    caller: Asker,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<PostAgainBody>,
) -> Result<Json<CommandView>, Problem> {
    let PostAgainBody { author, reason, lock_id } = body;
    let author = access::author(caller.as_deref(), author)?;
    let acknowledged = SecondOrderAcknowledged { lock_id };
    ask(&engine, &id, Command::PostAgain { author, acknowledged, reason: Some(reason) }).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NoteBody {
    author: Option<Author>,
    text: String,
}

pub(crate) async fn note(
    State(engine): State<Engine>,
    caller: Asker,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<NoteBody>,
) -> Result<Json<CommandView>, Problem> {
    let NoteBody { author, text } = body;
    let author = access::author(caller.as_deref(), author)?;
    ask(&engine, &id, Command::Note { author, text }).await
}
