//! What can go wrong when endpoints are managed.

use orderkeep_driver::{EngineError, codec::CodecError};
use orderkeep_store::{CommitError, ReadError};

use crate::EndpointId;

/// Why it was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// There is no such endpoint.
    #[error("there is no webhook endpoint {0}")]
    NoEndpoint(EndpointId),
    /// What was asked cannot be.
    #[error("`{field}`: {why}")]
    Invalid {
        /// Which field, as callers write it.
        field: &'static str,
        /// Why it cannot be.
        why: String,
    },
    /// The endpoint that the configuration makes is changed there.
    #[error("this endpoint is made by the configuration: change `webhooks.forward_url`")]
    Configured,
    /// As many endpoints as there may be.
    #[error("there are {0} webhook endpoints already, as many as there may be: delete one first")]
    TooMany(usize),
    /// There is nothing to send with.
    #[error("{0}")]
    Client(String),
    /// There is no such event.
    #[error("there is no event {0}")]
    NoEvent(String),
    /// The engine cannot.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<CommitError> for OutboxError {
    fn from(error: CommitError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<ReadError> for OutboxError {
    fn from(error: ReadError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<CodecError> for OutboxError {
    fn from(error: CodecError) -> Self {
        EngineError::from(error).into()
    }
}

impl OutboxError {
    pub(crate) fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { field, why: why.into() }
    }
}
