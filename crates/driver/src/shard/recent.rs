//! The open orders that came to rest last, as they are durable: what is heard of one soon after is worked with at once,
//! without the store. A shard owns its orders, so what it remembers of one is what the store has.

use std::collections::{HashMap, VecDeque};

use orderkeep_core::OrderId;

use super::Known;

/// So many are remembered: a few megabytes at most.
const ORDERS_MAX: usize = 1_024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Recent {
    orders: HashMap<OrderId, Known>,
    /// Oldest first; also those that were taken since.
    queue: VecDeque<OrderId>,
}

impl Recent {
    /// Remembers an order, unless it has ended: of those hardly anything is heard.
    pub(super) fn put(&mut self, known: Known) {
        if known.order.state_name().is_end() {
            return;
        }
        let id = known.order.id;
        self.orders.insert(id, known);
        self.queue.push_back(id);
        if self.queue.len() > ORDERS_MAX
            && let Some(oldest) = self.queue.pop_front()
        {
            self.orders.remove(&oldest);
        }
    }

    /// The order, if it is remembered; from now on it is not.
    pub(super) fn take(&mut self, id: OrderId) -> Option<Known> {
        self.orders.remove(&id)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::fixture::order;

    #[test]
    fn it_remembers_the_last_ones_and_no_more() {
        let mut recent = Recent::default();
        for number in 0..=ORDERS_MAX as u128 {
            recent.put(Known { order: order(number), wake_up: None });
        }
        assert!(recent.take(OrderId(Uuid::from_u128(0))).is_none());
        let second = OrderId(Uuid::from_u128(1));
        assert_eq!(recent.take(second).map(|known| known.order.id), Some(second));
        assert!(recent.take(second).is_none());
        assert!(recent.orders.len() < ORDERS_MAX && recent.queue.len() <= ORDERS_MAX);
    }
}
