//! What time decides: nobody can pay any more, and the provider can be seen.

use orderkeep_core::EventRecord;
use orderkeep_sandbox::OrderEntry;

use super::verdict::is_final;
use crate::{
    plan::{Kind, Millis},
    world::{Moment, START_MS, World},
};

/// For how long an answer of the provider's shows that it can be seen, and some time for the verdict to be written.
const SEEN_FOR_MS: i64 = 61_000;

impl World {
    /// Time decided about an unknown create: at every moment at which the engine's clock can have shown what it says,
    /// there is something wrong with it.
    pub(super) fn judge_time(
        &self,
        lock: Option<&str>,
        record: &EventRecord,
        made: &[OrderEntry],
    ) -> Option<String> {
        let shown = record.at.as_micros() / 1_000 - START_MS;
        let Some(window) = self.plan.policy.provider_order_window else {
            return Some(
                "time decided, and nobody has said when nobody can pay any more".to_owned(),
            );
        };
        let ledger = self.model.ledger();
        let ends = lock.and_then(|lock| ledger.locks.get(lock)).map_or(Millis::MAX, |lock| {
            let window = i64::try_from(window.as_millis()).unwrap_or(Millis::MAX / 4);
            lock.expires_at_ms - START_MS + window
        });
        // One of its generations writes whole seconds.
        if shown < ends - 1_000 {
            return Some(format!("time decided at {shown}, and may not before {ends}"));
        }
        let wrong_at = |moment: Moment| {
            self.blind_at(moment.at).or_else(|| {
                // Where the clock is ahead, it is early, and nobody was shown where to pay.
                let open = made.iter().find(|order| !is_final(order) && moment.ahead <= 0);
                open.map(|order| format!("time decided, and {} is open", order.order_id))
            })
        };
        let wrong: Vec<_> = self.time.moments(shown).into_iter().map(wrong_at).collect();
        if wrong.contains(&None) {
            return None;
        }
        wrong
            .into_iter()
            .flatten()
            .next_back()
            .or_else(|| Some(format!("time decided at {shown}, which its clock never showed")))
    }

    /// A lock is over, by the engine's clock: not long before its end. Where that clock is set, what was measured of it
    /// widens the margin for as long as nothing else is measured, and nothing is judged.
    pub(super) fn judge_lock_time(
        &self,
        lock: Option<&str>,
        record: &EventRecord,
    ) -> Option<String> {
        /// The provider's clock is read to whole seconds, and not at once.
        const MEASURED_MS: i64 = 2_000;
        if self.plan.has(Kind::ClockJump) {
            return None;
        }
        let margin = i64::try_from(self.plan.policy.lock_margin.as_millis()).unwrap_or(i64::MAX);
        let may_from = self.model.ledger().locks.get(lock?)?.expires_at_ms - margin - MEASURED_MS;
        let shown = record.at.as_micros() / 1_000;
        let early = may_from - shown;
        (early > 0)
            .then(|| format!("its lock counts as over long before its lock ends: {early} ms"))
    }

    /// Why the engine cannot see the provider at this moment, if it cannot: not before its first answer in that life, nor
    /// after a call that failed until one is answered, nor long after its last answer.
    fn blind_at(&self, at: Millis) -> Option<String> {
        let Some(life) = self.seen.life_at(at) else {
            return Some(format!("nothing ran at {at}"));
        };
        let why = match life.last_answer_before(at) {
            None => "before the provider was seen since the start".to_owned(),
            Some(answered) if life.failed_between(answered, at) => {
                "after a call that failed, and none was answered since".to_owned()
            }
            Some(answered) if at - answered > SEEN_FOR_MS => {
                format!("{} ms after the provider was last seen", at - answered)
            }
            Some(_) => return None,
        };
        Some(format!("time decided at {at} {why}"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use orderkeep_core::{Cause, Event, Timestamp};

    use super::*;
    use crate::{
        plan::{Plan, scripts},
        world::Shared,
    };

    /// A calm day on which the first lock is taken, and the engine is 100 s old. Its lock ends after 60 s, the window 80 s
    /// later.
    fn after_the_lock() -> (Arc<Shared>, String) {
        let plan =
            scripts().into_iter().next().map(|script| Plan { faults: Vec::new(), ..script.plan });
        let shared = Shared::new(plan.unwrap(), false);
        let lock = {
            let mut world = shared.world();
            world.seen.begin_life(0);
            drop(world.pass());
            world.sales[0].lock_id().unwrap().to_owned()
        };
        shared.time.pass_to(100_000);
        (shared, lock)
    }

    fn verdict(shown: Millis) -> EventRecord {
        let at = Timestamp::from_millis(START_MS + shown);
        EventRecord { at, cause: Cause::Clock, event: Event::WalletRequested }
    }

    #[test]
    fn a_verdict_of_time_is_judged_by_lock_window_and_sight() {
        let (shared, lock) = after_the_lock();
        let mut world = shared.world();
        let judged = |world: &World, shown| world.judge_time(Some(&lock), &verdict(shown), &[]);
        assert!(judged(&world, 141_000).unwrap().contains("before the provider was seen"));
        world.seen.note(120_000, true);
        assert_eq!(judged(&world, 141_000), None);
        assert!(judged(&world, 138_000).unwrap().contains("may not before"));
        assert!(judged(&world, 182_000).unwrap().contains("after the provider was last seen"));
        world.seen.note(140_500, false);
        assert!(judged(&world, 141_000).unwrap().contains("a call that failed"));
        world.seen.note(150_000, true);
        assert_eq!(judged(&world, 151_000), None);
        world.seen.begin_life(160_000);
        assert!(judged(&world, 161_000).unwrap().contains("before the provider was seen"));
        assert_eq!(judged(&world, 151_000), None, "that was in the life before");
    }

    #[test]
    fn a_clock_that_was_set_excuses_no_blindness() {
        let (shared, lock) = after_the_lock();
        let judged = |shown| shared.world().judge_time(Some(&lock), &verdict(shown), &[]);
        shared.time.set_skew(600_000);
        shared.time.pass_to(110_000);
        shared.world().seen.note(105_000, true);
        assert_eq!(judged(706_000), None);
        assert!(judged(704_000).unwrap().contains("before the provider was seen"));
        assert!(judged(400_000).unwrap().contains("never showed"));
    }
}
