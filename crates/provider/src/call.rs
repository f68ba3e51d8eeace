//! Calls: what they take, what they bring, how they fail.

use std::{collections::BTreeMap, time::Duration};

use orderkeep_core::{Currency, Exact, Network};

/// What to lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockRequest {
    /// The fiat amount wanted. (seen in the newer documents)
    pub amount: Exact,
    /// The crypto currency the payer will send.
    pub currency: Currency,
    /// On which chain.
    pub network: Network,
}

/// How far the provider's clock is from this machine's, as the dates of its answers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSkew {
    /// The provider's clock shows so many milliseconds more. Good to about a second.
    pub ahead_ms: i64,
    /// So many answers it rests on.
    pub samples: u32,
}

/// Indicative rates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// Fiat for one unit of each currency. (assumed: the shape of a sister call)
    pub per_unit: BTreeMap<Currency, Exact>,
}

/// Whether a call that brought no good answer can have had an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// No byte of the request was written: it certainly had none.
    NotSent,
    /// A clear no: it certainly had none.
    Definite,
    /// Nobody can say.
    Ambiguous,
    /// Too many calls: it certainly had none.
    Throttled,
    /// The credential was refused: it certainly had none, and no other call will.
    Denied,
}

impl FailureClass {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Definite => "definite",
            Self::Ambiguous => "ambiguous",
            Self::Throttled => "throttled",
            Self::Denied => "denied",
        }
    }
}

/// Why a call brought no good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", class.name())]
pub struct CallError {
    /// Whether it can have had an effect.
    pub class: FailureClass,
    /// The provider's own error code, such as `P462`.
    pub code: Option<String>,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// In words, without secrets and without the body.
    pub why: String,
    /// How long the provider asked to wait.
    pub retry_after: Option<Duration>,
}

impl CallError {
    /// Whether the credential was refused (HTTP 401 and 403), so that no other call with it is worth making until
    /// somebody has looked. Says nothing of whether this call had an effect: see [`Self::class`].
    #[must_use]
    pub fn refuses_credential(&self) -> bool {
        self.class == FailureClass::Denied || matches!(self.status, Some(401 | 403))
    }
}

/// A text that is not the provider's answer to a lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a lock answer of the provider: {0}")]
pub struct UnreadableLock(pub String);
