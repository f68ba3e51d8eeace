//! What a webhook can say.

use orderkeep_core::{Observation, ProviderOrderId};

/// What a webhook says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Something about an order.
    Order(Box<Observation>),
    /// It names an order, and what it says cannot be read: a reason to look.
    Unreadable {
        /// Which one.
        provider_order: ProviderOrderId,
        /// Why.
        why: String,
    },
    /// It is not about orders (deposits, verifications, health checks come to the same address).
    OtherKind {
        /// What it seems to be about.
        kind: String,
    },
}

/// A body that cannot be a webhook of the provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a webhook: {0}")]
pub struct UnreadableWebhook(pub String);
