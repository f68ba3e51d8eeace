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
    plan::Millis,
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
    /// Every create that reached the provider.
    pub(crate) creates: u64,
}

/// An order, as its events tell it.
#[derive(Debug, Default)]
struct Followed {
    sale: Option<usize>,
    version: u64,
    addresses: BTreeSet<String>,
}

impl Watcher {
    pub(crate) fn violated(&mut self, at: Millis, rule: &'static str, detail: String) {
        self.violation.get_or_insert(Violation { at, rule, detail });
    }

    pub(crate) fn take(&mut self) -> Option<Violation> {
        self.violation.take()
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
        if let Event::Submitted { key, .. } = &record.event {
            let sale = key.as_str().strip_prefix("sale-").and_then(|sale| sale.parse().ok());
            followed.sale = sale;
            let others = self.watcher.orders.values().filter(|other| other.sale == sale).count();
            if others > 1 {
                self.violated("one key is one order", format!("{key} is {others} orders"));
                return;
            }
        }
        let Some(sale) = self.sale_of(order_id) else { return };
        self.told(sale, version);
        self.judge(sale, order_id, &record);
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
