//! Who waits for which order: a step is told to those who wait for its order, and to nobody else.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use orderkeep_core::{Order, OrderId};
use tokio::sync::watch;

/// Whoever waits, of one engine. A step costs a look into an empty map while nobody does.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    orders: HashMap<OrderId, watch::Sender<Option<Arc<Order>>>>,
    waiters: usize,
}

/// One who waits. Gone from the list when it is dropped.
#[derive(Debug)]
pub(crate) struct Waiter {
    id: OrderId,
    steps: watch::Receiver<Option<Arc<Order>>>,
    waiting: Arc<Waiting>,
}

impl Waiting {
    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Steps of this order are told to the waiter from now on; `None` where `at_most` wait already.
    pub(crate) fn enter(self: &Arc<Self>, id: OrderId, at_most: usize) -> Option<Waiter> {
        let mut list = self.list();
        if list.waiters >= at_most {
            return None;
        }
        list.waiters += 1;
        let steps = list.orders.entry(id).or_insert_with(|| watch::Sender::new(None)).subscribe();
        drop(list);
        Some(Waiter { id, steps, waiting: Arc::clone(self) })
    }

    /// A step of this order is durable.
    pub(crate) fn tell(&self, order: &Arc<Order>) {
        if let Some(steps) = self.list().orders.get(&order.id) {
            steps.send_replace(Some(Arc::clone(order)));
        }
    }
}

impl Waiter {
    /// The order after the last step, once there was one since the last call.
    pub(crate) async fn step(&mut self) -> Arc<Order> {
        loop {
            // The sender lives in the list for as long as this waiter does.
            drop(self.steps.changed().await);
            if let Some(order) = self.steps.borrow_and_update().clone() {
                return order;
            }
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut list = self.waiting.list();
        list.waiters -= 1;
        // This one is still counted.
        if list.orders.get(&self.id).is_some_and(|steps| steps.receiver_count() <= 1) {
            list.orders.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::order;

    #[tokio::test(start_paused = true)]
    async fn a_step_wakes_those_who_wait_for_its_order_and_nobody_else() {
        let list = Arc::new(Waiting::default());
        let [ours, other] = [1, 2].map(order);
        let mut waits = list.enter(ours.id, 9).unwrap();
        let soon = std::time::Duration::from_secs(1);
        list.tell(&other);
        assert!(tokio::time::timeout(soon, waits.step()).await.is_err());
        list.tell(&ours);
        assert_eq!(tokio::time::timeout(soon, waits.step()).await, Ok(ours));
        // What was told is told.
        assert!(tokio::time::timeout(soon, waits.step()).await.is_err());
    }

    #[test]
    fn nobody_who_left_is_remembered() {
        let waiting = Arc::new(Waiting::default());
        let id = OrderId(uuid::Uuid::from_u128(7));
        let (first, second) = (waiting.enter(id, 2).unwrap(), waiting.enter(id, 2).unwrap());
        assert!(waiting.enter(OrderId(uuid::Uuid::from_u128(8)), 2).is_none());
        drop(first);
        assert_eq!(waiting.list().orders.len(), 1);
        drop(second);
        assert!(waiting.list().orders.is_empty());
        assert!(waiting.enter(id, 1).is_some());
    }
}
