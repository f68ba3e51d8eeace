//! Submitting one order.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    args::{OutputFormat, SubmitArgs},
    client::Client,
    exit::{Failure, say},
    orders::show,
    output,
};

pub(crate) async fn run(
    client: &Client,
    args: SubmitArgs,
    format: OutputFormat,
) -> Result<(), Failure> {
    let mut body = json!({ "account": args.account });
    if let Some(reference) = &args.reference {
        body["reference"] = json!(reference);
    }
    if let Some(path) = &args.terms {
        let unreadable = |why: String| Failure::config(format_args!("{}: {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        body["terms"] =
            serde_json::from_str::<Value>(&text).map_err(|error| unreadable(error.to_string()))?;
    } else if let Some(lock_id) = &args.lock_id {
        body["lockId"] = json!(lock_id);
    } else {
        let request = json!({
            "account": args.account,
            "amount": args.amount,
            "currency": args.currency,
            "network": args.network,
        });
        let lock = client.post("/v1/locks", &request).await?.good()?;
        body["lockId"] = lock["lockId"].clone();
    }
    let key = args.key.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    say(format_args!("idempotency key {key}: the same key again is the same order"));
    let order = client.send(Method::POST, "/v1/orders", Some(&key), Some(&body)).await?.good()?;
    match format {
        OutputFormat::Json => output::json(&order),
        OutputFormat::Table => show::one(&order),
    }
    Ok(())
}
