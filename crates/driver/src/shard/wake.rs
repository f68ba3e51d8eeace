//! When orders want to be looked at: the near future in memory, everything in the store.

use std::{collections::BTreeSet, time::Duration};

use orderkeep_core::{OrderId, Timestamp, WakeUp};
use orderkeep_store::Store;
use rand::Rng;

use crate::{EngineError, records};

/// How far ahead the memory reaches.
const AHEAD: Duration = Duration::from_secs(60);
/// How often the store is asked. Well before what is in memory runs out.
const REFILL: Duration = Duration::from_secs(20);
/// How soon it is asked again when there was more than could be taken.
const REFILL_SOON: Duration = Duration::from_secs(1);
/// How many wake-ups are taken from the store at once.
const BATCH: usize = 8_192;

/// The near wake-ups. A hint only: whoever is woken checks what its order says now.
#[derive(Debug)]
pub(super) struct WakeUps {
    near: BTreeSet<(Timestamp, OrderId)>,
    /// Up to here everything is in memory.
    horizon: Timestamp,
    refill_at: Timestamp,
}

/// Puts a wake-up off by a random part of its spread.
pub(super) fn spread(wake_up: WakeUp) -> Timestamp {
    let spread = u64::try_from(wake_up.spread.as_micros()).unwrap_or(u64::MAX);
    wake_up.at.plus(Duration::from_micros(rand::rng().random_range(0..=spread)))
}

impl WakeUps {
    pub(super) const fn new() -> Self {
        let start = Timestamp::from_micros(i64::MIN);
        Self { near: BTreeSet::new(), horizon: start, refill_at: start }
    }

    pub(super) fn add(&mut self, at: Option<Timestamp>, id: OrderId) {
        if let Some(at) = at.filter(|at| *at <= self.horizon) {
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
        if now < self.refill_at {
            return Ok(());
        }
        let until = now.plus(AHEAD);
        let due = store.due(records::PARTITION, until.as_micros(), BATCH).await?;
        let full = due.len() >= BATCH;
        let last = due.last().map(|due| Timestamp::from_micros(due.at));
        self.near
            .extend(due.into_iter().map(|due| (Timestamp::from_micros(due.at), OrderId(due.id.0))));
        self.horizon = if full { last.unwrap_or(until) } else { until };
        self.refill_at = now.plus(if full { REFILL_SOON } else { REFILL });
        Ok(())
    }
}
