//! A store that is an older copy, and the end of its hold.

use axum::{Json, extract::State};
use orderkeep_core::{Author, Timestamp};
use orderkeep_driver::{Engine, LiftError, Restore};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    json::JsonBody,
    problem::{Code, Problem},
    schema,
};

/// That the store began as an older copy.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Restore)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RestoreView {
    /// This life of the store.
    incarnation: String,
    /// The one that it is a copy of.
    restored_from: String,
    began_at: Timestamp,
    /// Open orders that were found in the copy.
    orders: u64,
    /// Whether submits of locks from the life before are held, and lost orders rebuilt.
    held: bool,
    lifted: Option<LiftedView>,
}

/// Who ended the hold, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lifted)]
#[serde(rename_all = "camelCase")]
struct LiftedView {
    author: Author,
    reason: String,
    at: Timestamp,
}

impl From<&Restore> for RestoreView {
    fn from(restore: &Restore) -> Self {
        let lifted = restore.lifted.as_ref().map(|lifted| LiftedView {
            author: lifted.author.clone(),
            reason: lifted.reason.clone(),
            at: lifted.at,
        });
        Self {
            incarnation: restore.incarnation.to_string(),
            restored_from: restore.restored_from.to_string(),
            began_at: restore.began_at,
            orders: restore.orders,
            held: lifted.is_none(),
            lifted,
        }
    }
}

/// Who lifts the hold, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Lift)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LiftBody {
    author: Author,
    #[schema(value_type = schema::Text)]
    reason: String,
}

/// Ends the hold that a restore began with.
#[utoipa::path(post, path = "/v1/restore-hold/lift", tag = "operator", operation_id = "liftRestoreHold", request_body = LiftBody,
    responses((status = 200, body = RestoreView, description = "Lifted, now or before")))]
pub(crate) async fn lift(
    State(engine): State<Engine>,
    JsonBody(body): JsonBody<LiftBody>,
) -> Result<Json<RestoreView>, Problem> {
    let lifted = engine.lift_restore_hold(body.author, &body.reason).await?;
    Ok(Json(RestoreView::from(&lifted)))
}

impl From<LiftError> for Problem {
    fn from(error: LiftError) -> Self {
        let detail = error.to_string();
        match error {
            LiftError::NotRestored => Self::new(Code::NotRestored, detail),
            LiftError::Engine(error) => error.into(),
            LiftError::Reason(_) | _ => Self::bad_request(detail),
        }
    }
}
