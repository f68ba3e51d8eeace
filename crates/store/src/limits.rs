//! How large things may be. Every bound is refused cleanly, before anything is written.

/// Events in one commit: a step of a lifecycle makes a handful.
pub const EVENTS: usize = 64;

/// New claims in one commit.
pub const CLAIMS: usize = 16;

/// Inbox items that one commit works off.
pub const INBOX_DONE: usize = 64;

/// Everything in one commit together: events, view, labels, claims. A decoded record is at most twice that.
pub const ENTRY_BYTES: usize = 512 * 1024;

/// The body of an inbox item.
pub const INBOX_BODY_BYTES: usize = 64 * 1024;

/// The account of an inbox item.
pub const ACCOUNT_BYTES: usize = 256;

/// The disposition of a finished inbox item, or the reason of a parked one.
pub const NOTE_BYTES: usize = 1024;

/// Entities in one answer of `list`, and the cap of every other page.
pub const PAGE: usize = 1_000;
