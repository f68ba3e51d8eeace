//! When a delivery that failed is tried again: the schedule that the Standard Webhooks specification suggests, about
//! three days in all.

use std::time::Duration;

use orderkeep_driver::Entropy;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The waits after the first attempt, the second, ...
const WAITS: [Duration; 9] = [
    seconds(5),
    seconds(5 * 60),
    seconds(30 * 60),
    seconds(2 * 60 * 60),
    seconds(5 * 60 * 60),
    seconds(10 * 60 * 60),
    seconds(14 * 60 * 60),
    seconds(20 * 60 * 60),
    seconds(24 * 60 * 60),
];

/// A receiver may ask for a longer wait, within reason.
pub(crate) const RETRY_AFTER_MAX: Duration = seconds(24 * 60 * 60);

/// How long to wait after this attempt (the first is 1); `None`: it was the last one.
pub(crate) fn wait(
    attempt: u32,
    retry_after: Option<Duration>,
    entropy: &dyn Entropy,
) -> Option<Duration> {
    let planned = *WAITS.get(usize::try_from(attempt).ok()?.checked_sub(1)?)?;
    // Up to a fifth more, so that what failed together does not come back together.
    let planned = planned + entropy.jitter(planned / 5);
    Some(retry_after.map_or(planned, |asked| planned.max(asked.min(RETRY_AFTER_MAX))))
}

#[cfg(test)]
mod tests {
    use orderkeep_driver::SeededEntropy;

    use super::*;

    #[test]
    fn nine_waits_over_about_three_days_and_then_no_more() {
        let entropy = SeededEntropy::new(1);
        let waits: Vec<_> = (1..).map_while(|attempt| wait(attempt, None, &entropy)).collect();
        assert_eq!(waits.len(), 9);
        let days = waits.iter().sum::<Duration>().as_secs_f64() / 86_400.0;
        assert!((3.1..=3.8).contains(&days), "{days}");
        for (wait, planned) in waits.iter().zip(WAITS) {
            assert!((planned..=planned + planned / 5).contains(wait));
        }
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_but_neither_for_less_nor_for_ever() {
        let entropy = SeededEntropy::new(1);
        let asked = |asked| wait(2, Some(asked), &entropy);
        assert_eq!(asked(seconds(3_600)), Some(seconds(3_600)));
        assert!(asked(seconds(1)) >= Some(seconds(300)));
        assert_eq!(asked(Duration::MAX), Some(RETRY_AFTER_MAX));
    }
}
