//! Tracing spans, as a collector takes them: an order's life is one trace, whatever process lived it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode as SpanStatus},
};
use prost::Message as _;

use crate::{
    receiver::Receiver,
    stage::{API_KEY, Stage, TOKEN, until},
};

/// The head and the body of what came.
type Request = (HeaderMap, Vec<u8>);

/// Decodes what is sent to it, as the protocol's own messages.
struct Collector {
    url: String,
    taken: Arc<Mutex<Vec<Request>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Collector {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let taken = Arc::<Mutex<Vec<_>>>::default();
        let keeps = Arc::clone(&taken);
        let traces = post(move |headers: HeaderMap, body: Bytes| async move {
            keeps.lock().unwrap().push((headers, body.to_vec()));
            StatusCode::OK
        });
        let router = Router::new().route("/v1/traces", traces);
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, taken, _runtime: runtime }
    }

    /// Each with the name of its service.
    fn spans(&self) -> Vec<(String, Span)> {
        let mut spans = Vec::new();
        for (headers, body) in self.taken.lock().unwrap().iter() {
            assert_eq!(headers["content-type"], "application/x-protobuf");
            let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
            for resource in request.resource_spans {
                let service = text(&resource.resource.unwrap().attributes, "service.name")
                    .unwrap_or_default();
                let scopes = resource.scope_spans.into_iter();
                spans.extend(
                    scopes.flat_map(|scope| scope.spans).map(|span| (service.clone(), span)),
                );
            }
        }
        spans
    }
}

fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    if let Value::StringValue(text) = found.value.as_ref()?.value.as_ref()? {
        return Some(text.clone());
    }
    None
}

#[test]
fn an_order_is_one_trace_through_every_process_that_carries_it() {
    let stage = Stage::new("", "");
    let (collector, receiver) = (Collector::new(), Receiver::new());
    let headers = stage.folder.path().join("otlp-headers");
    fs::write(&headers, "x-collector-key: 4717\n").unwrap();
    let serve = || {
        let mut serve = stage.serve();
        serve.env("ORDERKEEP_OTLP__ENDPOINT", &collector.url);
        serve.env("ORDERKEEP_OTLP__HEADERS_FILE", &headers);
        serve.env("ORDERKEEP_OTLP__SERVICE_NAME", "till");
        serve.env("ORDERKEEP_WEBHOOKS__ALLOW_PRIVATE", "true");
        serve
    };
    let stop = |mut engine: crate::stage::Process| {
        let pid = engine.0.id().to_string();
        assert!(
            std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success()
        );
        assert_eq!(engine.0.wait().unwrap().code(), Some(0));
    };
    let engine = stage.start_as(serve());
    let url = serde_json::json!({ "url": receiver.url });
    assert_eq!(stage.post("/v1/webhook-endpoints", &[], &url).status, 201);
    let (id, _) = stage.order("k");
    until("an address", || stage.show(&id)["address"].is_string());
    stop(engine);
    let engine = stage.start_as(serve());
    let (other, _) = stage.order("k2");
    stage.to_executed(&id);
    until("the end is delivered", || {
        receiver.taken().iter().any(|seen| seen.text().contains("orderkeep.order.executed"))
    });
    // What is made until the end is sent at the end.
    stop(engine);

    let all = collector.spans();
    assert!(all.iter().all(|(service, _)| service == "till"));
    let order: uuid::Uuid = id.parse().unwrap();
    let of_order: Vec<&Span> =
        all.iter().map(|(_, span)| span).filter(|span| span.trace_id == order.as_bytes()).collect();
    let mut named: BTreeMap<&str, Vec<&Span>> = BTreeMap::new();
    for span in &of_order {
        named.entry(span.name.as_str()).or_default().push(span);
    }
    for name in ["submit", "step", "create", "read", "p100", "deliver"] {
        assert!(named.contains_key(name), "no `{name}` in {:?}", named.keys());
    }
    // One root, and every other span has its parent in the trace.
    let ids: BTreeSet<&[u8]> = of_order.iter().map(|span| span.span_id.as_slice()).collect();
    assert_eq!(ids.len(), of_order.len(), "no id twice");
    let (roots, others): (Vec<&Span>, Vec<&Span>) =
        of_order.iter().copied().partition(|span| span.parent_span_id.is_empty());
    assert_eq!(roots.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(), ["submit"]);
    for span in &others {
        assert!(ids.contains(span.parent_span_id.as_slice()), "{span:?}");
    }
    // The client's own span is part of the call.
    let create = named["create"][0];
    assert_eq!(create.kind, SpanKind::Client as i32);
    let wire = named["p100"].iter().find(|span| span.parent_span_id == create.span_id);
    let wire = wire.expect("a call on the wire within the create");
    assert_eq!(text(&wire.attributes, "outcome").as_deref(), Some("ok"));
    let failed = |span: &Span| {
        span.status.as_ref().is_some_and(|status| status.code == SpanStatus::Error as i32)
    };
    assert!(!failed(wire));
    // The steps say what happened.
    let ends = named["step"].iter().filter(|step| {
        text(&step.attributes, "to").as_deref() == Some("Executed")
            && text(&step.attributes, "events").is_some_and(|events| events.contains("executed"))
    });
    assert_eq!(ends.count(), 1);
    assert!(all.iter().any(|(_, span)| text(&span.attributes, "order_id") == Some(other.clone())));

    // Nothing secret, and nothing that tells who is paid.
    let address = stage_address(&receiver);
    for (headers, body) in collector.taken.lock().unwrap().iter() {
        assert_eq!(headers["x-collector-key"], "4717");
        let body = String::from_utf8_lossy(body);
        for word in [API_KEY, TOKEN, address.as_str()] {
            assert!(!body.contains(word), "{word}");
        }
    }
}

/// The address that the payer was shown.
fn stage_address(receiver: &Receiver) -> String {
    let told = receiver.taken().into_iter().find(|seen| seen.text().contains("wallet_given"));
    let told: serde_json::Value = serde_json::from_slice(&told.unwrap().body).unwrap();
    let text = told.to_string();
    let start = text.find("0x").expect("an address");
    text[start..].chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// Spans are nobody's business but the collector's: without one it goes on.
#[test]
fn a_collector_that_is_away_is_said_once_and_concerns_no_order() {
    let stage = Stage::new("", "");
    let mut serve = stage.serve();
    serve.env("ORDERKEEP_OTLP__ENDPOINT", "http://127.0.0.1:9");
    serve.env("OTEL_BSP_SCHEDULE_DELAY", "50");
    let mut engine = stage.start_as(serve);
    let (id, _) = stage.order("k");
    stage.to_executed(&id);
    let log = || fs::read_to_string(stage.folder.path().join("engine.log")).unwrap();
    until("it is said", || log().contains("spans cannot be sent"));
    let pid = engine.0.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(engine.0.wait().unwrap().code(), Some(0));
    assert_eq!(log().matches("spans cannot be sent").count(), 1);
}
