//! Following orders: a line for each change.

use std::{
    collections::HashMap,
    io::Write as _,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{show, text, word};
use crate::{
    args::OutputFormat,
    client::Client,
    exit::{self, Failure},
    output,
};

/// How often the engine is asked.
const EVERY: Duration = Duration::from_millis(500);

pub(crate) async fn run(
    client: &Client,
    id: Option<&str>,
    timeout: Option<u64>,
    format: OutputFormat,
) -> Result<(), Failure> {
    let id = id.map(|id| word("order id", id)).transpose()?;
    let give_up = timeout.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut seen: HashMap<String, u64> = HashMap::new();
    loop {
        let orders = match id {
            Some(id) => vec![client.get(&format!("/v1/orders/{id}")).await?.good()?],
            None => show::all(client, "/v1/orders?open=false").await?,
        };
        for order in orders.iter().rev() {
            let version = order["version"].as_u64().unwrap_or(0);
            if seen.insert(text(&order["id"]), version) != Some(version) {
                changed(order, format);
            }
        }
        if id.is_some()
            && orders
                .iter()
                .all(|order| matches!(order["state"].as_str(), Some("Executed" | "Failed")))
        {
            return Ok(());
        }
        if give_up.is_some_and(|at| Instant::now() >= at) {
            return Err(Failure::new(exit::TIMEOUT, "the order has not ended in time; it goes on"));
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn changed(order: &Value, format: OutputFormat) {
    match format {
        OutputFormat::Json => output::json(order),
        OutputFormat::Table => {
            let address = order["address"]
                .as_str()
                .map_or(String::new(), |address| format!("  pay to {address}"));
            let payment = order["payment"]["kind"]
                .as_str()
                .map_or(String::new(), |kind| format!("  paid: {kind}"));
            let review = order["review"].as_array().into_iter().flatten();
            let review: String =
                review.map(|review| format!("  REVIEW {}", text(&review["reason"]))).collect();
            let (id, state) = (text(&order["id"]), text(&order["state"]));
            drop(writeln!(std::io::stdout(), "{id}  {state:<16}{address}{payment}{review}"));
        }
    }
}
