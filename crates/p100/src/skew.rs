//! How far the provider's clock is from this machine's: its answers say what time it is there.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use orderkeep_provider::ClockSkew;

/// So many answers are remembered; the middle one counts, so that a few odd dates change nothing.
const KEPT: usize = 15;
/// Fewer say nothing.
const ENOUGH: usize = 3;
/// An answer that took longer does not tell when its date was written.
const SLOWEST: Duration = Duration::from_secs(5);
/// A date is cut to whole seconds: on average half of one is missing.
const CUT_MS: i64 = 500;

/// The estimate, by the last answers that carried a `Date`.
#[derive(Debug, Default)]
pub(crate) struct Skew {
    ahead_ms: Mutex<VecDeque<i64>>,
    middle_ms: AtomicI64,
    samples: AtomicU32,
}

impl Skew {
    /// Takes in the date of an answer to a request that was sent then, and took so long.
    pub(crate) fn take_in(&self, date: Timestamp, sent_at: Timestamp, took: Duration) {
        if took > SLOWEST {
            return;
        }
        let half = i64::try_from(took.as_millis() / 2).unwrap_or_default();
        let written = sent_at.as_millisecond().saturating_add(half);
        let ahead = date.as_millisecond().saturating_add(CUT_MS).saturating_sub(written);
        let mut kept = self.ahead_ms.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(ahead);
        let mut sorted: Vec<i64> = kept.iter().copied().collect();
        sorted.sort_unstable();
        if let Some(middle) = sorted.get(sorted.len() / 2) {
            self.middle_ms.store(*middle, Ordering::Relaxed);
        }
        self.samples.store(u32::try_from(sorted.len()).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    /// The estimate; `None` until there are enough answers.
    pub(crate) fn estimate(&self) -> Option<ClockSkew> {
        let samples = self.samples.load(Ordering::Relaxed);
        (samples as usize >= ENOUGH)
            .then(|| ClockSkew { ahead_ms: self.middle_ms.load(Ordering::Relaxed), samples })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT_MS: i64 = 1_772_366_400_250;

    /// The estimate after answers whose dates were so many milliseconds ahead of the moment they were written.
    fn after(ahead: &[i64]) -> Option<i64> {
        let skew = Skew::default();
        let took = Duration::from_millis(100);
        for ahead in ahead {
            let written = SENT_MS + 50 + ahead;
            let date = Timestamp::from_second(written.div_euclid(1_000)).unwrap();
            skew.take_in(date, Timestamp::from_millisecond(SENT_MS).unwrap(), took);
        }
        skew.estimate().map(|skew| skew.ahead_ms)
    }

    #[test]
    fn the_middle_of_a_few_answers_counts() {
        assert_eq!(after(&[0, 0]), None);
        for ahead in [-90_000, -3_000, 0, 3_000, 90_000] {
            let estimate = after(&[ahead; 5]).unwrap();
            assert!((estimate - ahead).abs() <= 500, "{ahead}: {estimate}");
        }
    }

    #[test]
    fn a_few_odd_dates_and_slow_answers_change_nothing() {
        let estimate = after(&[0, 0, 86_400_000, 0, -86_400_000, 0, 86_400_000]).unwrap();
        assert!(estimate.abs() <= 500, "{estimate}");
        let skew = Skew::default();
        let sent = Timestamp::from_millisecond(SENT_MS).unwrap();
        for _ in 0..5 {
            skew.take_in(Timestamp::from_second(0).unwrap(), sent, SLOWEST * 2);
        }
        assert_eq!(skew.estimate(), None);
    }

    #[test]
    fn a_clock_that_was_set_is_found_out_within_the_answers_that_are_kept() {
        let mut ahead = vec![60_000; KEPT];
        ahead.extend(vec![0; KEPT / 2 + 1]);
        assert!(after(&ahead).unwrap().abs() <= 500);
    }
}
