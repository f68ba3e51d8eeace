//! Finance's morning: one day's orders, as a table, JSON or CSV.

use std::io::Write as _;

use serde_json::Value;

use super::{escaped, text};
use crate::{args::ServerFormat, client::Client, exit::Failure, output};

pub(crate) async fn run(
    client: &Client,
    day: &str,
    tz: &str,
    format: ServerFormat,
) -> Result<(), Failure> {
    let path = format!("/v1/report?day={}&tz={}", escaped(day), escaped(tz));
    match format {
        ServerFormat::Csv => {
            let csv = client.text(&path, "text/csv").await?;
            drop(std::io::stdout().write_all(csv.as_bytes()));
        }
        ServerFormat::Json => output::json(&client.get(&path).await?.good()?),
        ServerFormat::Table => tables(&client.get(&path).await?.good()?),
    }
    Ok(())
}

fn tables(report: &Value) {
    output::line(format_args!(
        "Orders submitted on {} ({}), as they are now.",
        text(&report["day"]),
        text(&report["tz"])
    ));
    let totals = ["payCurrency", "settleCurrency", "result", "orders", "payLocked", "payReceived"];
    let totals = totals.into_iter().chain([
        "payDifference",
        "payHeld",
        "settleLocked",
        "settleExecuted",
        "settleDifference",
    ]);
    let rows = items(&report["totals"]).map(|sum| {
        let mut cells = totals.clone().map(|name| text(&sum[name]));
        std::array::from_fn(|_| cells.next().unwrap_or_default())
    });
    output::table(
        [
            "pay",
            "settle",
            "result",
            "orders",
            "locked",
            "received",
            "difference",
            "held",
            "fiat locked",
            "fiat executed",
            "fiat difference",
        ],
        rows,
    );
    let open = items(&report["orders"]).filter(|order| order["toSettle"] != "nothing");
    output::line("What is left to settle:");
    output::table(
        ["id", "reference", "to settle", "locked", "received", "difference", "held"],
        open.map(|order| {
            let amount = |name: &str| match order[name].as_str() {
                Some(amount) => format!("{amount} {}", text(&order["payCurrency"])),
                None => String::new(),
            };
            [
                text(&order["id"]),
                text(&order["reference"]),
                text(&order["toSettle"]),
                amount("payLocked"),
                amount("payReceived"),
                amount("payDifference"),
                amount("payHeld"),
            ]
        }),
    );
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
