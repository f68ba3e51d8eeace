//! Orders of a running engine, from the command line.

mod command;
mod explain;
mod report;
mod review;
mod show;
mod submit;
mod watch;

use serde_json::{Value, json};

use crate::{
    args::{OrdersArgs, OrdersCommand, OutputFormat},
    client::Client,
    exit::{self, Failure},
    output,
};

pub(crate) async fn run(args: OrdersArgs) -> Result<(), Failure> {
    let client = Client::new(&args.server.url, args.server.api_token_file.as_deref())?;
    if let OrdersCommand::Report { day, tz } = &args.command {
        return report::run(&client, day, tz, args.server.output).await;
    }
    let format = args.server.output.plain()?;
    match args.command {
        OrdersCommand::Submit(submit) => submit::run(&client, submit, format).await,
        OrdersCommand::Show { id, history } => show::run(&client, &id, history, format).await,
        OrdersCommand::List {
            state,
            review,
            open,
            reference,
            created_after,
            created_before,
            limit,
        } => {
            let mut query = format!("/v1/orders?review={review}&open={open}");
            if let Some(state) = state {
                query = format!("{query}&state={}", word("state", &state)?);
            }
            for (name, value) in [
                ("reference", reference),
                ("createdAfter", created_after),
                ("createdBefore", created_before),
            ] {
                if let Some(value) = value {
                    query = format!("{query}&{name}={}", escaped(&value));
                }
            }
            let items = pages(&client, &query, limit).await?;
            match format {
                OutputFormat::Json => output::json(&items),
                OutputFormat::Table => show::list(&items),
            }
            Ok(())
        }
        // Answered above, in forms that the others do not have.
        OrdersCommand::Report { .. } => Ok(()),
        OrdersCommand::Explain { id } => explain::run(&client, &id, format).await,
        OrdersCommand::Review { reason, limit } => {
            review::run(&client, reason.as_deref(), limit, format).await
        }
        OrdersCommand::Resolve { asked, review, no_provider_order } => {
            let more = json!({ "review": review, "noProviderOrder": no_provider_order });
            command::run(&client, "resolve", asked, more, format).await
        }
        OrdersCommand::Adopt { asked, provider_order } => {
            let more = json!({ "providerOrderId": provider_order });
            command::run(&client, "adopt", asked, more, format).await
        }
        OrdersCommand::Retry { asked } => {
            command::run(&client, "retry", asked, json!({}), format).await
        }
        OrdersCommand::Cancel { asked } => {
            command::run(&client, "cancel", asked, json!({}), format).await
        }
        OrdersCommand::PostAgain { asked, lock_id } => {
            command::run(&client, "post-again", asked, json!({ "lockId": lock_id }), format).await
        }
        OrdersCommand::Note { id, text, author } => {
            let body = json!({ "author": author, "text": text });
            command::send(&client, &id, "note", &body, format).await
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

/// Text in a query.
fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
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
