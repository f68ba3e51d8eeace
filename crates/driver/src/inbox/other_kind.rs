//! The provider has one address for all its webhooks. What is not about orders is kept as it came, for whoever it is
//! passed on to.

use bytes::Bytes;
use orderkeep_core::Timestamp;
use orderkeep_store::{Change, Commit, EntityId};
use serde::{Deserialize, Serialize};

use crate::{EngineError, codec, records, shard::Parts};

/// A webhook that is not about orders, as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherWebhook {
    /// For which account it was heard.
    pub account: String,
    /// What it is about.
    pub kind: String,
    /// When it was heard.
    pub received_at: Timestamp,
    /// As its sender named it.
    pub content_type: String,
    /// Byte for byte.
    pub body: Vec<u8>,
}

impl codec::Record for OtherWebhook {
    const WHAT: &'static str = "webhook that is passed on";
    const SCHEMA: u16 = 1;
}

/// Makes it durable; its one event is in the store's feed.
pub(super) async fn keep(parts: &Parts, webhook: &OtherWebhook) -> Result<(), EngineError> {
    /// The event holds all of it.
    const VIEW: &[u8] = &[1];
    let change = Change {
        id: EntityId(parts.entropy.id(webhook.received_at)),
        kind: records::OTHER_WEBHOOK,
        expected: 0,
        events: vec![codec::encode(webhook)?],
        view: Some(Bytes::from_static(VIEW)),
        labels: Vec::new(),
        wake_up: None,
        claims: Vec::new(),
    };
    let commit = Commit { partition: records::PARTITION, change: Some(change), inbox: Vec::new() };
    parts.store.commit(commit).await?;
    Ok(())
}
