//! What must hold, judged by what the provider's ledger says and by what callers and followers were told. Nothing here
//! asks the lifecycle what it would do.
//!
//! While the run lasts: `verdict` (no event without its cause in the world). After every start: `nothing_is_lost`.
//! Once the faults have stopped: `all_is_well`, which must become true in time.

mod end;
mod verdict;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use orderkeep_core::{Event, OrderId};
use orderkeep_driver::{Engine, FeedEvent};
use orderkeep_store::Cursor;

pub(crate) use end::all_is_well;

use crate::{
    plan::{Kind, Millis},
    world::{START_MS, Shared, World},
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
    /// What an older copy had in it, and was told already.
    told_before: Told,
    /// When the copy took over.
    restored_at: Option<Millis>,
    /// The store begins another life: the cursor is of the one before.
    another_life: bool,
    /// Every create that reached the provider.
    pub(crate) creates: u64,
}

/// How far each order was told at some moment.
pub(crate) type Told = BTreeMap<OrderId, u64>;

/// An order, as its events tell it.
#[derive(Debug, Default)]
struct Followed {
    sale: Option<usize>,
    version: u64,
    addresses: BTreeSet<String>,
    /// It was made again from what the provider said, where an older copy did not know it.
    rebuilt: bool,
    /// A fresh lock is to take the place of its own.
    relocks: bool,
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

    /// Whether an event was judged in the life before. The clock tells, too, unless it was set.
    fn was_judged(&self, id: OrderId, version: u64, at: Millis, clock_is_right: bool) -> bool {
        let told = self.told_before.get(&id).is_some_and(|told| version <= *told);
        told || (clock_is_right && self.restored_at.is_some_and(|restored| at < restored))
    }

    /// An older copy takes over; `told`: how far it was told when it was made; `says_so`: its followers are told.
    pub(crate) fn forget(&mut self, told: Told, now: Millis, says_so: bool) {
        self.orders.clear();
        self.told_before = told;
        self.restored_at = Some(now);
        self.another_life = says_so && self.cursor.is_some();
        if !says_so {
            self.cursor = None;
        }
    }

    /// The cursor is said to be gone: whether that is so. From now on everything is heard again.
    pub(crate) fn begins_again(&mut self) -> bool {
        self.cursor = None;
        std::mem::take(&mut self.another_life)
    }

    pub(crate) const fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }
}

impl World {
    /// The sale that an order is of.
    pub(crate) fn sale_of(&self, id: OrderId) -> Option<usize> {
        self.watcher.orders.get(&id)?.sale
    }

    /// Whether a fresh lock is to take the place of its own.
    fn is_relocking(&self, id: OrderId) -> bool {
        self.watcher.orders.get(&id).is_some_and(|followed| followed.relocks)
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
        let at = record.at.as_micros() / 1_000 - START_MS;
        let clock_is_right = !self.plan.has(Kind::ClockJump);
        let judged = self.watcher.was_judged(order_id, version, at, clock_is_right);
        if let Event::Relocked { terms } = &record.event {
            if !judged {
                self.judge_relock(sale, terms, &record);
            }
            self.relocked(sale, terms.lock_id.as_str());
        }
        if !judged {
            self.judge(sale, order_id, &record);
        }
        if let Some(followed) = self.watcher.orders.get_mut(&order_id) {
            if matches!(record.event, Event::RelockWanted { .. }) {
                followed.relocks = true;
            } else if matches!(record.event, Event::Relocked { .. }) {
                followed.relocks = false;
            }
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
