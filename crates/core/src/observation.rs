//! What the provider said about one of its orders, however we heard it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Currency, Exact, LockId, Network, ProviderOrderId, Timestamp,
    id::{BadId, text_id},
};
use serde::Deserializer;
use std::str::FromStr;

text_id! {
    /// Where the payer sends the crypto.
    Address, "address", 256
}
text_id! {
    /// A transaction on the chain.
    TransactionHash, "transaction hash", 256
}

/// How an observation reached us. Webhooks carry no signature, so what they say is a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Heard by a webhook.
    Claimed {
        /// When it was heard.
        heard_at: Timestamp,
    },
    /// Read by us over an authenticated connection.
    Confirmed {
        /// When the read *started*: nothing it says is older than the provider's own lag.
        read_started_at: Timestamp,
    },
}

/// The provider's word for where its order stands, as our configuration maps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProviderStatus {
    /// Accepted, no address yet. (seen: `WAITING_FOR_WALLET_ADDRESS`)
    WaitingForWallet,
    /// The address is ready, nothing arrived. (assumed: the name was not seen)
    AwaitingPayment,
    /// A transfer was seen and is being confirmed. (seen: `WAITING_FOR_CONFIRMATION`)
    Confirming,
    /// Sold. (assumed)
    Executed,
    /// Ended without a full payment in time. (assumed)
    Expired,
    /// Ended with too little paid. (assumed)
    Underpaid,
    /// Ended otherwise. (assumed)
    Failed,
    /// Executed once, and taken back. (assumed)
    Reversed,
    /// A word we do not know, as it was written.
    Unknown(String),
}

impl fmt::Display for ProviderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WaitingForWallet => "waiting for wallet",
            Self::AwaitingPayment => "awaiting payment",
            Self::Confirming => "confirming",
            Self::Executed => "executed",
            Self::Expired => "expired",
            Self::Underpaid => "underpaid",
            Self::Failed => "failed",
            Self::Reversed => "reversed",
            Self::Unknown(text) => text,
        })
    }
}

/// One statement of the provider about one of its orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Observation {
    /// How we heard it.
    pub source: Source,
    /// Its order.
    pub provider_order: ProviderOrderId,
    /// The lock it was made from. (seen in details)
    pub lock_id: Option<LockId>,
    /// Where it stands, mapped.
    pub status: ProviderStatus,
    /// The provider's own word for it.
    pub status_text: String,
    /// Where to pay. (seen; null until made)
    pub address: Option<Address>,
    /// Until when to pay. (seen in the prose, absent from the example)
    pub expires_at: Option<Timestamp>,
    /// How much crypto is wanted in all. (seen)
    pub required: Option<Exact>,
    /// How much arrived. (seen)
    pub received: Option<Exact>,
    /// Blocks over the last transfer. (seen)
    pub confirmations: Option<u32>,
    /// Blocks wanted over it. (seen)
    pub required_confirmations: Option<u32>,
    /// The transfers it names. (seen: one hash)
    pub transactions: Vec<TransactionHash>,
    /// What is paid in. (seen)
    pub currency: Option<Currency>,
    /// Where it is paid. (seen)
    pub network: Option<Network>,
    /// Fields we do not know: name and literal JSON, kept as evidence, bounded by the reader.
    pub unknown_fields: Vec<(String, String)>,
}

impl Observation {
    /// When it was heard, or when its read started.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self.source {
            Source::Claimed { heard_at } => heard_at,
            Source::Confirmed { read_started_at } => read_started_at,
        }
    }

    /// Whether it says the same as another one, whenever that was heard.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let mut moved = other.clone();
        moved.source = self.source;
        *self == moved
    }

    /// Whether another one says all that this one does, whenever either was heard. A webhook that leaves fields out says
    /// less than a read, not something else. Fields that we do not know move nothing, and may differ each time.
    #[must_use]
    pub fn adds_nothing_to(&self, known: &Self) -> bool {
        fn within<T: PartialEq>(ours: &Option<T>, known: &Option<T>) -> bool {
            ours.is_none() || ours == known
        }
        self.provider_order == known.provider_order
            && self.status == known.status
            && within(&self.lock_id, &known.lock_id)
            && within(&self.address, &known.address)
            && within(&self.expires_at, &known.expires_at)
            && within(&self.required, &known.required)
            && within(&self.received, &known.received)
            && within(&self.confirmations, &known.confirmations)
            && within(&self.required_confirmations, &known.required_confirmations)
            && within(&self.currency, &known.currency)
            && within(&self.network, &known.network)
            && self.transactions.iter().all(|hash| known.transactions.contains(hash))
    }
}
