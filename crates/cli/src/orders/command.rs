//! What people ask of an order.

use serde_json::{Value, json};

use super::{show, text, word};
use crate::{
    args::{AskedArgs, OutputFormat},
    client::Client,
    exit::{Failure, say},
    output,
};

/// Asks with an author and a reason, and what the verb needs besides.
pub(crate) async fn run(
    client: &Client,
    verb: &str,
    asked: AskedArgs,
    more: Value,
    format: OutputFormat,
) -> Result<(), Failure> {
    let mut body = json!({ "author": asked.author, "reason": asked.reason });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    send(client, &asked.id, verb, &body, format).await
}

pub(crate) async fn send(
    client: &Client,
    id: &str,
    verb: &str,
    body: &Value,
    format: OutputFormat,
) -> Result<(), Failure> {
    let path = format!("/v1/orders/{}/{verb}", word("order id", id)?);
    let answer = client.post(&path, body).await?.good()?;
    match format {
        OutputFormat::Json => output::json(&answer),
        OutputFormat::Table => {
            say(format_args!("{verb}: {}", text(&answer["disposition"])));
            show::one(&answer["order"]);
        }
    }
    Ok(())
}
