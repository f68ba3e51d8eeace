//! Webhooks: checked, stored, answered; worked off after.
//!
//! What names an order of ours goes to its shard. What does not is *parked*: one read of the provider's order, for all
//! webhooks that name it, says which lock it was made from. Ours is bound, the rest is kept for a while and dropped.
//!
//! Reading order: [`take_in`], `worker`, `work_off` (one webhook), `parked` (when to ask about strangers).

mod heard;
mod other_kind;
mod parked;
mod work_off;
mod worker;

use bytes::Bytes;
use orderkeep_core::{AccountId, ProviderOrderId};
use orderkeep_provider::Heard;
use orderkeep_store::{InboxItem, InboxSeq, NewInboxItem};

use crate::{EngineError, WebhookError, calls::Account, shard::Parts, stats::count};
pub(crate) use heard::JustHeard;
pub use other_kind::OtherWebhook;
pub(crate) use worker::InboxWorker;

/// What became of a webhook: answer 200 to both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookReceipt {
    /// It is durable, and will be worked off.
    Stored,
    /// It is not about orders; kept if the engine keeps those (see [`crate::EngineConfig::keep_other_webhooks`]).
    OtherKind(String),
}

/// Checks and stores one webhook.
pub(crate) async fn take_in(
    parts: &Parts,
    account: &Account,
    authorization: Option<&[u8]>,
    content_type: Option<&str>,
    body: Bytes,
) -> Result<WebhookReceipt, WebhookError> {
    let refuse = |error| {
        count(&parts.counters.webhooks_refused);
        Err(error)
    };
    if !account.provider.is_authentic(authorization) {
        return refuse(WebhookError::Unauthorized);
    }
    if body.len() > parts.config.webhook_bytes_max {
        return refuse(WebhookError::TooLarge(parts.config.webhook_bytes_max));
    }
    let received_at = parts.clock.now();
    match account.provider.read_webhook(&body, received_at) {
        Err(error) => return refuse(WebhookError::Malformed(error.to_string())),
        Ok(Heard::OtherKind { kind }) => {
            if parts.config.keep_other_webhooks {
                let webhook = OtherWebhook {
                    account: account.id.to_string(),
                    kind: kind.clone(),
                    received_at,
                    content_type: content_type.unwrap_or("application/json").to_owned(),
                    body: body.to_vec(),
                };
                other_kind::keep(parts, &webhook).await?;
            }
            count(&parts.counters.webhooks_other_kind);
            return Ok(WebhookReceipt::OtherKind(kind));
        }
        Ok(Heard::Order(said)) => parts.heard.put(&body, said),
        Ok(Heard::Unreadable { .. }) => {}
    }
    if parts.store.inbox_len() >= parts.config.inbox_max {
        return refuse(EngineError::Busy("too many webhooks are waiting").into());
    }
    let item = NewInboxItem {
        account: account.id.to_string(),
        received_at: received_at.as_micros(),
        body,
    };
    parts.store.append_inbox(item).await.map_err(EngineError::from)?;
    count(&parts.counters.webhooks_taken);
    Ok(WebhookReceipt::Stored)
}

type Key = (AccountId, ProviderOrderId);

/// How a piece of the inbox's work ended.
#[derive(Debug)]
enum Done {
    Finished,
    Parked(parked::Waits),
    /// The engine could not take it: later, unless the store refused too often.
    Again {
        item: InboxItem,
        refused: u32,
    },
    Read {
        key: Key,
        webhooks: Vec<InboxSeq>,
        likely: bool,
        found: parked::Found,
    },
}
