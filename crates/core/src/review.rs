//! When an order needs a person, why, and what to do. Beside the state, never instead of it.

use serde::{Deserialize, Serialize};

use crate::{Author, Timestamp};

/// One open or settled question about an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Why a person is needed.
    pub reason: ReviewReason,
    /// Since when.
    pub since: Timestamp,
    /// The facts that led to it, in words.
    pub detail: String,
    /// Who or what settled it, and when; a settled reason is raised again only by new evidence.
    pub settled: Option<Settled>,
}

/// Who or what settled a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// A person, or `None`: evidence did.
    pub by: Option<Author>,
    /// When.
    pub at: Timestamp,
}

/// Why an order needs a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReviewReason {
    /// A create was sent and nobody knows what came of it.
    UnknownCreate,
    /// The provider refuses the create for a reason that trying again does not mend.
    CreateRefused,
    /// An order exists at the provider that we did not make, or gave up.
    UnexpectedProviderOrder,
    /// A second order exists at the provider for the same lock.
    SecondProviderOrder,
    /// The provider's order is not what the lock promised.
    TermsMismatch,
    /// The provider names another address than before.
    AddressChanged,
    /// The provider names another lock than before.
    LockChanged,
    /// No address for too long.
    WalletLate,
    /// Paid, and not decided for too long.
    PaymentStuck,
    /// Past its deadline, and the provider has not ended it.
    Overdue,
    /// A status that we do not know, for too long.
    UnknownStatus,
    /// The provider does not find an order that it made.
    ProviderLostOrder,
    /// Failed, and the payer's funds are there.
    FundsOnFailed,
    /// Funds arrived after the end.
    LateFunds,
    /// Executed, and taken back.
    Reversed,
    /// Ended one way, proven to be the other.
    Corrected,
    /// An operator named a provider order that belongs to another lock.
    AdoptionRefused,
    /// The store was restored from an older copy that does not know whether a create was posted after it, and perhaps an
    /// address shown. Never posted and never ended by the engine alone.
    ExposurePossible,
    /// The store was restored from an older copy, and the provider's order was not read since.
    UnreadSinceRestore,
    /// The order was lost with an older copy, and rebuilt from what the provider says.
    Rebuilt,
    /// Executed with less than was locked.
    ExecutedAmount,
    /// The lock is over, and no fresh one came for too long.
    RelockLate,
}

/// No question is called so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no question; there are {}", ReviewReason::ALL.map(ReviewReason::name).join(", "))]
pub struct BadReviewReason {
    word: String,
}

impl std::str::FromStr for ReviewReason {
    type Err = BadReviewReason;

    fn from_str(text: &str) -> Result<Self, BadReviewReason> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.name() == text)
            .ok_or_else(|| BadReviewReason { word: text.chars().take(32).collect() })
    }
}

impl ReviewReason {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::UnknownCreate,
        Self::CreateRefused,
        Self::UnexpectedProviderOrder,
        Self::SecondProviderOrder,
        Self::TermsMismatch,
        Self::AddressChanged,
        Self::LockChanged,
        Self::WalletLate,
        Self::PaymentStuck,
        Self::Overdue,
        Self::UnknownStatus,
        Self::ProviderLostOrder,
        Self::FundsOnFailed,
        Self::LateFunds,
        Self::Reversed,
        Self::Corrected,
        Self::AdoptionRefused,
        Self::ExposurePossible,
        Self::UnreadSinceRestore,
        Self::Rebuilt,
        Self::ExecutedAmount,
        Self::RelockLate,
    ];

    /// The word for it, as JSON and the command line write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownCreate => "unknown_create",
            Self::CreateRefused => "create_refused",
            Self::UnexpectedProviderOrder => "unexpected_provider_order",
            Self::SecondProviderOrder => "second_provider_order",
            Self::TermsMismatch => "terms_mismatch",
            Self::AddressChanged => "address_changed",
            Self::LockChanged => "lock_changed",
            Self::WalletLate => "wallet_late",
            Self::PaymentStuck => "payment_stuck",
            Self::Overdue => "overdue",
            Self::UnknownStatus => "unknown_status",
            Self::ProviderLostOrder => "provider_lost_order",
            Self::FundsOnFailed => "funds_on_failed",
            Self::LateFunds => "late_funds",
            Self::Reversed => "reversed",
            Self::Corrected => "corrected",
            Self::AdoptionRefused => "adoption_refused",
            Self::ExposurePossible => "exposure_possible",
            Self::UnreadSinceRestore => "unread_since_restore",
            Self::Rebuilt => "rebuilt",
            Self::ExecutedAmount => "executed_amount",
            Self::RelockLate => "relock_late",
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub const fn what_to_do(self) -> &'static str {
        match self {
            Self::UnknownCreate => {
                "ask the provider whether an order exists for this lock; adopt it if so, resolve as `no_provider_order` if not"
            }
            Self::CreateRefused => "read the refusal; mend the cause and retry, or cancel",
            Self::UnexpectedProviderOrder => {
                "find out who made this order; if it is ours it goes on by itself, if not, tell the provider"
            }
            Self::SecondProviderOrder => {
                "ask the provider to close the second order; nobody was shown its address"
            }
            Self::TermsMismatch => {
                "the address is withheld; ask the provider which amount holds, then acknowledge or cancel"
            }
            Self::AddressChanged => {
                "the first address stands; ask the provider before anybody pays to another"
            }
            Self::LockChanged => "ask the provider which lock this order was made from",
            Self::WalletLate => "ask the provider why no address was made",
            Self::PaymentStuck => "look the transfer up on the chain, and ask the provider",
            Self::Overdue => "ask the provider for the outcome; the order goes on listening",
            Self::UnknownStatus => {
                "find out what the status means, and add it to the configuration"
            }
            Self::ProviderLostOrder => "check the API key and environment, then ask the provider",
            Self::FundsOnFailed => "agree with the provider on a refund, then acknowledge",
            Self::LateFunds => {
                "agree with the provider on a refund or a new order, then acknowledge"
            }
            Self::Reversed => "stop what the executed order released, then acknowledge",
            Self::Corrected => "mend what the first outcome led to, then acknowledge",
            Self::AdoptionRefused => "check the provider order id; it was made from another lock",
            Self::ExposurePossible => {
                "find out (your own records, the provider) whether an order was made from this lock after the backup: adopt it if so, resolve as `no_provider_order` if not"
            }
            Self::UnreadSinceRestore => {
                "nothing: it is read from the provider as soon as that answers, and its address withheld until then"
            }
            Self::Rebuilt => {
                "the address is withheld; find out from your own records whose order this is, then acknowledge"
            }
            Self::RelockLate => {
                "ask the provider why it takes no lock, or cancel; it goes on trying until the time that was allowed is over"
            }
            Self::ExecutedAmount => {
                "compare with the credit; agree with the provider on the difference, then acknowledge"
            }
        }
    }

    /// Whether the payer must not be shown an address while this is open.
    #[must_use]
    pub const fn withholds_address(self) -> bool {
        match self {
            Self::TermsMismatch
            | Self::LockChanged
            | Self::SecondProviderOrder
            | Self::UnreadSinceRestore
            | Self::Rebuilt => true,
            Self::UnknownCreate
            | Self::CreateRefused
            | Self::UnexpectedProviderOrder
            | Self::AddressChanged
            | Self::WalletLate
            | Self::PaymentStuck
            | Self::Overdue
            | Self::UnknownStatus
            | Self::ProviderLostOrder
            | Self::FundsOnFailed
            | Self::LateFunds
            | Self::Reversed
            | Self::Corrected
            | Self::AdoptionRefused
            | Self::ExposurePossible
            | Self::RelockLate
            | Self::ExecutedAmount => false,
        }
    }
}
