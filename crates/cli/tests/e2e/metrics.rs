//! What is measured: every metric of the catalogue is there, and alerts and dashboard name no other.

use std::{collections::BTreeSet, process::Command};

use serde_json::json;

use crate::{
    receiver::Receiver,
    stage::{Stage, until},
};

const RULES: &str = include_str!("../../../../packaging/prometheus/orderkeep.rules.yml");
const DASHBOARD: &str = include_str!("../../../../packaging/grafana/orderkeep.json");

/// Every word in it that looks like a metric of ours, without what a histogram adds to its name.
fn named(text: &str) -> BTreeSet<String> {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
        .filter(|word| word.starts_with("orderkeep_"))
        .map(|word| {
            let whole = ["_bucket", "_sum", "_count"].into_iter();
            whole.fold(word, |word, end| word.strip_suffix(end).unwrap_or(word)).to_owned()
        })
        .collect()
}

fn catalogue() -> BTreeSet<String> {
    let all = orderkeep::metrics::METRICS.iter().chain(orderkeep::outbox::metrics::METRICS);
    let metrics = all.map(|metric| metric.name.to_owned());
    metrics.chain(["orderkeep_build_info".to_owned()]).collect()
}

#[test]
fn alerts_and_dashboard_name_only_metrics_that_exist() {
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 5);
    for (what, text) in [("rules", RULES), ("dashboard", DASHBOARD)] {
        let named = named(text);
        assert!(named.len() > 5, "{what}: {named:?}");
        let unknown: Vec<_> = named.difference(&catalogue()).cloned().collect();
        assert!(unknown.is_empty(), "{what} name what nobody measures: {unknown:?}");
    }
    // Where Prometheus' own judge is, it judges.
    let file =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/prometheus/orderkeep.rules.yml");
    match Command::new("promtool").args(["check", "rules", file]).output() {
        Ok(judged) => assert!(judged.status.success(), "{judged:?}"),
        Err(_) => eprintln!("SKIPPED: promtool is not here (Debian: prometheus)"),
    }
}

#[test]
fn the_life_of_an_order_shows_in_every_metric() {
    let stage = Stage::new("", "");
    let receiver = Receiver::new();
    let mut serve = stage.serve();
    serve.env("ORDERKEEP_WEBHOOKS__ALLOW_PRIVATE", "true");
    let _engine = stage.start_as(serve);
    let endpoint = stage.post("/v1/webhook-endpoints", &[], &json!({ "url": receiver.url })).body;
    let endpoint = endpoint["id"].as_str().unwrap();
    let (id, _) = stage.order("k");
    stage.to_executed(&id);
    until("the end is delivered", || {
        receiver.taken().iter().any(|seen| seen.text().contains("orderkeep.order.executed"))
    });
    stage.http.send("POST", &format!("{}/webhooks/p100", stage.url), &[], "{}");
    let mut page = String::new();
    until("the page shows the end", || {
        page = stage.http.text(&format!("{}/metrics", stage.url));
        page.contains("orderkeep_orders{state=\"Executed\"} 1")
            && page.contains(&format!("result=\"delivered\"}} {}", receiver.taken().len()))
    });
    let samples: String =
        page.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    // How late webhooks run is known only once enough of them have come.
    let later = BTreeSet::from(["orderkeep_webhooks_late_seconds".to_owned()]);
    let shown: BTreeSet<_> = named(&samples).union(&later).cloned().collect();
    assert_eq!(shown, catalogue(), "{page}");
    let delivered = receiver.taken().len();
    let webhooks_out = [
        format!(
            "orderkeep_webhook_deliveries_total{{endpoint=\"{endpoint}\",result=\"delivered\"}} {delivered}"
        ),
        format!(
            "orderkeep_webhook_deliveries_total{{endpoint=\"{endpoint}\",result=\"failed\"}} 0"
        ),
        format!("orderkeep_webhook_endpoint_off{{endpoint=\"{endpoint}\",reason=\"failing\"}} 0"),
    ];
    for line in webhooks_out.iter().map(String::as_str).chain([
        "orderkeep_order_transitions_total{from=\"none\",to=\"Locked\",cause=\"submit\"} 1",
        "orderkeep_provider_requests_total{account=\"default\",op=\"create\",outcome=\"ok\"} 1",
        "orderkeep_webhooks_received_total{result=\"refused\"} 1",
        "orderkeep_provider_circuit_state{account=\"default\"} 0",
        "orderkeep_order_time_in_state_seconds_count{state=\"AwaitingPayment\"} 1",
        "orderkeep_halted 0",
        "# TYPE orderkeep_store_commit_duration_seconds histogram",
        "# TYPE orderkeep_webhook_delivery_duration_seconds histogram",
    ]) {
        assert!(page.contains(line), "no `{line}` in:\n{page}");
    }
    for word in [id.as_str(), crate::stage::TOKEN, crate::stage::API_KEY] {
        assert!(!page.contains(word), "{word} is in:\n{page}");
    }
}
