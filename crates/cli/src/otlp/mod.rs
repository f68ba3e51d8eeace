//! Tracing spans, sent as OTLP (protobuf over HTTP) to a collector, if the configuration names one.
//!
//! One order is one trace, over all the days and processes of its life: its trace id is the order's id. Nothing is
//! remembered for it, so a restart changes nothing. Reading order: `trace` (which span belongs to which trace),
//! `exporter` (what is changed before it is sent), `client` (how it is sent).

mod client;
mod exporter;
mod trace;

use std::{collections::HashMap, path::Path, path::PathBuf, time::Duration};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

use crate::exit::Failure;

/// How long a collector may take; spans that it does not take are lost, and nothing waits for them.
const TIMEOUT: Duration = Duration::from_secs(10);
/// At the end of the process.
const LAST_TIMEOUT: Duration = Duration::from_secs(5);

/// Tracing spans of orders, sent to a collector as OTLP. Without `endpoint` none are made.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OtlpSettings {
    /// The collector's base address: spans go to `/v1/traces` below it, as protobuf over HTTP.
    #[schemars(example = "http://127.0.0.1:4318")]
    pub(crate) endpoint: Option<String>,
    /// A file with headers for the collector, one on a line: `authorization: Bearer ...`
    #[schemars(example = "/etc/orderkeep/otlp-headers")]
    pub(crate) headers_file: Option<PathBuf>,
    /// The `service.name` of the spans.
    pub(crate) service_name: String,
}

impl Default for OtlpSettings {
    fn default() -> Self {
        Self { endpoint: None, headers_file: None, service_name: "orderkeep".to_owned() }
    }
}

/// Makes spans and sends them, until [`Spans::shutdown`].
#[derive(Debug)]
pub(crate) struct Spans(SdkTracerProvider);

/// Starts on the runtime that it is called on; `None`: no collector is configured.
pub(crate) fn start(settings: &OtlpSettings) -> Result<Option<Spans>, Failure> {
    check(settings)?;
    let Some(endpoint) = &settings.endpoint else { return Ok(None) };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client::Client::new(TIMEOUT)?)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(traces_below(endpoint)?)
        .with_timeout(TIMEOUT)
        .with_headers(headers(settings.headers_file.as_deref())?)
        .build()
        .map_err(|error| Failure::config(format_args!("`otlp`: {error}")))?;
    let resource = Resource::builder_empty()
        .with_service_name(settings.service_name.clone())
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_batch_exporter(exporter::Rooted::new(exporter))
        .build();
    Ok(Some(Spans(provider)))
}

impl Spans {
    /// What makes OTLP spans of the engine's tracing spans.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        let spans = tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("orderkeep"))
            // The engine's tasks change threads; what is current is known to tracing alone.
            .with_context_activation(false)
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false);
        let ours = Targets::new().with_target("orderkeep", LevelFilter::DEBUG);
        // In this order: the trace is named before the span is made, and forgotten after.
        trace::Enter.and_then(spans).and_then(trace::Leave).with_filter(ours)
    }

    /// Sends what is left, for a few seconds at most.
    pub(crate) async fn shutdown(self) {
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(LAST_TIMEOUT));
        if let Ok(Err(error)) = ended.await {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// Where spans go below a collector's base address.
fn traces_below(base: &str) -> Result<String, Failure> {
    let wrong = |why: &str| Failure::config(format_args!("`otlp.endpoint`: {why}"));
    let url = url::Url::parse(base).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it must begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it must not hold a name or password; give `otlp.headers_file`"));
    }
    Ok(format!("{}/v1/traces", base.trim_end_matches('/')))
}

/// The headers in a file; they can hold a credential, so no error tells them.
fn headers(file: Option<&Path>) -> Result<HashMap<String, String>, Failure> {
    let Some(file) = file else { return Ok(HashMap::new()) };
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::config(format_args!("cannot read the headers in {shown}: {error}"))
    })?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            let fits = |value: &str| reqwest::header::HeaderValue::from_str(value).is_ok();
            let pair = line.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
            match pair {
                Some((name, value))
                    if reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_ok()
                        && fits(value) =>
                {
                    Ok((name.to_owned(), value.to_owned()))
                }
                Some(_) | None => Err(Failure::config(format_args!(
                    "{shown}, line {}: write a header like `authorization: Bearer ...`",
                    number + 1
                ))),
            }
        })
        .collect()
}

/// What starting would read.
pub(crate) fn check(settings: &OtlpSettings) -> Result<(), Failure> {
    if let Some(endpoint) = &settings.endpoint {
        drop(traces_below(endpoint)?);
    }
    drop(headers(settings.headers_file.as_deref())?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_has_an_address_without_a_password() {
        let traces = |base| traces_below(base).ok();
        let expected = Some("http://127.0.0.1:4318/v1/traces".to_owned());
        assert_eq!(traces("http://127.0.0.1:4318"), expected);
        assert_eq!(traces("http://127.0.0.1:4318/"), expected);
        for wrong in ["", "collector", "127.0.0.1:4318", "grpc://x:1", "http://a:b@x:1"] {
            assert_eq!(traces(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn headers_stand_one_on_a_line_and_an_error_tells_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("headers");
        std::fs::write(&file, "authorization: Bearer a:b\n\nx-scope : 7\n").unwrap();
        let read = headers(Some(&file)).unwrap();
        assert_eq!((read["authorization"].as_str(), read["x-scope"].as_str()), ("Bearer a:b", "7"));
        std::fs::write(&file, "x: 1\nhunter2\n").unwrap();
        let said = format!("{:?}", headers(Some(&file)).unwrap_err());
        assert!(said.contains("line 2") && !said.contains("hunter2"), "{said}");
    }
}
