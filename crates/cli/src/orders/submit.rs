//! Submitting one order.

use std::{collections::BTreeMap, path::Path};

use reqwest::Method;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    args::{OutputFormat, SubmitArgs},
    client::Client,
    exit::{Failure, say},
    orders::show,
    output,
};

/// The request. What comes from a file is passed on as it is: its numbers must not pass through a float here.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_answer: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relock: Option<Relock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sell: Option<Sell>,
}

/// What to sell and for how much: the engine takes the lock.
#[derive(Debug, Serialize)]
struct Sell {
    amount: String,
    currency: String,
    network: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Relock {
    max_pay_amount: String,
    until: Option<String>,
}

pub(crate) async fn run(
    client: &Client,
    args: SubmitArgs,
    format: OutputFormat,
) -> Result<(), Failure> {
    let given = args.metadata.len();
    let metadata: BTreeMap<_, _> = args.metadata.into_iter().collect();
    if metadata.len() < given {
        return Err(Failure::config("--metadata: one name is given twice"));
    }
    let body = Body {
        account: args.account,
        reference: args.reference,
        metadata,
        lock_id: args.lock_id,
        lock_answer: args.lock_answer.as_deref().map(json_file).transpose()?,
        sell: args.amount.map(|amount| Sell {
            amount,
            currency: args.currency,
            network: args.network,
        }),
        terms: args.terms.as_deref().map(json_file).transpose()?,
        relock: args
            .relock_max_pay
            .map(|max_pay_amount| Relock { max_pay_amount, until: args.relock_until }),
    };
    let key = args.key.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    say(format_args!("idempotency key {key}: the same key again is the same order"));
    let order = client.send(Method::POST, "/v1/orders", Some(&key), Some(&body)).await?.good()?;
    match format {
        OutputFormat::Json => output::json(&order),
        OutputFormat::Table => show::one(&order),
    }
    Ok(())
}

/// The JSON in a file, to the letter.
fn json_file(path: &Path) -> Result<Box<RawValue>, Failure> {
    let unreadable =
        |why: &dyn std::fmt::Display| Failure::config(format_args!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    serde_json::from_str(&text).map_err(|error| unreadable(&error))
}
