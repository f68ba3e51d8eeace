//! Facts, appended. The history of an order is its events, and folds back to its state.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    AccountId, Author, Exact, FailReason, Funds, IdempotencyKey, LockId, Metadata, Observation,
    OrderId, OrderResult, ProviderOrderId, Relock, Resolution, ReviewReason, Terms, Timestamp,
    observation::Address,
};

/// One fact, when it became one, and what caused it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventRecord {
    /// When.
    pub at: Timestamp,
    /// By what.
    pub cause: Cause,
    /// What.
    pub event: Event,
}

/// What caused an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The caller's submit.
    Submit,
    /// A person's or service's command.
    Command(Author),
    /// A create of ours and its answer.
    Create,
    /// A webhook.
    Webhook,
    /// A read of ours.
    Read,
    /// Time.
    Clock,
    /// A person's or service's command, with what they gave as the reason.
    CommandFor {
        /// Who.
        author: Author,
        /// Why.
        reason: String,
    },
    /// The store was restored from an older copy.
    Restore,
}

impl Cause {
    /// Whoever commanded it.
    #[must_use]
    pub const fn author(&self) -> Option<&Author> {
        match self {
            Self::Command(author) | Self::CommandFor { author, .. } => Some(author),
            Self::Submit
            | Self::Create
            | Self::Webhook
            | Self::Read
            | Self::Clock
            | Self::Restore => None,
        }
    }

    /// The reason that was given.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::CommandFor { reason, .. } => Some(reason),
            Self::Command(_)
            | Self::Submit
            | Self::Create
            | Self::Webhook
            | Self::Read
            | Self::Clock
            | Self::Restore => None,
        }
    }
}

/// A fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The order came to be: `Locked`.
    Submitted {
        /// Ours.
        id: OrderId,
        /// Whose.
        account: AccountId,
        /// The caller's key.
        key: IdempotencyKey,
        /// The lock's terms.
        terms: Box<Terms>,
        /// The caller's own word for it.
        reference: Option<String>,
        /// What else the caller hung on it.
        metadata: Metadata,
    },
    /// A create is about to be sent.
    CreateIntended {
        /// Which attempt.
        attempt: u32,
    },
    /// It was not sent, or had certainly no effect; it may be sent again.
    CreateNotSent {
        /// Which attempt.
        attempt: u32,
        /// Why.
        why: String,
        /// When to send again.
        next_at: Timestamp,
    },
    /// It had certainly no effect, and sending again would not help.
    CreateHeld {
        /// Which attempt.
        attempt: u32,
        /// Why.
        why: String,
    },
    /// Nobody knows what came of it.
    CreateUnknown {
        /// Which attempt.
        attempt: u32,
        /// Why.
        why: String,
    },
    /// An order at the provider is this order's: `Created`, or a fact after the end.
    Bound {
        /// Which one.
        provider_order: ProviderOrderId,
        /// What proves it.
        by: BoundBy,
    },
    /// Somebody named a provider order; a read decides.
    AdoptionAsked {
        /// Which one.
        provider_order: ProviderOrderId,
    },
    /// The named provider order is not this order's.
    AdoptionRefused {
        /// Which one.
        provider_order: ProviderOrderId,
        /// Why.
        why: String,
    },
    /// A webhook claimed something that a read must confirm.
    Claimed {
        /// What.
        claim: Box<Observation>,
    },
    /// A read was taken in: the evidence of what follows in the same step.
    Read {
        /// What it said.
        seen: Box<Observation>,
    },
    /// The provider makes an address: `WaitingForWallet`.
    WalletRequested,
    /// The address is there: `AwaitingPayment`.
    WalletGiven {
        /// Where to pay.
        address: Address,
    },
    /// The provider does not find the order.
    NotFound,
    /// A second order exists for the same lock.
    SecondOrderFound {
        /// Which one.
        provider_order: ProviderOrderId,
    },
    /// Sold: `Executed`.
    Executed {
        /// How much was received.
        received: Option<Exact>,
    },
    /// Not sold: `Failed`.
    Failed {
        /// Why.
        reason: FailReason,
        /// Where the funds are.
        funds: Funds,
    },
    /// After the end: more arrived.
    LateFunds {
        /// How much in all.
        received: Exact,
    },
    /// After the end: taken back.
    Reversed,
    /// After the end: proven to have ended the other way.
    Corrected {
        /// How.
        result: OrderResult,
    },
    /// A person is needed.
    ReviewRaised {
        /// Why.
        reason: ReviewReason,
        /// In words.
        detail: String,
    },
    /// A person or evidence settled it.
    ReviewSettled {
        /// What.
        reason: ReviewReason,
        /// Who, if a person did.
        by: Option<Author>,
    },
    /// A person resolved something; what it came to follows in the same step.
    Resolved {
        /// How.
        resolution: Resolution,
        /// Why.
        note: String,
    },
    /// Somebody wants it to end, and only the provider can.
    CancelWished {
        /// Who.
        author: Author,
    },
    /// Somebody wants it done now.
    RetryAsked,
    /// Somebody had an unknown create posted again, knowing that it may make a second order.
    PostAgainAuthorised,
    /// Somebody wrote something down.
    Noted {
        /// What.
        text: String,
    },
    /// From here on the history is that of an older copy: what happened after the copy was made is not in it.
    Restored {
        /// The life of the store that begins with the copy.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = "uuid"))]
        incarnation: Uuid,
    },
    /// The caller allows a fresh lock in place of one that ended.
    RelockAllowed {
        /// At what price, and until when.
        relock: Relock,
    },
    /// The lock is over, and a fresh one is to be taken: `Locked` still.
    RelockWanted {
        /// What the order would have failed of.
        instead_of: FailReason,
    },
    /// A fresh lock took the place of the one before, which stays findable.
    Relocked {
        /// What it promises.
        terms: Box<Terms>,
    },
    /// No fresh lock; the order fails in the same step.
    RelockDeclined {
        /// Why.
        why: String,
    },
    /// After the order gave a lock up, an order of that lock was seen at the provider. It is never acted on.
    GivenUpOrderFound {
        /// Which one.
        provider_order: ProviderOrderId,
        /// Of which lock.
        lock_id: LockId,
    },
    /// The provider's clock is ahead of ours. By ours there was still time; what follows in the same step was decided by
    /// the margin that is wider by as much.
    MarginWidened {
        /// So many milliseconds.
        by_ms: u64,
    },
}

/// What proves that a provider's order is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BoundBy {
    /// The create's own answer.
    Answer,
    /// A confirmed read that carries our lock.
    Read,
}

impl Event {
    /// The words for all of them.
    pub const NAMES: [&str; 33] = [
        "submitted",
        "create_intended",
        "create_not_sent",
        "create_held",
        "create_unknown",
        "bound",
        "adoption_asked",
        "adoption_refused",
        "claimed",
        "read",
        "wallet_requested",
        "wallet_given",
        "not_found",
        "second_order_found",
        "executed",
        "failed",
        "late_funds",
        "reversed",
        "corrected",
        "review_raised",
        "review_settled",
        "resolved",
        "cancel_wished",
        "retry_asked",
        "post_again_authorised",
        "noted",
        "restored",
        "relock_allowed",
        "relock_wanted",
        "relocked",
        "relock_declined",
        "given_up_order_found",
        "margin_widened",
    ];

    /// The word for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Submitted { .. } => "submitted",
            Self::CreateIntended { .. } => "create_intended",
            Self::CreateNotSent { .. } => "create_not_sent",
            Self::CreateHeld { .. } => "create_held",
            Self::CreateUnknown { .. } => "create_unknown",
            Self::Bound { .. } => "bound",
            Self::AdoptionAsked { .. } => "adoption_asked",
            Self::AdoptionRefused { .. } => "adoption_refused",
            Self::Claimed { .. } => "claimed",
            Self::Read { .. } => "read",
            Self::WalletRequested => "wallet_requested",
            Self::WalletGiven { .. } => "wallet_given",
            Self::NotFound => "not_found",
            Self::SecondOrderFound { .. } => "second_order_found",
            Self::Executed { .. } => "executed",
            Self::Failed { .. } => "failed",
            Self::LateFunds { .. } => "late_funds",
            Self::Reversed => "reversed",
            Self::Corrected { .. } => "corrected",
            Self::ReviewRaised { .. } => "review_raised",
            Self::ReviewSettled { .. } => "review_settled",
            Self::Resolved { .. } => "resolved",
            Self::CancelWished { .. } => "cancel_wished",
            Self::RetryAsked => "retry_asked",
            Self::PostAgainAuthorised => "post_again_authorised",
            Self::Noted { .. } => "noted",
            Self::Restored { .. } => "restored",
            Self::RelockAllowed { .. } => "relock_allowed",
            Self::RelockWanted { .. } => "relock_wanted",
            Self::Relocked { .. } => "relocked",
            Self::RelockDeclined { .. } => "relock_declined",
            Self::GivenUpOrderFound { .. } => "given_up_order_found",
            Self::MarginWidened { .. } => "margin_widened",
        }
    }
}
