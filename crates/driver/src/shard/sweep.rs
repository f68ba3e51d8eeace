//! Every order that has not ended is looked at again, and not later than its state says: checked at the start, and when
//! the clock was set back, since what was put off by a clock that was ahead would sleep until then.
//!
//! The check reads every open order, so it goes slowly: what is due costs by what is due, and a start over a million
//! orders does not fill memory with them.

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Duration};

use orderkeep_core::Timestamp;
use orderkeep_store::{EntityId, Label, ListQuery};

use super::{Job, Shard, What};
use crate::{EngineError, records};

/// Orders looked at at once.
const PAGE: usize = 256;
/// The pause after them: a million orders take some seven minutes.
const PAUSE: Duration = Duration::from_millis(100);
/// A clock that goes back by less does no harm.
const TOLERATED: Duration = Duration::from_secs(5);

/// How far the check has come.
#[derive(Debug)]
pub(super) struct Sweep {
    state: State,
    /// Not before this.
    next_at: Timestamp,
    latest: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Done,
    /// The next orders are those below this one.
    Below(Option<EntityId>),
}

impl Sweep {
    pub(super) const fn new() -> Self {
        let start = Timestamp::from_micros(i64::MIN);
        Self { state: State::Below(None), next_at: start, latest: start }
    }

    /// When there is more to check; `None`: all is checked.
    pub(super) fn next(&self) -> Option<Timestamp> {
        (self.state != State::Done).then_some(self.next_at)
    }

    /// Begins again if the clock was set back.
    pub(super) fn see(&mut self, now: Timestamp) {
        if self.latest.since(now) > TOLERATED {
            tracing::warn!(from = %self.latest, to = %now, "the clock was set back");
            self.state = State::Below(None);
            self.next_at = now;
            self.latest = now;
        }
        self.latest = self.latest.max(now);
    }
}

impl Shard {
    /// Checks the next few open orders, if it is time to.
    pub(super) async fn sweep(&mut self, now: Timestamp) -> Result<(), EngineError> {
        let State::Below(before) = self.sweep.state else { return Ok(()) };
        if now < self.sweep.next_at {
            return Ok(());
        }
        self.sweep.next_at = now.plus(PAUSE);
        let label = Some(Label::from(records::OPEN));
        let query = ListQuery { kind: records::ORDER, label, before, limit: PAGE };
        let page = self.parts.store.list(query).await?;
        self.sweep.state = match page.last() {
            Some(last) if page.len() == PAGE => State::Below(Some(last.id)),
            Some(_) | None => State::Done,
        };
        let done = self.sweep.state == State::Done;
        self.parts.counters.checked.store(done, Ordering::Relaxed);
        // An earlier wake-up may have been chosen at the longest polls.
        let accounts = self.parts.accounts.iter();
        let slowest: BTreeMap<_, _> =
            accounts.map(|(id, account)| (id.clone(), account.conditions.slowest())).collect();
        for entity in &page {
            // One that cannot be read is reported whenever it is due; the others go on.
            let Ok(loaded) = records::read(entity) else { continue };
            let latest = loaded
                .order
                .wake_up(
                    now,
                    slowest.get(&loaded.order.account).unwrap_or(&self.parts.config.policy),
                )
                .map(|wake_up| wake_up.at.max(now).plus(wake_up.spread).plus(TOLERATED));
            let late = loaded.wake_up.is_none() || loaded.wake_up > latest;
            if late && latest.is_some() {
                tracing::warn!(order_id = %loaded.order.id, wake_up = ?loaded.wake_up, "its wake-up is missing or too late, and is moved");
                self.enqueue(loaded.order.id, Job::new(What::Move));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_begins_the_check_again() {
        let noon = Timestamp::from_millis(1_772_366_400_000);
        for (back, again) in [(0, false), (1, false), (5, false), (6, true), (3_600, true)] {
            let mut sweep = Sweep::new();
            sweep.see(noon);
            sweep.state = State::Done;
            let now = noon.minus(Duration::from_secs(back));
            sweep.see(now);
            assert_eq!(sweep.next(), again.then_some(now), "{back}");
            // Once is enough: it goes on from there.
            sweep.state = State::Done;
            sweep.see(now.plus(Duration::from_secs(1)));
            assert_eq!(sweep.next(), None, "{back}");
        }
    }
}
