//! How an order ended, and what came to light after.

use serde::{Deserialize, Serialize};

use crate::{Exact, Timestamp};

/// Why an order failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FailReason {
    /// The lock ended before a create could be sent.
    LockExpired,
    /// The provider does not know the lock, or it is used up.
    LockInvalid,
    /// Cancelled before anything was sent.
    Cancelled,
    /// A create's outcome stayed unknown until nobody could pay any more, or a person ended it.
    UnknownCreate,
    /// The provider ended it: not (fully) paid in time.
    Expired,
    /// The provider ended it: too little paid.
    Underpaid,
    /// The provider ended it otherwise, in its own word.
    Provider(String),
}

impl FailReason {
    /// The word for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::LockExpired => "lock_expired",
            Self::LockInvalid => "lock_invalid",
            Self::Cancelled => "cancelled",
            Self::UnknownCreate => "unknown_create",
            Self::Expired => "expired",
            Self::Underpaid => "underpaid",
            Self::Provider(_) => "provider",
        }
    }
}

/// Where the payer's funds are, as far as it is proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Funds {
    /// There never were any.
    None,
    /// The provider holds them.
    Held(Exact),
    /// Sold, and credited.
    Settled,
    /// Once there, and now nobody has proven where.
    Unclear,
}

impl Funds {
    /// The word for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Held(_) => "held",
            Self::Settled => "settled",
            Self::Unclear => "unclear",
        }
    }
}

/// The last proven result of an order that ended: follows the facts after the end, while the state stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderOutcome {
    /// What it came to.
    pub result: OrderResult,
    /// Where the funds are.
    pub funds: Funds,
    /// How much of the payer's money this result accounts for: what arrives beyond it is late. Never falls.
    pub accounted: Exact,
    /// When that was proven.
    pub proven_at: Timestamp,
}

/// What an order came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderResult {
    /// Sold.
    Executed,
    /// Not sold.
    Failed,
    /// Sold, and taken back.
    Reversed,
}

/// Something that came to light after the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AfterFact {
    /// When.
    pub at: Timestamp,
    /// What.
    pub fact: Fact,
}

/// What can come to light after the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// More arrived: this much in all.
    LateFunds(Exact),
    /// An executed order was taken back.
    Reversal,
    /// It was proven to have ended the other way.
    Correction(OrderResult),
    /// An order exists at the provider after all.
    ProviderOrderFound,
}
