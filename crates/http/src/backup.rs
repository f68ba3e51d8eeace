//! A copy of the store, as a file that is sent while it is made.

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use orderkeep_driver::{Backup, Engine, EngineError};

use crate::problem::Problem;

/// The receiver holds it against its own checksums: one that breaks off is no backup.
#[utoipa::path(get, path = "/v1/store/backup", tag = "operator", operation_id = "downloadBackup",
    responses((status = 200, description = "The copy", content_type = "application/octet-stream", body = String)))]
pub(crate) async fn download(State(engine): State<Engine>) -> Result<Response, Problem> {
    let backup = engine.backup().await?;
    let kind = HeaderValue::from_static("application/octet-stream");
    let body = Body::from_stream(stream::unfold(Some(backup), next));
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}

type Chunk = Result<Bytes, EngineError>;

async fn next(backup: Option<Backup>) -> Option<(Chunk, Option<Backup>)> {
    let mut backup = backup?;
    let chunk = backup.next().await?.map_err(EngineError::from);
    // After an error nothing follows.
    let rest = chunk.is_ok().then_some(backup);
    Some((chunk, rest))
}
