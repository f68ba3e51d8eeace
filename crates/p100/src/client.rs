//! The provider port, carried out over HTTP.

use std::{fmt, sync::Arc};

use orderkeep_core::{LockId, Observation, ProviderOrderId, Source, Terms, Timestamp};
use orderkeep_provider::{
    BoxFuture, CallError, ClockSkew, FailureClass, Heard, LockRequest, Provider, Rates,
    UnreadableLock, UnreadableWebhook,
};
use reqwest::{Method, Url};
use tracing::Instrument as _;

use crate::{
    Answer, Exchange, authorization,
    config::{BaseUrl, ConfigError, P100Config},
    failure::{self, Call, Failure},
    retry,
    transport::{Http, Lane, Transport},
    webhook, wire,
};

/// A client of P100's Partner API through one API key.
///
/// Cheap calls, no background work, nothing shared with the process. Calls need a tokio runtime with time and I/O.
pub struct P100 {
    config: P100Config,
    base: BaseUrl,
    transport: Transport,
}

impl P100 {
    /// Checks the configuration and sets up TLS. Connects to nothing.
    ///
    /// # Errors
    /// What is wrong with the configuration, or the platform has no root certificates.
    pub fn new(config: P100Config) -> Result<Self, ConfigError> {
        let base = config.check()?;
        let transport = Transport::Http(Box::new(Http::new(&config, &base)?));
        Ok(Self { config, base, transport })
    }

    /// The same client over something else than HTTP. Timeouts, certificates and the API key are then not used: they
    /// are the exchange's matter.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn over(config: P100Config, exchange: Arc<dyn Exchange>) -> Result<Self, ConfigError> {
        let base = config.check()?;
        Ok(Self { config, base, transport: Transport::Other(exchange) })
    }

    async fn get_rates(&self) -> Result<Rates, Failure> {
        let url = self.base.with_path(&self.config.paths.rates);
        let answer = self.send(Call::Rates, Lane::Pooled, Method::GET, url, None).await?;
        let (status, body) = self.success(Call::Rates, answer)?;
        wire::rates(&body).map_err(|why| failure::unreadable(status, why))
    }

    async fn post_lock(&self, request: &LockRequest) -> Result<Terms, Failure> {
        let url = self.base.with_path(&self.config.paths.lock);
        let body = wire::lock_body(request);
        let answer = self.send(Call::Lock, Lane::Pooled, Method::POST, url, Some(body)).await?;
        let (status, body) = self.success(Call::Lock, answer)?;
        wire::lock(&body, request).map_err(|why| failure::unreadable(status, why))
    }

    async fn post_create(&self, lock_id: &LockId) -> Result<ProviderOrderId, Failure> {
        let url = self.base.with_path(&self.config.paths.create);
        let body = wire::create_body(lock_id);
        let answer = self.send(Call::Create, Lane::Fresh, Method::POST, url, Some(body)).await?;
        let (status, body) = self.success(Call::Create, answer)?;
        wire::create(&body).map_err(|why| failure::unreadable(status, why))
    }

    async fn get_details(
        &self,
        order: &ProviderOrderId,
        read_started_at: Timestamp,
    ) -> Result<Option<Observation>, Failure> {
        let Some(url) = self.details_url(order) else {
            return Err(Failure {
                passing: false,
                error: CallError {
                    class: FailureClass::Definite,
                    code: None,
                    status: None,
                    why: "the order id holds characters that no path may hold".to_owned(),
                    retry_after: None,
                },
            });
        };
        let answer = self.send(Call::Details, Lane::Pooled, Method::GET, url, None).await?;
        if self.says_not_found(&answer) {
            return Ok(None);
        }
        let (status, body) = self.success(Call::Details, answer)?;
        let source = Source::Confirmed { read_started_at };
        wire::details(&body, source, &self.config.statuses)
            .and_then(|seen| wire::about(seen, order))
            .map(Some)
            .map_err(|why| failure::unreadable(status, why))
    }

    fn details_url(&self, order: &ProviderOrderId) -> Option<Url> {
        let id = order.as_str();
        let fits = id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
            && id.bytes().any(|b| b.is_ascii_alphanumeric());
        fits.then(|| self.base.with_path(&format!("{}/{id}", self.config.paths.details)))
    }

    fn says_not_found(&self, answer: &Answer) -> bool {
        let envelope = answer.body.as_ref().ok().and_then(|body| wire::ErrorEnvelope::read(body));
        answer.status == 404
            && envelope.is_some_and(|e| {
                self.config.order_not_found.is_meant_by(&e.code, &self.config.codes)
            })
    }

    async fn send(
        &self,
        call: Call,
        lane: Lane,
        method: Method,
        url: Url,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, Failure> {
        tracing::trace!(call = call.name(), "sending");
        Ok(self.transport.send(lane, method, url, body).await?)
    }

    /// The body of a success; what anything else says.
    fn success(&self, call: Call, answer: Answer) -> Result<(u16, Vec<u8>), Failure> {
        let status = answer.status;
        if !(200..=299).contains(&status) {
            return Err(failure::refused(call, &answer, &self.config.codes));
        }
        match answer.body {
            Ok(body) => Ok((status, body)),
            Err(fault) => Err(Failure { passing: true, ..failure::unreadable(status, fault.why) }),
        }
    }

    /// Repeats a read that broke, never one that was answered.
    async fn repeating<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        call: impl FnMut() -> F,
    ) -> Result<T, Failure> {
        retry::read(self.config.read_retries, |failure: &Failure| failure.passing, call).await
    }
}

/// The span says which call and how it ended; never a key, an address, an id or a body.
async fn traced<T>(
    call: Call,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, CallError> {
    let span = tracing::debug_span!(
        "p100",
        call = call.name(),
        outcome = tracing::field::Empty,
        status = tracing::field::Empty,
        code = tracing::field::Empty,
    );
    async {
        let result = work.await.map_err(|failure| failure.error);
        let span = tracing::Span::current();
        match &result {
            Ok(_) => {
                span.record("outcome", "ok");
            }
            Err(error) => {
                span.record("outcome", error.class.name());
                if let Some(status) = error.status {
                    span.record("status", status);
                }
                if let Some(code) = &error.code {
                    span.record("code", code.as_str());
                }
                tracing::debug!(why = %error.why, "call failed");
            }
        }
        result
    }
    .instrument(span)
    .await
}

impl Provider for P100 {
    fn rates(&self) -> BoxFuture<'_, Result<Rates, CallError>> {
        Box::pin(traced(Call::Rates, self.repeating(|| self.get_rates())))
    }

    fn lock(&self, request: LockRequest) -> BoxFuture<'_, Result<Terms, CallError>> {
        Box::pin(async move { traced(Call::Lock, self.post_lock(&request)).await })
    }

    fn read_lock(&self, answer: &[u8]) -> Result<Terms, UnreadableLock> {
        wire::lock_taken_elsewhere(answer).map_err(|why| UnreadableLock(why.to_string()))
    }

    fn create<'a>(
        &'a self,
        lock_id: &'a LockId,
    ) -> BoxFuture<'a, Result<ProviderOrderId, CallError>> {
        Box::pin(traced(Call::Create, self.post_create(lock_id)))
    }

    fn details<'a>(
        &'a self,
        provider_order: &'a ProviderOrderId,
        read_started_at: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Observation>, CallError>> {
        Box::pin(traced(
            Call::Details,
            self.repeating(move || self.get_details(provider_order, read_started_at)),
        ))
    }

    fn clock_skew(&self) -> Option<ClockSkew> {
        match &self.transport {
            Transport::Http(http) => http.skew.estimate(),
            // What carries requests in a simulation has no dates.
            Transport::Other(_) => None,
        }
    }

    fn is_authentic(&self, authorization: Option<&[u8]>) -> bool {
        authorization::is_authentic(
            self.config.authorization_form,
            &self.config.webhook_tokens,
            authorization,
        )
    }

    fn read_webhook(&self, body: &[u8], heard_at: Timestamp) -> Result<Heard, UnreadableWebhook> {
        webhook::read(body, heard_at, &self.config.statuses)
    }
}

impl fmt::Debug for P100 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("P100").field("base_url", &self.base.as_str()).finish_non_exhaustive()
    }
}
