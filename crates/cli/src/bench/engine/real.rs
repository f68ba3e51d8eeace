//! The engine's process: what `serve` runs, with a clock beside the store and one in front of the webhooks.

use std::{path::Path, sync::Arc, time::Instant};

use axum::{Json, extract::Request, middleware::Next, routing::get};
use orderkeep::{Engine, http::ApiConfig, p100::P100, store::EmbeddedConfig};
use serde::{Deserialize, Serialize};

use super::{
    TIMES,
    probe::{Probe, Quantiles, Times},
};
use crate::{
    exit::Failure,
    listen,
    settings::{self, Settings},
};

/// What the process tells of itself.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Measured {
    /// A step of an order, until it was durable.
    pub(super) commit: Quantiles,
    /// From a webhook's head until its answer was ready.
    pub(super) webhook_ack: Quantiles,
}

pub(super) async fn run(config: &Path, early: bool) -> Result<(), Failure> {
    let settings: Settings = settings::read(config)?;
    let data = &settings.data;
    let times = || Times::new().ok_or_else(|| Failure::failed("no histogram"));
    let (commits, acks) = (times()?, times()?);
    let store = orderkeep::open_with(EmbeddedConfig::new(data))
        .await
        .map_err(|error| Failure::not_opened(&error, data))?;
    let store = Arc::new(Probe { inner: store, commits: commits.clone(), early });
    let mut builder = Engine::builder().store(store).config(settings.engine());
    for (account, provider) in settings.accounts()? {
        let client = P100::new(provider.p100(&account)?).map_err(Failure::config)?;
        builder = builder.account(account, Arc::new(client));
    }
    let metrics = Some(crate::metrics::install()?);
    let engine = builder.start().await.map_err(Failure::failed)?;
    let api = ApiConfig { metrics, ..ApiConfig::default() };
    let closing = api.closing.clone();
    let heard = acks.clone();
    let router = orderkeep::http::router(engine.clone(), api)
        .layer(axum::middleware::from_fn(move |request: Request, next: Next| {
            let heard = heard.clone();
            async move {
                let started = Instant::now();
                let is_webhook = request.uri().path().starts_with("/webhooks/");
                let answer = next.run(request).await;
                if is_webhook && answer.status().is_success() {
                    heard.record(started.elapsed());
                }
                answer
            }
        }))
        .route(
            TIMES,
            get(move || {
                let measured =
                    Measured { commit: commits.quantiles(), webhook_ack: acks.quantiles() };
                std::future::ready(Json(measured))
            }),
        );
    let listener = listen::open(settings.listen).await?;
    let halted = engine.clone();
    let until = async move { drop(halted.halted().await) };
    let server = listen::Server { listener, tls: None, limits: settings.limits };
    server.serve(router, closing, until).await;
    engine.shutdown().await.map_err(Failure::failed)
}
