//! The page that Prometheus reads, written by whatever recorder the process has.

use std::{fmt, sync::Arc};

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use orderkeep_driver::{Engine, metrics};

use crate::problem::Problem;

/// Writes what the process's recorder holds, in Prometheus' text form.
#[derive(Clone)]
pub struct MetricsPage(Arc<dyn Fn() -> String + Send + Sync>);

impl MetricsPage {
    /// A page that is written by this.
    pub fn new(render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(render))
    }
}

impl fmt::Debug for MetricsPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsPage").finish_non_exhaustive()
    }
}

/// What Prometheus reads.
#[utoipa::path(get, path = "/metrics", tag = "watching", operation_id = "getMetrics",
    responses((status = 200, body = String, content_type = "text/plain", description = "Prometheus' text form")))]
#[expect(dead_code, reason = "the document's; the route is made with its page")]
pub(crate) fn documented() {}

pub(crate) fn route(page: MetricsPage) -> MethodRouter<Engine> {
    get(move |State(engine): State<Engine>| {
        let page = page.clone();
        async move { written(&engine, &page).await }
    })
}

async fn written(engine: &Engine, page: &MetricsPage) -> Result<Response, Problem> {
    metrics::observe(&engine.status().await?);
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, (page.0)()).into_response())
}
