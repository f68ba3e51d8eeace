//! How webhooks out reach the network: only where they may.

mod address;
mod tls;
mod transport;

use std::{sync::Arc, time::Duration};

pub use transport::{HttpTransport, NoClient};

use orderkeep_outbox::{DELIVERIES_KEPT, Outbox, OutboxConfig, OutboxError, Render};
use orderkeep_store::Store;

/// How webhooks out are sent.
#[derive(Debug, Clone)]
pub struct WebhooksConfig {
    /// Whether targets may be on this machine or in private networks.
    pub allow_private: bool,
    /// How long one delivery may take.
    pub timeout: Duration,
    /// Where the provider's webhooks that are not about orders are passed on to; the engine must keep them
    /// ([`crate::EngineConfig::keep_other_webhooks`]). The address is the operator's own, so it may be private.
    pub forward_url: Option<String>,
    /// Attempts in the delivery log of each endpoint, at most 1,000; older ones go.
    pub deliveries_kept: usize,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self {
            allow_private: false,
            timeout: Duration::from_secs(15),
            forward_url: None,
            deliveries_kept: DELIVERIES_KEPT,
        }
    }
}

/// Starts the outbox of an engine over the same store; the bodies are the events of `/v1/events`.
///
/// # Errors
/// The store cannot be read, or the HTTP client cannot be built.
pub async fn start(store: Arc<dyn Store>, config: WebhooksConfig) -> Result<Outbox, OutboxError> {
    let transport =
        HttpTransport::new(&config).map_err(|error| OutboxError::Client(error.to_string()))?;
    let render = Render::new(orderkeep_http::event_body);
    let outbox = OutboxConfig {
        forward_url: config.forward_url,
        deliveries_kept: config.deliveries_kept,
        ..OutboxConfig::new(Arc::new(transport), render)
    };
    Outbox::start(store, outbox).await
}
