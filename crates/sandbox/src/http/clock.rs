//! The one place where wall time becomes provider time. No delay anywhere else knows the factor.

use std::time::Duration;

use tokio::time::Instant;

use crate::{config::TimestampView, stamp::Stamps};

/// Longest sleep asked of a timer; whoever sleeps looks again after it.
const SLEEP_MAX: Duration = Duration::from_secs(3_600);

#[derive(Debug)]
pub(crate) struct Clock {
    origin: Instant,
    /// Both clocks' time at the origin, milliseconds since 1970.
    origin_ms: i64,
    factor: u32,
    advanced_ms: i64,
    view: TimestampView,
}

impl Clock {
    pub(crate) const fn new(
        origin: Instant,
        origin_ms: i64,
        factor: u32,
        view: TimestampView,
    ) -> Self {
        Self { origin, origin_ms, factor, advanced_ms: 0, view }
    }

    /// Provider milliseconds at a moment of the wall.
    pub(crate) fn at(&self, moment: Instant) -> i64 {
        let run_us = moment.saturating_duration_since(self.origin).as_micros();
        let provider_ms = run_us.saturating_mul(u128::from(self.factor)) / 1_000;
        self.origin_ms
            .saturating_add(i64::try_from(provider_ms).unwrap_or(i64::MAX))
            .saturating_add(self.advanced_ms)
    }

    /// How long the wall takes from a moment to a provider time; never too short, and capped.
    pub(crate) fn until(&self, moment: Instant, provider_ms: i64) -> Duration {
        self.wall(provider_ms.saturating_sub(self.at(moment)))
    }

    /// How long the wall takes for so many provider milliseconds; never too short, and capped.
    pub(crate) fn wall(&self, provider_ms: i64) -> Duration {
        let us = u64::try_from(provider_ms).unwrap_or(0).saturating_mul(1_000);
        Duration::from_micros(us.div_ceil(u64::from(self.factor))).min(SLEEP_MAX)
    }

    /// Moves provider time forward by hand.
    pub(crate) const fn advance(&mut self, ms: i64) {
        self.advanced_ms = self.advanced_ms.saturating_add(ms);
    }

    pub(crate) const fn stamps(&self) -> Stamps {
        match self.view {
            TimestampView::Provider => Stamps::Provider,
            TimestampView::Wall => Stamps::Wall {
                origin_ms: self.origin_ms,
                factor: self.factor,
                advanced_ms: self.advanced_ms,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_time_runs_by_the_factor_and_jumps_by_hand() {
        let origin = Instant::now();
        let mut clock = Clock::new(origin, 1_000_000, 60, TimestampView::Wall);
        assert_eq!(clock.at(origin), 1_000_000);
        assert_eq!(clock.at(origin + Duration::from_millis(1_500)), 1_090_000);
        clock.advance(5_000);
        assert_eq!(clock.at(origin + Duration::from_millis(1_500)), 1_095_000);
        assert_eq!(
            clock.stamps(),
            Stamps::Wall { origin_ms: 1_000_000, factor: 60, advanced_ms: 5_000 }
        );
    }

    #[test]
    fn a_wait_is_never_too_short() {
        let origin = Instant::now();
        let clock = Clock::new(origin, 0, 7, TimestampView::Provider);
        for target in [1_i64, 6, 7, 8, 999, 40_000] {
            let waited = clock.until(origin, target);
            assert!(clock.at(origin + waited) >= target, "{target}");
            assert!(clock.at(origin + waited) <= target + 1, "{target}");
        }
        assert_eq!(clock.until(origin, -5), Duration::ZERO);
        assert_eq!(clock.until(origin, i64::MAX), SLEEP_MAX);
    }
}
