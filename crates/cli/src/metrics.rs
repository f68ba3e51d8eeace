//! The process's metrics: one recorder, which writes Prometheus' text form.

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use orderkeep::http::MetricsPage;

use crate::exit::Failure;

/// From a fast commit to an order's whole life.
const BUCKETS: [f64; 16] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0, 120.0,
    900.0, 3_600.0,
];
/// How often what was recorded is put away, so that it does not pile up while nobody reads.
const UPKEEP: Duration = Duration::from_secs(5);

/// Installs the recorder and gives the page.
pub(crate) fn install() -> Result<MetricsPage, Failure> {
    let handle = PrometheusBuilder::new()
        .set_buckets(&BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(Failure::failed)?;
    orderkeep::metrics::describe();
    orderkeep::outbox::metrics::describe();
    metrics::gauge!("orderkeep_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    metrics::describe_gauge!("orderkeep_build_info", "Which version this is; always 1.");
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            upkeep.run_upkeep();
        }
    });
    Ok(MetricsPage::new(move || handle.render()))
}
