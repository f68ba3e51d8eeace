//! Everything that can move an order.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    AccountId, AnswerClass, Author, IdempotencyKey, LockId, Metadata, Observation, ProviderOrderId,
    Relock, ReviewReason, Terms, Timestamp,
};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "most inputs are observations, and none is kept for long"
)]
pub enum Input {
    /// Somebody asks for something.
    Command(Command),
    /// A step of the create.
    Create(CreateInput),
    /// The provider said something.
    Observed(Observation),
    /// The provider says that it has no such order.
    NotFound {
        /// Which one was asked for.
        provider_order: ProviderOrderId,
        /// When the read started.
        read_started_at: Timestamp,
    },
    /// Time passed, and a wake-up is due.
    Woken,
    /// The store that holds this order is an older copy: what happened in the life before, after the copy was made, is
    /// not known. Given once per order and life, before anything else.
    Restored {
        /// The life of the store that begins with the copy.
        incarnation: Uuid,
    },
}

/// What somebody can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The same submit again.
    Submit(Box<Submit>),
    /// End it if nothing was sent; otherwise a wish.
    Cancel {
        /// Who.
        author: Author,
        /// Why, in words.
        reason: Option<String>,
    },
    /// Settle what a person was asked.
    Resolve {
        /// Who.
        author: Author,
        /// How.
        resolution: Resolution,
        /// Why, in words.
        note: String,
    },
    /// This order at the provider is ours; it is read and must carry our lock.
    Adopt {
        /// Who.
        author: Author,
        /// Which one.
        provider_order: ProviderOrderId,
        /// Why, in words.
        reason: Option<String>,
    },
    /// Do now what is due later. Never posts an unknown create again.
    Retry {
        /// Who.
        author: Author,
        /// Why, in words.
        reason: Option<String>,
    },
    /// Post a create again whose outcome is unknown, knowing that it may make a second order.
    PostAgain {
        /// Who.
        author: Author,
        /// That they know.
        acknowledged: SecondOrderAcknowledged,
        /// Why, in words.
        reason: Option<String>,
    },
    /// Write something into the history.
    Note {
        /// Who.
        author: Author,
        /// What.
        text: String,
    },
}

impl Command {
    /// Who asks, and why; `None` for a submit, which is a service's.
    #[must_use]
    pub fn asked_by(&self) -> Option<(&Author, Option<&str>)> {
        match self {
            Self::Submit(_) => None,
            Self::Cancel { author, reason }
            | Self::Adopt { author, reason, .. }
            | Self::Retry { author, reason }
            | Self::PostAgain { author, reason, .. } => Some((author, reason.as_deref())),
            // What they say stands in the event itself.
            Self::Resolve { author, .. } | Self::Note { author, .. } => Some((author, None)),
        }
    }
}

/// How a person settles a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Seen and dealt with; `None`: all open reasons.
    Acknowledge(Option<ReviewReason>),
    /// The provider was asked, and has no order for this lock: an unknown create ends as failed, without funds.
    NoProviderOrder,
}

/// Says that a second order may come of it, naming the lock, so that it cannot be given by habit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondOrderAcknowledged {
    /// The lock that may get a second order.
    pub lock_id: LockId,
}

/// A new order, as its caller wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submit {
    /// Whose credential.
    pub account: AccountId,
    /// The caller's own key: the same key is the same order.
    pub key: IdempotencyKey,
    /// The lock's terms.
    pub terms: Terms,
    /// The caller's own word for the order, kept and shown.
    pub reference: Option<String>,
    /// At what price a fresh lock may take the place of one that ended; `None`: never.
    pub relock: Option<Relock>,
    /// What else the caller hangs on the order, kept and shown.
    pub metadata: Metadata,
}

/// A step of the create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateInput {
    /// The request budget has room: intend the create now.
    Permit,
    /// The call came back.
    Answered {
        /// Which attempt.
        attempt: u32,
        /// With what.
        answer: CreateAnswer,
    },
    /// Nobody waits for the answer any more: the process that sent it is gone.
    Interrupted {
        /// Which attempt.
        attempt: u32,
    },
    /// A fresh lock was taken in place of one that ended.
    Locked {
        /// What it promises.
        terms: Box<Terms>,
    },
    /// The provider refuses to lock at all.
    LockRefused {
        /// Why.
        why: String,
    },
}

/// What came of posting a create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreateAnswer {
    /// Made.
    Accepted {
        /// The provider's name of it.
        provider_order: ProviderOrderId,
    },
    /// No byte of the request was written.
    NotSent {
        /// Why.
        why: String,
    },
    /// Anything else.
    Refused {
        /// What kind of answer.
        class: AnswerClass,
        /// The provider's error code.
        code: Option<String>,
        /// In words.
        why: String,
        /// How long the provider asked to wait.
        retry_after: Option<std::time::Duration>,
    },
}

impl Input {
    /// The word for it, as the table and the metrics name it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Command(command) => match command {
                Command::Submit(_) => "submit",
                Command::Cancel { .. } => "cancel",
                Command::Resolve { .. } => "resolve",
                Command::Adopt { .. } => "adopt",
                Command::Retry { .. } => "retry",
                Command::PostAgain { .. } => "post_again",
                Command::Note { .. } => "note",
            },
            Self::Create(step) => match step {
                CreateInput::Permit => "create_permit",
                CreateInput::Answered { .. } => "create_answered",
                CreateInput::Interrupted { .. } => "create_interrupted",
                CreateInput::Locked { .. } => "create_locked",
                CreateInput::LockRefused { .. } => "create_lock_refused",
            },
            Self::Observed(_) => "observed",
            Self::NotFound { .. } => "not_found",
            Self::Woken => "woken",
            Self::Restored { .. } => "restored",
        }
    }
}
