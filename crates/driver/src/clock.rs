//! Time: what the wall says, and how to wait for it.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use orderkeep_core::Timestamp;
use tokio::time::Instant;

/// The wall clock that deadlines are measured by.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// How long a wait may be before the clock is looked at again, since it can be set while somebody waits.
    fn look_again_after(&self) -> Duration {
        Duration::from_secs(1)
    }
}

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock that follows tokio's time, so that tests can pause and advance it.
#[derive(Debug, Clone, Copy)]
pub struct TokioClock {
    base: Timestamp,
    started: Instant,
}

impl TokioClock {
    /// Shows `base` now.
    #[must_use]
    pub fn starting_at(base: Timestamp) -> Self {
        Self { base, started: Instant::now() }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        self.base.plus(self.started.elapsed())
    }
}

/// Waits until the clock shows `at`, or for a while: a wall clock can jump, so a long wait is checked again.
pub(crate) async fn sleep_towards(clock: &dyn Clock, at: Option<Timestamp>) {
    let longest = clock.look_again_after();
    let wait = at.map_or(longest, |at| at.since(clock.now()).min(longest));
    tokio::time::sleep(wait).await;
}
