//! Webhooks out, from the command line; and how the daemon starts them.

pub(crate) mod args;

use std::{path::PathBuf, sync::Arc};

use orderkeep::{
    outbox::Outbox,
    store::Store,
    webhooks::{self, WebhooksConfig},
};
use reqwest::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    args::OutputFormat,
    client::Client,
    exit::{self, Failure, say},
    orders::text,
    output,
    settings::Span,
};
use args::{WebhooksArgs, WebhooksCommand};

/// Webhooks out, and where the provider's arrive.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WebhookSettings {
    /// Whether targets may be on this machine or in private networks.
    pub(crate) allow_private: bool,
    /// How long one delivery may take.
    #[schemars(example = "15s")]
    pub(crate) timeout: Option<Span>,
    /// Where the provider's webhooks that are not about orders are passed on to.
    #[schemars(example = "https://kyc.example.com/p100")]
    pub(crate) forward_url: Option<String>,
    /// Attempts in the delivery log of each endpoint, from 1 to 1000; the oldest go first. 200 unless it is said.
    #[schemars(example = 200, range(min = 1, max = 1000))]
    pub(crate) deliveries_kept: Option<usize>,
    /// Where the provider's webhooks arrive, if not where the API is served.
    #[serde(deserialize_with = "crate::settings::listen::perhaps")]
    #[schemars(with = "Option<String>", example = "127.0.0.1:7072")]
    pub(crate) listen: Option<std::net::SocketAddr>,
}

/// Starts delivering.
pub(crate) async fn start(
    store: Arc<dyn Store>,
    settings: &WebhookSettings,
) -> Result<Outbox, Failure> {
    let default = WebhooksConfig::default();
    let config = WebhooksConfig {
        allow_private: settings.allow_private,
        timeout: settings.timeout.map_or(default.timeout, |span| span.0),
        forward_url: settings.forward_url.clone(),
        deliveries_kept: settings.deliveries_kept.unwrap_or(default.deliveries_kept),
    };
    webhooks::start(store, config).await.map_err(Failure::config)
}

pub(crate) async fn run(args: WebhooksArgs) -> Result<(), Failure> {
    let format = args.server.output.plain()?;
    let client = Client::new(&args.server.url, args.server.api_token_file.as_deref())?;
    match args.command {
        WebhooksCommand::Create { target, description, types, secret_file, after } => {
            let body = json!({
                "url": target, "description": description, "types": types,
                "secret": secret(secret_file)?, "after": after,
            });
            let made = client.post("/v1/webhook-endpoints", &body).await?.good()?;
            say("the secret is shown once; receivers check signatures with it");
            shown(&made, format);
        }
        WebhooksCommand::List => list(&client, format).await?,
        WebhooksCommand::Show { id } => {
            let path = format!("/v1/webhook-endpoints/{}", word(&id)?);
            shown(&client.get(&path).await?.good()?, format);
        }
        WebhooksCommand::Update { id, target, description, types, all_types } => {
            let types = if all_types { Some(Vec::new()) } else { types };
            let body = json!({ "url": target, "description": description, "types": types });
            let path = format!("/v1/webhook-endpoints/{}", word(&id)?);
            let answer = client.send(Method::PATCH, &path, None, Some(&body)).await?;
            shown(&answer.good()?, format);
        }
        WebhooksCommand::Rotate { id, overlap, secret_file } => {
            let body = json!({
                "secret": secret(secret_file)?,
                "overlapSeconds": overlap.map(|span| span.0.as_secs()),
            });
            let rotated = act(&client, &id, "rotate-secret", &body).await?;
            say("the secret is shown once; the one before it signs too until the overlap ends");
            shown(&rotated, format);
        }
        WebhooksCommand::Enable { id } => {
            shown(&act(&client, &id, "enable", &json!({})).await?, format);
        }
        WebhooksCommand::Disable { id } => {
            shown(&act(&client, &id, "disable", &json!({})).await?, format);
        }
        WebhooksCommand::Delete { id } => {
            let path = format!("/v1/webhook-endpoints/{}", word(&id)?);
            client.send(Method::DELETE, &path, None, None::<&Value>).await?.good()?;
            say(format_args!("{id} is deleted"));
        }
        WebhooksCommand::Test { id } => {
            let delivery = act(&client, &id, "test", &json!({})).await?;
            match format {
                OutputFormat::Json => output::json(&delivery),
                OutputFormat::Table => deliveries(std::slice::from_ref(&delivery), format),
            }
            if delivery["delivered"] != true {
                let why = text(&delivery["why"]);
                return Err(Failure::failed(format_args!("it was not delivered: {why}")));
            }
        }
        WebhooksCommand::Deliveries { id, limit } => {
            let path = format!("/v1/webhook-endpoints/{}/deliveries?limit={limit}", word(&id)?);
            let page = client.get(&path).await?.good()?;
            deliveries(page["items"].as_array().map_or(&[], Vec::as_slice), format);
        }
        WebhooksCommand::Replay { id, since, event } => {
            let body = json!({ "since": since, "event": event });
            shown(&act(&client, &id, "replay", &body).await?, format);
        }
    }
    Ok(())
}

async fn act(client: &Client, id: &str, verb: &str, body: &Value) -> Result<Value, Failure> {
    let path = format!("/v1/webhook-endpoints/{}/{verb}", word(id)?);
    client.post(&path, body).await?.good()
}

/// A word that may stand in a path as it is.
fn word(id: &str) -> Result<&str, Failure> {
    let fits =
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if fits {
        return Ok(id);
    }
    Err(Failure::new(exit::NOT_FOUND, format!("`{id}` is no webhook endpoint")))
}

/// Secrets come from files: a command line is seen by everybody on the machine.
fn secret(file: Option<PathBuf>) -> Result<Option<String>, Failure> {
    use secrecy::ExposeSecret as _;
    let read = file.map(|file| crate::settings::secrets::in_file(&file)).transpose()?;
    Ok(read.map(|secret| secret.expose_secret().to_owned()))
}

fn shown(endpoint: &Value, format: OutputFormat) {
    match format {
        OutputFormat::Json => output::json(endpoint),
        OutputFormat::Table => {
            let fields = endpoint.as_object().into_iter().flatten();
            let rows = fields.filter(|(_, value)| !value.is_null());
            output::table(
                ["field", "value"],
                rows.map(|(name, value)| [name.clone(), text(value)]),
            );
        }
    }
}

async fn list(client: &Client, format: OutputFormat) -> Result<(), Failure> {
    let page = client.get("/v1/webhook-endpoints").await?.good()?;
    if let OutputFormat::Json = format {
        output::json(&page["items"]);
        return Ok(());
    }
    let rows = page["items"].as_array().into_iter().flatten().map(|endpoint| {
        let state = match endpoint["disabledReason"].as_str() {
            Some(reason) => format!("off: {reason}"),
            None => "on".to_owned(),
        };
        [
            text(&endpoint["id"]),
            text(&endpoint["url"]),
            state,
            text(&endpoint["held"]),
            text(&endpoint["deliveredAt"]),
            text(&endpoint["description"]),
        ]
    });
    output::table(["id", "url", "state", "held", "last delivered", "description"], rows);
    Ok(())
}

fn deliveries(items: &[Value], format: OutputFormat) {
    match format {
        OutputFormat::Json => output::json(&items),
        OutputFormat::Table => {
            let rows = items.iter().map(|delivery| {
                let result = match delivery["why"].as_str() {
                    Some(why) => why.to_owned(),
                    None => "delivered".to_owned(),
                };
                [
                    text(&delivery["at"]),
                    text(&delivery["event"]),
                    text(&delivery["type"]),
                    text(&delivery["attempt"]),
                    text(&delivery["durationMs"]),
                    result,
                ]
            });
            output::table(["at", "event", "type", "attempt", "ms", "result"], rows);
        }
    }
}
