//! Time: the true one, which goes on while the engine is down, and the engine's clock, which can be set.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use orderkeep_core::Timestamp;
use orderkeep_driver::Clock;
use tokio::time::Instant;

use crate::plan::Millis;

/// 2026-03-01T12:00:00Z, when every run starts.
pub(crate) const START_MS: Millis = 1_772_366_400_000;

/// The engine's clock, over the true time.
#[derive(Debug)]
pub(crate) struct Time {
    /// Microseconds since the start of the run, when the present runtime started.
    base: AtomicI64,
    started: Mutex<Option<Instant>>,
    /// How far the engine's clock is ahead, microseconds.
    skew: AtomicI64,
    look_again_after: Duration,
}

impl Time {
    /// `jumps`: whether the engine's clock will be set.
    pub(crate) fn new(jumps: bool) -> Self {
        Self {
            base: AtomicI64::new(0),
            started: Mutex::new(None),
            skew: AtomicI64::new(0),
            look_again_after: Duration::from_secs(if jumps { 5 } else { 600 }),
        }
    }

    /// Microseconds since the start of the run.
    pub(crate) fn micros(&self) -> i64 {
        let started = *self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let ran = started.map_or(Duration::ZERO, |started| started.elapsed());
        self.base.load(Ordering::Relaxed) + i64::try_from(ran.as_micros()).unwrap_or(i64::MAX / 4)
    }

    /// Milliseconds since the start of the run.
    pub(crate) fn millis(&self) -> Millis {
        self.micros() / 1_000
    }

    /// From now on the runtime's time passes.
    pub(crate) fn enter(&self) {
        *self.started.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// The runtime ends.
    pub(crate) fn leave(&self) {
        let now = self.micros();
        *self.started.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.base.store(now, Ordering::Relaxed);
    }

    /// Lets time pass without a runtime.
    pub(crate) fn pass_to(&self, millis: Millis) {
        self.base.fetch_max(millis * 1_000, Ordering::Relaxed);
    }

    /// The runtime's instant of a time of the run; now, if that is past.
    pub(crate) fn instant(&self, millis: Millis) -> Instant {
        let ahead = millis * 1_000 - self.micros();
        Instant::now() + Duration::from_micros(u64::try_from(ahead).unwrap_or(0))
    }

    pub(crate) fn set_skew(&self, millis: Millis) {
        self.skew.store(millis * 1_000, Ordering::Relaxed);
    }

    pub(crate) fn skew_millis(&self) -> Millis {
        self.skew.load(Ordering::Relaxed) / 1_000
    }
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        let micros = self.micros() + self.skew.load(Ordering::Relaxed);
        Timestamp::from_micros(START_MS * 1_000 + micros)
    }

    fn look_again_after(&self) -> Duration {
        self.look_again_after
    }
}
