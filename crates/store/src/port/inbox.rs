//! What was heard from outside and is not worked off yet.
//!
//! An item lives until a commit works it off ([`InboxDone::Finished`]). A commit may also *park* it: it stays, with
//! the note of why, and is found again after a restart.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::Micros;

/// The number of an inbox item, growing in the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InboxSeq(pub u64);

/// What was heard, before it has a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInboxItem {
    /// Which account it was heard for.
    pub account: String,
    /// When it was heard.
    pub received_at: Micros,
    /// The body, as it came; at most 64 KiB.
    pub body: Bytes,
}

/// What was heard and is not worked off yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxItem {
    /// Its number.
    pub seq: InboxSeq,
    /// Which account it was heard for.
    pub account: String,
    /// When it was heard.
    pub received_at: Micros,
    /// The body, as it came.
    pub body: Bytes,
    /// Why it waits, if it was parked.
    pub parked: Option<String>,
}

/// What a commit does with an inbox item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboxDone {
    /// It is worked off: it leaves the inbox. `disposition` says how it ended (`applied`, `duplicate`, ...).
    Finished {
        /// Which item.
        seq: InboxSeq,
        /// How it ended, kept in the journal as the record of the decision.
        disposition: String,
    },
    /// It stays, parked, with a reason.
    Parked {
        /// Which item.
        seq: InboxSeq,
        /// Why.
        reason: String,
    },
}
