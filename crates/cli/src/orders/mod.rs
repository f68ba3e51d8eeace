//! Orders of a running engine, from the command line.

mod show;
mod submit;
mod watch;

use serde_json::Value;

use crate::{
    args::{OrdersArgs, OrdersCommand, OutputFormat},
    client::Client,
    exit::{self, Failure},
    output,
};

pub(crate) async fn run(args: OrdersArgs) -> Result<(), Failure> {
    let client = Client::new(&args.server.url, args.server.api_token_file.as_deref())?;
    let format = args.server.output;
    match args.command {
        OrdersCommand::Submit(submit) => submit::run(&client, submit, format).await,
        OrdersCommand::Show { id, history } => show::run(&client, &id, history, format).await,
        OrdersCommand::List { state, review, open, limit } => {
            let mut query = format!("/v1/orders?review={review}&open={open}");
            if let Some(state) = state {
                query = format!("{query}&state={}", word("state", &state)?);
            }
            let items = pages(&client, &query, limit).await?;
            match format {
                OutputFormat::Json => output::json(&items),
                OutputFormat::Table => show::list(&items),
            }
            Ok(())
        }
        OrdersCommand::Watch { id, timeout } => {
            watch::run(&client, id.as_deref(), timeout, format).await
        }
    }
}

/// A word that may stand in a path or query as it is.
fn word<'a>(what: &str, text: &'a str) -> Result<&'a str, Failure> {
    let fits =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if fits {
        Ok(text)
    } else {
        Err(Failure::new(exit::NOT_FOUND, format!("`{text}` is no {what}")))
    }
}

/// Follows a paged listing until there are `limit` items.
pub(crate) async fn pages(
    client: &Client,
    query: &str,
    limit: usize,
) -> Result<Vec<Value>, Failure> {
    const PAGE: usize = 200;
    let separator = if query.contains('?') { '&' } else { '?' };
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let take = (limit - items.len()).min(PAGE);
        let after = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
        let page = client.get(&format!("{query}{separator}limit={take}{after}")).await?.good()?;
        items.extend(page["items"].as_array().into_iter().flatten().cloned());
        cursor = page["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() || items.len() >= limit {
            return Ok(items);
        }
    }
}

/// A field as a person reads it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
