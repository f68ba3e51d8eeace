//! How an account's provider is just now, and what the engine's policy becomes by it: the lock's margin by how far the
//! provider's clock is ahead, the polls by how late webhooks run. Both within bounds; nothing here decides about an order.
//!
//! Known only to this run of the engine: after a start the configured policy holds until calls and webhooks say more.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use orderkeep_core::{OrderId, Policy, Timestamp, policy::Polling};
use orderkeep_provider::ClockSkew;

/// What answers cannot say more precisely: their dates are whole seconds.
const UNSURE: Duration = Duration::from_secs(1);
/// A clock that is farther ahead is shown, but a lock's margin grows by no more.
const AHEAD_MAX: Duration = Duration::from_secs(30);

/// How often orders are read just now, compared with what is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// Webhooks are on time: the shortest polls are twice as long, the longest as configured.
    Relaxed,
    /// As configured: not enough is known, or webhooks are neither on time nor late.
    Usual,
    /// Webhooks are late or lost: the longest polls are half as long, the shortest as configured.
    Tight,
}

impl Pace {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Relaxed => "relaxed",
            Self::Usual => "usual",
            Self::Tight => "tight",
        }
    }

    fn of(typical: Option<Duration>) -> Self {
        const ON_TIME: Duration = Duration::from_secs(2);
        const LATE: Duration = Duration::from_secs(15);
        match typical {
            Some(typical) if typical <= ON_TIME => Self::Relaxed,
            Some(typical) if typical >= LATE => Self::Tight,
            Some(_) | None => Self::Usual,
        }
    }

    fn paced(self, polling: &Polling) -> Polling {
        let pair = |(shortest, longest): (Duration, Duration)| match self {
            Self::Relaxed => (shortest.saturating_mul(2).min(longest), longest),
            Self::Usual => (shortest, longest),
            Self::Tight => (shortest, (longest / 2).max(shortest)),
        };
        Polling {
            wallet: pair(polling.wallet),
            payment: pair(polling.payment),
            confirming: pair(polling.confirming),
            // Nothing waits for what comes to light after the end.
            watch: polling.watch,
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Conditions {
    configured: Policy,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    lateness: Lateness,
    /// What `policy` was made of.
    ahead: Duration,
    pace: Pace,
    policy: Arc<Policy>,
}

impl Conditions {
    pub(crate) fn new(configured: Policy) -> Self {
        let state = State {
            lateness: Lateness::default(),
            ahead: Duration::ZERO,
            pace: Pace::Usual,
            policy: Arc::new(configured.clone()),
        };
        Self { configured, state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The policy as it is just now.
    pub(crate) fn policy(&self, skew: Option<ClockSkew>) -> Arc<Policy> {
        let mut state = self.lock();
        let (ahead, pace) = (ahead(skew), Pace::of(state.lateness.typical));
        if (ahead, pace) != (state.ahead, state.pace) {
            tracing::info!(?ahead, pace = pace.as_str(), "the provider's clock, and the polls");
            (state.ahead, state.pace) = (ahead, pace);
            state.policy = Arc::new(self.made(ahead, pace));
        }
        Arc::clone(&state.policy)
    }

    /// The policy at the longest polls that may ever be chosen.
    pub(crate) fn slowest(&self) -> Policy {
        self.made(Duration::ZERO, Pace::Relaxed)
    }

    fn made(&self, ahead: Duration, pace: Pace) -> Policy {
        let mut policy = self.configured.clone();
        policy.clock_ahead = ahead;
        policy.polling = pace.paced(&self.configured.polling);
        policy
    }

    /// How late webhooks typically are; `None` until enough have come, or failed to.
    pub(crate) fn webhooks_late(&self) -> Option<Duration> {
        self.lock().lateness.typical
    }

    pub(crate) fn pace(&self) -> Pace {
        Pace::of(self.lock().lateness.typical)
    }

    /// A read by itself found what no webhook had told.
    pub(crate) fn found_by_read(&self, id: OrderId, now: Timestamp) {
        self.lock().lateness.found_by_read(id, now);
    }

    /// A webhook told something new.
    pub(crate) fn heard_first(&self, id: OrderId, now: Timestamp) {
        self.lock().lateness.heard_first(id, now);
    }

    /// A webhook told what a read had found.
    pub(crate) fn heard_again(&self, id: OrderId, now: Timestamp) {
        self.lock().lateness.heard_again(id, now);
    }
}

/// How much sooner a lock ends by the provider's clock than by ours. A clock that is behind gives nothing.
fn ahead(skew: Option<ClockSkew>) -> Duration {
    let ahead = skew.and_then(|skew| u64::try_from(skew.ahead_ms).ok()).unwrap_or_default();
    let ahead = Duration::from_millis(ahead);
    // In whole seconds, so that what wobbles within one changes nothing.
    let whole = Duration::from_secs(ahead.as_millis().div_ceil(1_000).try_into().unwrap_or(0));
    if ahead > UNSURE { whole.min(AHEAD_MAX) } else { Duration::ZERO }
}

/// How late webhooks are, by the last ones.
#[derive(Debug, Default)]
struct Lateness {
    /// What reads found and no webhook has told yet, oldest first.
    untold: VecDeque<(Timestamp, OrderId)>,
    last: VecDeque<Duration>,
    typical: Option<Duration>,
}

impl Lateness {
    /// The provider tries a webhook for two minutes; what has not come by then counts as this late.
    const LOST: Duration = Duration::from_secs(150);
    const KEPT: usize = 31;
    const ENOUGH: usize = 8;
    const UNTOLD_MAX: usize = 1_024;

    fn found_by_read(&mut self, id: OrderId, now: Timestamp) {
        self.give_up(now);
        if self.untold.len() < Self::UNTOLD_MAX {
            self.untold.push_back((now, id));
        }
    }

    fn heard_first(&mut self, id: OrderId, now: Timestamp) {
        // What it told before is told no more.
        self.untold.retain(|(_, untold)| *untold != id);
        self.give_up(now);
        self.take_in(Duration::ZERO);
    }

    fn heard_again(&mut self, id: OrderId, now: Timestamp) {
        self.give_up(now);
        if let Some(place) = self.untold.iter().rposition(|(_, untold)| *untold == id)
            && let Some((since, _)) = self.untold.remove(place)
        {
            self.take_in(now.since(since));
        }
    }

    fn give_up(&mut self, now: Timestamp) {
        while self.untold.front().is_some_and(|(since, _)| now.since(*since) >= Self::LOST) {
            self.untold.pop_front();
            self.take_in(Self::LOST);
        }
    }

    fn take_in(&mut self, late: Duration) {
        if self.last.len() == Self::KEPT {
            self.last.pop_front();
        }
        self.last.push_back(late);
        let mut sorted: Vec<Duration> = self.last.iter().copied().collect();
        sorted.sort_unstable();
        self.typical =
            sorted.get(sorted.len() / 2).copied().filter(|_| sorted.len() >= Self::ENOUGH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_772_366_400_000 + seconds * 1_000)
    }

    fn skew(ahead_ms: i64) -> Option<ClockSkew> {
        Some(ClockSkew { ahead_ms, samples: 15 })
    }

    #[test]
    fn the_margin_grows_with_a_clock_that_is_ahead_and_only_so_far() {
        let margin = |ahead_ms| {
            let conditions = Conditions::new(Policy::default());
            conditions.policy(skew(ahead_ms)).margin().as_secs()
        };
        let cases =
            [(-60_000, 2), (0, 2), (900, 2), (1_000, 2), (1_001, 4), (4_500, 7), (3_600_000, 32)];
        for (ahead_ms, seconds) in cases {
            assert_eq!(margin(ahead_ms), seconds, "{ahead_ms}");
        }
        assert_eq!(*Conditions::new(Policy::default()).policy(None), Policy::default());
    }

    #[test]
    fn polls_follow_how_late_webhooks_are_within_what_is_configured() {
        let conditions = Conditions::new(Policy::default());
        let configured = Policy::default().polling;
        let orders: Vec<OrderId> = (0..40).map(|n| OrderId(Uuid::from_u128(n))).collect();
        for id in &orders[..7] {
            conditions.heard_first(*id, at(0));
        }
        assert_eq!(conditions.policy(None).polling, configured);
        conditions.heard_first(orders[7], at(0));
        let relaxed = conditions.policy(None).polling.clone();
        assert_eq!(relaxed.payment, (configured.payment.0 * 2, configured.payment.1));
        // Now each comes 20 s after a read had found it.
        for id in &orders[8..] {
            conditions.found_by_read(*id, at(100));
            conditions.heard_again(*id, at(120));
            // A copy says nothing more.
            conditions.heard_again(*id, at(500));
        }
        assert_eq!(conditions.webhooks_late(), Some(Duration::from_secs(20)));
        let tight = conditions.policy(None).polling.clone();
        assert_eq!(tight.payment, (configured.payment.0, configured.payment.1 / 2));
        assert_eq!(tight.watch, configured.watch);
    }

    /// The half that is late decides, and no single one.
    #[test]
    fn typical_is_the_one_in_the_middle() {
        let typical = |late: [u64; 9]| {
            let mut lateness = Lateness::default();
            late.iter().for_each(|late| lateness.take_in(Duration::from_secs(*late)));
            lateness.typical.map(|typical| typical.as_secs())
        };
        assert_eq!(typical([60, 0, 50, 0, 40, 0, 30, 0, 20]), Some(20));
        assert_eq!(typical([60, 0, 50, 0, 40, 0, 30, 0, 0]), Some(0));
    }

    #[test]
    fn webhooks_that_are_neither_on_time_nor_late_leave_the_polls_as_they_are() {
        let seconds = |n| Some(Duration::from_secs(n));
        let cases = [
            (None, Pace::Usual),
            (seconds(0), Pace::Relaxed),
            (seconds(2), Pace::Relaxed),
            (seconds(3), Pace::Usual),
            (seconds(14), Pace::Usual),
            (seconds(15), Pace::Tight),
        ];
        for (typical, pace) in cases {
            assert_eq!(Pace::of(typical), pace, "{typical:?}");
        }
    }

    #[test]
    fn the_longest_polls_that_may_be_chosen_are_those_of_what_is_configured() {
        let seconds = Duration::from_secs;
        let polling = Polling { payment: (seconds(7), seconds(70)), ..Policy::default().polling };
        let configured = Policy { polling, lock_margin: seconds(9), ..Policy::default() };
        let slowest = Conditions::new(configured).slowest();
        assert_eq!(slowest.polling.payment, (seconds(14), seconds(70)));
        assert_eq!(slowest.lock_margin, seconds(9));
    }

    /// What a webhook tells first takes the place of what its order had been found to be; other orders' is still untold.
    #[test]
    fn what_is_told_first_says_nothing_of_what_was_found_before() {
        let conditions = Conditions::new(Policy::default());
        let [told, other] = [1, 2].map(|n| OrderId(Uuid::from_u128(n)));
        conditions.found_by_read(told, at(0));
        conditions.found_by_read(other, at(5));
        conditions.heard_first(told, at(10));
        conditions.heard_again(told, at(100));
        conditions.heard_again(other, at(100));
        let late: Vec<u64> =
            conditions.lock().lateness.last.iter().map(Duration::as_secs).collect();
        assert_eq!(late, [0, 95]);
    }

    #[test]
    fn webhooks_that_never_come_count_as_lost() {
        let conditions = Conditions::new(Policy::default());
        for n in 0..9 {
            conditions.found_by_read(OrderId(Uuid::from_u128(n)), at(0));
        }
        assert_eq!(conditions.pace(), Pace::Usual);
        conditions.found_by_read(OrderId(Uuid::from_u128(9)), at(200));
        assert_eq!(conditions.pace(), Pace::Tight);
        assert_eq!(conditions.webhooks_late(), Some(Lateness::LOST));
    }
}
