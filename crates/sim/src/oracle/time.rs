//! What time decides: nobody can pay any more, and the provider can be seen.

use orderkeep_core::EventRecord;
use orderkeep_sandbox::OrderEntry;

use super::verdict::is_final;
use crate::{
    plan::Millis,
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
