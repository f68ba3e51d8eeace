//! What the engine counts and shows about itself. Counters begin at zero with each start.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use orderkeep_core::StateName;

use crate::{GateState, Pace, Restore};

/// Counters of one engine.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) webhooks_taken: AtomicU64,
    pub(crate) webhooks_refused: AtomicU64,
    pub(crate) webhooks_other_kind: AtomicU64,
    pub(crate) webhooks_duplicate: AtomicU64,
    pub(crate) creates_sent: AtomicU64,
    pub(crate) reads: AtomicU64,
    pub(crate) read_failures: AtomicU64,
    pub(crate) steps: AtomicU64,
    pub(crate) quarantined: AtomicU64,
    /// See [`Status::checked`].
    pub(crate) checked: AtomicBool,
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// How the engine is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// Why the engine has halted, if it has.
    pub halted: Option<String>,
    /// Why new orders are refused, if the disk is full.
    pub full: Option<String>,
    /// How many orders are in each state.
    pub orders: BTreeMap<StateName, u64>,
    /// How many orders have not ended.
    pub open: u64,
    /// How many orders need a person.
    pub review: u64,
    /// Whether the check of every open order's wake-up, which goes slowly beside the work, has come to its end.
    pub checked: bool,
    /// That the store began as an older copy, and whether the hold stands; `None`: it did not.
    pub restore: Option<Restore>,
    /// Webhooks that wait to be worked off, parked ones included.
    pub inbox: u64,
    /// Each account and its provider.
    pub accounts: BTreeMap<String, AccountStatus>,
    /// Webhooks taken in since the start.
    pub webhooks_taken: u64,
    /// Webhooks refused since the start: no token, too large, malformed.
    pub webhooks_refused: u64,
    /// Webhooks that are not about orders.
    pub webhooks_other_kind: u64,
    /// Webhooks that said nothing new.
    pub webhooks_duplicate: u64,
    /// Creates sent since the start.
    pub creates_sent: u64,
    /// Reads of provider orders since the start.
    pub reads: u64,
    /// Reads that brought no answer.
    pub read_failures: u64,
    /// Steps made durable since the start.
    pub steps: u64,
    /// Inputs that could not be worked with.
    pub quarantined: u64,
}

/// How an account's provider is, as its calls show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStatus {
    /// Whether calls go out.
    pub gate: GateState,
    /// Calls that wait for the budget.
    pub waiting: usize,
    /// How far the provider's clock is ahead of ours, in milliseconds; good to about a second. `None`: not known yet.
    pub clock_ahead_ms: Option<i64>,
    /// How late webhooks typically are just now. `None`: not known yet.
    pub webhooks_late: Option<Duration>,
    /// How often orders are read just now, compared with what is configured.
    pub polling: Pace,
}
