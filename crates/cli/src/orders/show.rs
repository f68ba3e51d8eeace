//! Orders as tables.

use serde_json::Value;

use super::{pages, text, word};
use crate::{args::OutputFormat, client::Client, exit::Failure, output};

/// More events than any order has that is not broken.
const EVENTS_MAX: usize = 10_000;

pub(crate) async fn run(
    client: &Client,
    id: &str,
    history: bool,
    format: OutputFormat,
) -> Result<(), Failure> {
    let path = format!("/v1/orders/{}", word("order id", id)?);
    let mut order = client.get(&path).await?.good()?;
    let events = if history { events(client, &path).await? } else { Vec::new() };
    match format {
        OutputFormat::Json => {
            if history {
                order["history"] = Value::Array(events);
            }
            output::json(&order);
        }
        OutputFormat::Table => {
            one(&order);
            if history {
                output::table(
                    ["#", "at", "cause", "what happened"],
                    events.iter().map(|event| {
                        [
                            text(&event["version"]),
                            text(&event["at"]),
                            cause(&event["cause"]),
                            text(&event["said"]),
                        ]
                    }),
                );
            }
        }
    }
    Ok(())
}

async fn events(client: &Client, path: &str) -> Result<Vec<Value>, Failure> {
    let mut events = Vec::new();
    loop {
        let after = events.last().map_or(0, |event: &Value| event["version"].as_u64().unwrap_or(0));
        let page = client.get(&format!("{path}/history?after={after}")).await?.good()?;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let last = page["nextCursor"].is_null() || items.is_empty();
        events.extend(items);
        if last || events.len() >= EVENTS_MAX {
            return Ok(events);
        }
    }
}

/// What a person looks for first, in this order; the rest follows by name.
const FIRST: [&str; 9] =
    ["id", "reference", "state", "since", "review", "address", "expiresAt", "payment", "outcome"];

/// One order, a row per field that says something.
pub(crate) fn one(order: &Value) {
    let mut fields: Vec<_> = order.as_object().into_iter().flatten().collect();
    fields.sort_by_key(|(name, _)| {
        FIRST.iter().position(|first| name == first).unwrap_or(FIRST.len())
    });
    let mut rows = Vec::new();
    for (name, field) in fields {
        let empty = field.is_null()
            || field.as_array().is_some_and(Vec::is_empty)
            || *field == Value::Bool(false);
        match field {
            Value::Object(inner) => rows.extend(
                inner
                    .iter()
                    .filter(|(_, value)| !value.is_null())
                    .map(|(inner, value)| [format!("{name}.{inner}"), text(value)]),
            ),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => {
                if !empty {
                    rows.push([name.clone(), text(field)]);
                }
            }
        }
    }
    output::table(["field", "value"], rows);
}

/// What caused an event: a word, or a word with who and why.
fn cause(cause: &Value) -> String {
    match cause.as_object().and_then(|named| named.keys().next()) {
        Some(name) => name.clone(),
        None => text(cause),
    }
}

/// Many orders, a row each.
pub(crate) fn list(orders: &[Value]) {
    output::table(
        ["id", "state", "since", "pay", "paid", "review", "outcome", "reference"],
        orders.iter().map(|order| {
            let reviews: Vec<_> = order["review"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|review| text(&review["reason"]))
                .collect();
            [
                text(&order["id"]),
                text(&order["state"]),
                text(&order["since"]),
                format!(
                    "{} {}",
                    text(&order["terms"]["payAmount"]),
                    text(&order["terms"]["payCurrency"])
                ),
                text(&order["payment"]["kind"]),
                reviews.join(", "),
                text(&order["outcome"]["funds"]),
                text(&order["reference"]),
            ]
        }),
    );
}

pub(crate) async fn all(client: &Client, query: &str) -> Result<Vec<Value>, Failure> {
    pages(client, query, usize::MAX).await
}
