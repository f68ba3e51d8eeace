//! When orders want to be looked at: the near future in memory, everything in the store.

use std::{collections::BTreeSet, time::Duration};

use orderkeep_core::{OrderId, Timestamp, WakeUp};
use orderkeep_store::Store;

use crate::{EngineError, Entropy, records};

/// How far ahead the memory reaches.
const AHEAD: Duration = Duration::from_secs(60);
/// How often the store is asked. Well before what is in memory runs out.
const REFILL: Duration = Duration::from_secs(20);
/// How soon it is asked again when there was more than could be taken.
const REFILL_SOON: Duration = Duration::from_secs(1);
/// How many wake-ups are taken from the store at once.
const BATCH: usize = 8_192;
/// Wake-ups in memory; above it, the store brings them when others are done.
const NEAR_MAX: usize = 65_536;
/// When there was no room for an order's call, or nothing came of it, it is not looked at again before this.
const PAUSE: Duration = Duration::from_millis(50);

/// The near wake-ups. A hint only: whoever is woken checks what its order says now.
#[derive(Debug)]
pub(super) struct WakeUps {
    near: BTreeSet<(Timestamp, OrderId)>,
    /// What is due after this is left to the store.
    horizon: Timestamp,
    refill_at: Timestamp,
}

/// Puts a wake-up off by a random part of its spread.
pub(super) fn spread(wake_up: WakeUp, entropy: &dyn Entropy) -> Timestamp {
    wake_up.at.plus(entropy.jitter(wake_up.spread))
}

/// A wake-up that is moved because nothing happened: never at once, whatever the lifecycle says.
pub(super) fn later(wake_up: WakeUp, now: Timestamp, entropy: &dyn Entropy) -> Timestamp {
    spread(wake_up, entropy).max(now.plus(PAUSE))
}

impl WakeUps {
    pub(super) const fn new() -> Self {
        let start = Timestamp::from_micros(i64::MIN);
        Self { near: BTreeSet::new(), horizon: start, refill_at: start }
    }

    pub(super) fn add(&mut self, at: Option<Timestamp>, id: OrderId) {
        if self.near.len() < NEAR_MAX
            && let Some(at) = at.filter(|at| *at <= self.horizon)
        {
            self.near.insert((at, id));
        }
    }

    /// The same however far away it is, where the store knows of no such wake-up.
    pub(super) fn remind(&mut self, at: Timestamp, id: OrderId) {
        if self.near.len() < NEAR_MAX {
            self.near.insert((at, id));
        }
    }

    /// The next order whose time has come.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<OrderId> {
        let first = self.near.first().filter(|(at, _)| *at <= now).copied()?;
        self.near.remove(&first);
        Some(first.1)
    }

    /// When something is to be done next; `admits`: whether there is room for due orders.
    pub(super) fn next(&self, admits: bool) -> Option<Timestamp> {
        let first = self.near.first().map(|(at, _)| *at).filter(|_| admits);
        Some(first.map_or(self.refill_at, |first| first.min(self.refill_at)))
    }

    /// Takes in what the store has for the near future, if it is time to.
    pub(super) async fn refill(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        // A clock that was set back must not leave the store unasked until it has caught up with itself.
        let set_back = self.refill_at.since(now) > REFILL;
        if now < self.refill_at && !set_back {
            return Ok(());
        }
        let until = now.plus(AHEAD);
        let due = store.due(records::PARTITION, until.as_micros(), BATCH).await?;
        let full = due.len() >= BATCH;
        self.near
            .extend(due.into_iter().map(|due| (Timestamp::from_micros(due.at), OrderId(due.id.0))));
        self.horizon = until;
        self.refill_at = now.plus(if full { REFILL_SOON } else { REFILL });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use orderkeep_store::{Change, Commit, MemoryStore};
    use uuid::Uuid;

    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_772_366_400_000);

    fn order(number: u128) -> OrderId {
        OrderId(Uuid::from_u128(number))
    }

    #[test]
    fn what_the_store_does_not_know_of_is_remembered_however_far_away_it_is() {
        let (far, mut wake_ups) = (NOON.plus(Duration::from_secs(86_400)), WakeUps::new());
        // The store is to be asked first.
        assert_eq!(wake_ups.next(true), Some(wake_ups.refill_at));
        wake_ups.horizon = NOON;
        wake_ups.refill_at = far.plus(Duration::from_secs(1));
        wake_ups.add(Some(far), order(1));
        wake_ups.add(None, order(1));
        assert_eq!(wake_ups.next(true), Some(wake_ups.refill_at), "the store brings those");
        wake_ups.add(Some(NOON), order(2));
        wake_ups.remind(far, order(3));
        assert_eq!(wake_ups.next(true), Some(NOON));
        assert_eq!(wake_ups.pop(NOON), Some(order(2)));
        assert_eq!((wake_ups.next(true), wake_ups.pop(NOON)), (Some(far), None));
        assert_eq!(wake_ups.next(false), Some(wake_ups.refill_at), "there is no room for it");
        assert_eq!(wake_ups.pop(far), Some(order(3)));
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_does_not_keep_the_store_unasked() {
        let (id, noon) = (order(1), NOON);
        let store = MemoryStore::new();
        let change = Change {
            id: records::entity_id(id),
            kind: records::ORDER,
            expected: 0,
            events: vec!["event".into()],
            view: Some("view".into()),
            labels: Vec::new(),
            wake_up: Some(noon.as_micros()),
            claims: Vec::new(),
        };
        let commit =
            Commit { partition: records::PARTITION, change: Some(change), inbox: Vec::new() };
        store.commit(commit).await.unwrap();
        let mut wake_ups = WakeUps::new();
        wake_ups.refill(&store, noon.plus(Duration::from_secs(18_000))).await.unwrap();
        assert_eq!(wake_ups.pop(noon), Some(id));
        // Nothing came of it, so the store still has it.
        wake_ups.refill(&store, noon).await.unwrap();
        assert_eq!(wake_ups.pop(noon), Some(id));
        // Asked a moment ago, it is not asked again.
        wake_ups.refill(&store, noon.plus(Duration::from_secs(1))).await.unwrap();
        assert_eq!(wake_ups.pop(noon), None);
    }
}
