//! What can go wrong, per operation.

use orderkeep_core::{Disposition, OrderId, Refusal, terms::TermsMismatch};
use orderkeep_provider::CallError;
use orderkeep_store::{CommitError, Cursor, ReadError};

use crate::codec::CodecError;

/// The engine itself cannot do it, whatever was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// There is no such account.
    #[error("there is no account `{0}`; add it to the configuration")]
    NoAccount(String),
    /// The disk is full.
    #[error(
        "the disk is full: {0}; nothing is lost, and new orders are taken again when there is room"
    )]
    Full(String),
    /// The engine has stopped itself.
    #[error("the engine has halted: {0}; restart it: it goes on from what is on the disk")]
    Halted(String),
    /// The engine is shutting down.
    #[error("the engine is shutting down")]
    ShuttingDown,
    /// Too much is waiting already.
    #[error("too busy: {0}; try again later")]
    Busy(&'static str),
    /// The feed cannot go on from this cursor.
    #[error(
        "the cursor is from another life of this store or too old; read the orders anew, then go on from {oldest}"
    )]
    CursorGone {
        /// Where the feed starts now.
        oldest: Cursor,
    },
    /// A record cannot be read.
    #[error(transparent)]
    Record(#[from] CodecError),
    /// The store refused or could not read.
    #[error("the store: {0}")]
    Store(String),
}

impl From<CommitError> for EngineError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Full(why) => Self::Full(why),
            CommitError::Halted(why) => Self::Halted(why),
            CommitError::Closed => Self::ShuttingDown,
            other @ (CommitError::Conflict { .. }
            | CommitError::Claimed { .. }
            | CommitError::Left { .. }
            | CommitError::InboxGone(_)
            | CommitError::Invalid(_)
            | CommitError::TooLarge(_)
            | _) => Self::Store(other.to_string()),
        }
    }
}

impl From<ReadError> for EngineError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Halted(why) => Self::Halted(why),
            ReadError::Closed => Self::ShuttingDown,
            ReadError::CursorGone { oldest } => Self::CursorGone { oldest },
            other @ (ReadError::Damaged(_) | _) => Self::Store(other.to_string()),
        }
    }
}

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No store, so nothing could be kept.
    #[error("an engine needs a store; give it one with `store`")]
    NoStore,
    /// No account, so nothing could ever be done.
    #[error("an engine needs at least one account; add one with `account`")]
    NoAccount,
    /// A setting that cannot work.
    #[error("setting `{setting}`: {why}")]
    Setting {
        /// Which one.
        setting: &'static str,
        /// Why.
        why: &'static str,
    },
    /// What is stored cannot be read.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Why an order is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The terms make no sense, or are not those of the lock that this engine took.
    #[error("the terms do not fit: {0}")]
    Terms(#[from] TermsMismatch),
    /// A lock named without its terms, and not taken here.
    #[error(
        "lock `{0}` was not taken by this engine: send the provider's whole answer to it (`lockAnswer`), or take the lock here"
    )]
    UnknownLock(String),
    /// A lock answer that cannot be read.
    #[error("{0}")]
    LockAnswer(String),
    /// The same key, another order.
    #[error(
        "idempotency key `{key}` belongs to order {holder}, which was submitted with another body"
    )]
    KeyConflict {
        /// The key.
        key: String,
        /// Whose it is.
        holder: OrderId,
    },
    /// The lock belongs to another order.
    #[error("lock `{lock_id}` belongs to order {holder}: a lock makes one order")]
    LockTaken {
        /// The lock.
        lock_id: String,
        /// Whose it is.
        holder: OrderId,
    },
    /// The key's order is over and has left.
    #[error(
        "idempotency key `{0}` belongs to an order that has ended and was let go of after the retention; a new sale needs a new key"
    )]
    KeyLeft(String),
    /// The lock's order is over and has left.
    #[error(
        "lock `{0}` belongs to an order that has ended and was let go of after the retention: a lock makes one order"
    )]
    LockLeft(String),
    /// The lock that was to be taken first was not given.
    #[error("the provider: {0}")]
    Provider(CallError),
    /// The reference is too long.
    #[error("the reference is longer than {0} bytes")]
    ReferenceTooLong(usize),
    /// The engine cannot.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Why a command is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// There is no such order.
    #[error("there is no order {0}")]
    NoOrder(OrderId),
    /// The order is not at the version that the command was meant for.
    #[error("order {order} has version {version} now; read it again")]
    Moved {
        /// Which one.
        order: OrderId,
        /// Its present version.
        version: u64,
    },
    /// The lifecycle refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The input was not taken in; only for what the engine feeds itself.
    #[error("not taken in: {}", .0.describe())]
    NotTaken(Disposition),
    /// The provider did not answer well.
    #[error("the provider: {0}")]
    Provider(#[from] CallError),
    /// The engine cannot.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Why a webhook is not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// No token of ours. The body was not looked at.
    #[error("no valid webhook token")]
    Unauthorized,
    /// Too long.
    #[error("the body is longer than {0} bytes")]
    TooLarge(usize),
    /// Not a webhook of the provider.
    #[error("{0}")]
    Malformed(String),
    /// The engine cannot; the provider delivers again.
    #[error(transparent)]
    Engine(#[from] EngineError),
}
