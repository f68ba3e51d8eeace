//! What must hold, judged by what the provider's ledger says and by what callers and followers were told. Nothing here
//! asks the lifecycle what it would do.
//!
//! While the run lasts: `verdict` (no event without its cause in the world). After every start: `nothing_is_lost`.
//! Once the faults have stopped: `all_is_well`, which must become true in time.

mod end;
mod followed;
mod relock;
mod time;
mod verdict;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use orderkeep_core::{Event, OrderId};
use orderkeep_driver::{Engine, FeedEvent};
use orderkeep_store::Cursor;

pub(crate) use end::all_is_well;
pub(crate) use followed::Told;
use followed::{Again, Followed, Retold};

use crate::{
    plan::{Kind, Millis},
    world::{Shared, World},
};

/// Something that must never happen, and did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// When.
    pub at: Millis,
    /// What should have held.
    pub rule: &'static str,
    /// What was found.
    pub detail: String,
}

/// What was seen of a run so far.
#[derive(Debug, Default)]
pub(crate) struct Watcher {
    violation: Option<Violation>,
    /// Where the follower of the feed stands.
    cursor: Option<Cursor>,
    orders: BTreeMap<OrderId, Followed>,
    retold: Retold,
    /// The store begins another life: the cursor is of the one before.
    another_life: bool,
    /// Provider orders that a webhook told of which this life of the store has accepted.
    accepted: BTreeSet<String>,
    /// Every create that reached the provider.
    pub(crate) creates: u64,
}

impl Watcher {
    pub(crate) fn violated(&mut self, at: Millis, rule: &'static str, detail: String) {
        self.violation.get_or_insert(Violation { at, rule, detail });
    }

    pub(crate) fn take(&mut self) -> Option<Violation> {
        self.violation.take()
    }

    /// How far each order is told now.
    pub(crate) fn told(&self) -> Told {
        self.orders.iter().map(|(id, followed)| (*id, followed.version)).collect()
    }

    /// An older copy takes over, which has this. `told`: how far all was told when it was made; `says_so`: its followers
    /// are told. What is missing in it, if anything is.
    pub(crate) fn forget(&mut self, copied: Told, told: &Told, says_so: bool) -> Option<String> {
        self.orders.clear();
        self.accepted.clear();
        self.another_life = says_so && self.cursor.is_some();
        if !says_so {
            self.cursor = None;
        }
        self.retold.take_over(copied, told)
    }

    /// The cursor is said to be gone: whether that is so. From now on everything is heard again.
    pub(crate) fn begins_again(&mut self) -> bool {
        self.cursor = None;
        std::mem::take(&mut self.another_life)
    }

    pub(crate) const fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// The lock that counts of an order.
    pub(crate) fn lock_of(&self, id: OrderId) -> Option<&str> {
        self.orders.get(&id).and_then(Followed::lock)
    }

    /// Whether an order has, or had, this lock in this life of the store.
    pub(crate) fn knows_lock(&self, lock_id: &str) -> bool {
        self.orders.values().any(|followed| followed.had_lock(lock_id))
    }

    /// A webhook was accepted that tells of an order of a lock that is known here.
    pub(crate) fn accepted(&mut self, provider_order: String) {
        self.accepted.insert(provider_order);
    }

    /// Whether one was.
    fn was_told_of(&self, provider_order: &str) -> bool {
        self.accepted.contains(provider_order)
    }
}

impl World {
    /// The sale that an order is of.
    pub(crate) fn sale_of(&self, id: OrderId) -> Option<usize> {
        self.watcher.orders.get(&id)?.sale
    }

    /// How far the feed has told an order.
    pub(crate) fn heard_of(&self, id: OrderId) -> u64 {
        self.watcher.orders.get(&id).map_or(0, |followed| followed.version)
    }

    /// An event of the feed: in order, without a gap, and with its cause in the world.
    pub(crate) fn hear(&mut self, event: FeedEvent) {
        let FeedEvent { cursor, order_id, version, record } = event;
        self.watcher.cursor = Some(cursor);
        let followed = self.watcher.orders.entry(order_id).or_default();
        let expected = followed.version + 1;
        if version != expected {
            let detail = format!("{order_id}: event {version} came where {expected} was due");
            self.violated("the feed has every event once, in order", detail);
            return;
        }
        followed.version = version;
        if let Event::Submitted { key, terms, .. } = &record.event {
            let sale = key.as_str().strip_prefix("sale-").and_then(|sale| sale.parse().ok());
            followed.rebuilt = sale.is_none();
            followed.sale = sale.or_else(|| {
                let lock_id = terms.lock_id.as_str();
                self.sales.iter().position(|sold| sold.locks().iter().any(|lock| lock == lock_id))
            });
            let same = |other: &&Followed| !other.rebuilt && sale.is_some() && other.sale == sale;
            let others = self.watcher.orders.values().filter(same).count();
            if others > 1 {
                self.violated("one key is one order", format!("{key} is {others} orders"));
                return;
            }
        }
        let Some(sale) = self.sale_of(order_id) else { return };
        let rebuilt = self.watcher.orders.get(&order_id).is_some_and(|followed| followed.rebuilt);
        if !rebuilt {
            self.told(sale, version);
        }
        match self.watcher.retold.is_again(order_id, version, &record) {
            Again::No => self.judge(sale, order_id, &record),
            Again::Same => {}
            Again::Changed => {
                let detail = format!("{order_id}: event {version} is now {record:?}");
                self.violated("what an older copy tells again is what was told", detail);
            }
        }
        if let Event::Relocked { terms } = &record.event {
            self.relocked(sale, terms.lock_id.as_str());
        }
        let early = matches!(record.event, Event::RelockWanted { .. }) && self.has_open(sale);
        if let Some(followed) = self.watcher.orders.get_mut(&order_id) {
            followed.take_in(&record.event, early);
        }
        if self.plan.has(Kind::Restore) {
            self.watcher.retold.hear(order_id, version, &record);
        }
    }
}

/// After a start: what anybody was told is still there.
pub(crate) async fn nothing_is_lost(shared: Arc<Shared>, engine: Engine) {
    let told: Vec<_> = {
        let world = shared.world();
        world.sales.iter().filter_map(|sold| Some((sold.id()?, sold.told))).collect()
    };
    for (id, told) in told {
        let order = engine.order(id).await;
        let mut world = shared.world();
        if world.is_dead() {
            return;
        }
        match order {
            Ok(Some(order)) if order.version >= told => {}
            Ok(Some(order)) => {
                let detail = format!("{id} is at version {}, {told} was told", order.version);
                world.violated("what was told is not taken back", detail);
            }
            Ok(None) => world.violated("an acknowledged order is not lost", id.to_string()),
            Err(error) => world.violated("an order can be read", format!("{id}: {error}")),
        }
    }
}
