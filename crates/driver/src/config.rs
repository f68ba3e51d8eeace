//! How an engine runs. What it decides about orders is the [`Policy`].

use std::{ops::RangeInclusive, time::Duration};

use orderkeep_core::Policy;
use orderkeep_store::limits;

use crate::StartError;

/// How an engine runs.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// What it decides about orders.
    pub policy: Policy,
    /// What it may ask of the provider, per account.
    pub budget: Budget,
    /// A webhook for an order that is not ours is kept this long.
    pub parked_for: Duration,
    /// More waiting webhooks than this, and new ones are refused, to be delivered again later.
    pub inbox_max: u64,
    /// A webhook body is at most this long.
    pub webhook_bytes_max: usize,
    /// Whether the provider's webhooks that are not about orders are kept, to be passed on.
    pub keep_other_webhooks: bool,
    /// A shutdown waits this long for calls on their way.
    pub shutdown_grace: Duration,
}

/// What may be asked of the provider, shared by all orders of an account.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Calls per second, on average. (assumed: the provider's limits were not seen)
    pub per_second: f64,
    /// Calls at once after a pause.
    pub burst: u32,
    /// Calls on their way at the same time.
    pub concurrent: usize,
    /// So many failures in a row, and the provider counts as down.
    pub failures_to_open: u32,
    /// How long to wait then before one call tries again: first and longest.
    pub open_for: (Duration, Duration),
    /// How long to wait after the credential was refused.
    pub denied_for: Duration,
}

impl EngineConfig {
    /// Names a setting that no engine could run with, so that it is not found later by a task that dies of it.
    ///
    /// # Errors
    /// [`StartError::Setting`].
    pub fn check(&self) -> Result<(), StartError> {
        /// No wait is longer; far below where a point in time would overflow.
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        /// From a call in a quarter of an hour to more than any provider takes.
        const RATES: RangeInclusive<f64> = 0.001..=100_000.0;
        let setting = |setting, why| Err(StartError::Setting { setting, why });
        let budget = &self.budget;
        if !RATES.contains(&budget.per_second) {
            return setting("budget.per_second", "it must be from 0.001 to 100,000");
        }
        if budget.concurrent == 0 || budget.burst == 0 {
            return setting("budget", "`concurrent` and `burst` must be at least 1");
        }
        if budget.burst > 100_000 {
            return setting("budget.burst", "it must be at most 100,000");
        }
        if budget.failures_to_open == 0 {
            return setting("budget.failures_to_open", "it must be at least 1");
        }
        if budget.open_for.0.is_zero() || budget.open_for.1 > DAY {
            return setting("budget.open_for", "it must be more than nothing and at most a day");
        }
        if budget.denied_for.is_zero() || budget.denied_for > DAY {
            return setting("budget.denied_for", "it must be more than nothing and at most a day");
        }
        if self.shutdown_grace > DAY {
            return setting("shutdown_grace", "it must be at most a day");
        }
        if self.webhook_bytes_max > limits::INBOX_BODY_BYTES {
            return setting("webhook_bytes_max", "it must be at most 64 KiB, what the store takes");
        }
        Ok(())
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            budget: Budget::default(),
            parked_for: Duration::from_secs(3 * 24 * 60 * 60),
            inbox_max: 100_000,
            webhook_bytes_max: 64 * 1024,
            keep_other_webhooks: false,
            shutdown_grace: Duration::from_secs(10),
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            per_second: 20.0,
            burst: 20,
            concurrent: 16,
            failures_to_open: 8,
            open_for: (Duration::from_secs(1), Duration::from_secs(30)),
            denied_for: Duration::from_secs(60),
        }
    }
}
