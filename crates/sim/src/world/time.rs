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

/// A moment of the run, and how far the engine's clock was ahead in it; milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) at: Millis,
    pub(crate) ahead: Millis,
}

/// The engine's clock, over the true time.
#[derive(Debug)]
pub(crate) struct Time {
    /// Microseconds since the start of the run, when the present runtime started.
    base: AtomicI64,
    started: Mutex<Option<Instant>>,
    /// How far the engine's clock is ahead, microseconds.
    skew: AtomicI64,
    /// How far it was ahead, from when on, since it was first set; milliseconds.
    settings: Mutex<Vec<(Millis, Millis)>>,
    look_again_after: Duration,
}

impl Time {
    /// `jumps`: whether the engine's clock will be set.
    pub(crate) fn new(jumps: bool) -> Self {
        Self {
            base: AtomicI64::new(0),
            started: Mutex::new(None),
            skew: AtomicI64::new(0),
            settings: Mutex::new(vec![(Millis::MIN / 2, 0)]),
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
        let now = self.millis();
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).push((now, millis));
    }

    /// When the engine's clock can have shown this, in milliseconds since the start of the run. More than once, if it was
    /// set back.
    pub(crate) fn moments(&self, shown: Millis) -> Vec<Moment> {
        let settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = settings.iter().skip(1).map(|(from, _)| *from).chain([Millis::MAX]);
        let moments = settings.iter().zip(ends).filter_map(|((from, ahead), end)| {
            let at = shown - ahead;
            // Both ends are cut to whole milliseconds.
            (*from <= at + 1 && at - 1 <= end).then_some(Moment { at, ahead: *ahead })
        });
        moments.collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_shows_a_time_twice() {
        let time = Time::new(true);
        assert_eq!(time.moments(7_000), [Moment { at: 7_000, ahead: 0 }]);
        time.pass_to(10_000);
        time.set_skew(-5_000);
        assert_eq!(
            time.moments(7_000),
            [Moment { at: 7_000, ahead: 0 }, Moment { at: 12_000, ahead: -5_000 }]
        );
        time.pass_to(20_000);
        time.set_skew(60_000);
        assert_eq!(time.moments(30_000), []);
        assert_eq!(time.moments(90_000), [Moment { at: 30_000, ahead: 60_000 }]);
    }
}
