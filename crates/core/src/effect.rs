//! What must be done outside, once the step that asks for it is durable.

use serde::{Deserialize, Serialize};

use crate::{LockId, ProviderOrderId};

/// One act outside. Its outcome comes back as an input; after a crash the state and its wake-up ask for it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Post the create, once. Check [`crate::Order::may_still_send`] right before; if not, it was *not sent*.
    Create {
        /// Which attempt.
        attempt: u32,
        /// From which lock.
        lock_id: LockId,
    },
    /// Read the provider's order now.
    Fetch {
        /// Which one.
        provider_order: ProviderOrderId,
    },
}

impl Effect {
    /// The word for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Fetch { .. } => "fetch",
        }
    }
}
