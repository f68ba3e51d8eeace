//! Who waits for which order: a step wakes those who wait for its order, and nobody else.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use orderkeep_core::OrderId;
use tokio::sync::watch;

/// Whoever waits, of one engine. A step costs a look into an empty map while nobody does.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    orders: Mutex<HashMap<OrderId, watch::Sender<()>>>,
}

/// One who waits. Gone from the list when it is dropped.
#[derive(Debug)]
pub(crate) struct Waiter {
    id: OrderId,
    steps: watch::Receiver<()>,
    list: Arc<Waiting>,
}

impl Waiting {
    fn orders(&self) -> MutexGuard<'_, HashMap<OrderId, watch::Sender<()>>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Steps of this order wake the waiter from now on; `None` where `at_most` wait already.
    pub(crate) fn enter(self: &Arc<Self>, id: OrderId, at_most: usize) -> Option<Waiter> {
        let mut orders = self.orders();
        if orders.values().map(watch::Sender::receiver_count).sum::<usize>() >= at_most {
            return None;
        }
        let steps = orders.entry(id).or_insert_with(|| watch::Sender::new(())).subscribe();
        drop(orders);
        Some(Waiter { id, steps, list: Arc::clone(self) })
    }

    /// A step of this order is durable.
    pub(crate) fn tell(&self, id: OrderId) {
        if let Some(steps) = self.orders().get(&id) {
            steps.send_modify(|()| {});
        }
    }
}

impl Waiter {
    /// Until there was a step since the last call.
    pub(crate) async fn step(&mut self) {
        // The sender lives in the list for as long as this waiter does.
        drop(self.steps.changed().await);
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut orders = self.list.orders();
        // This one is still counted.
        if orders.get(&self.id).is_some_and(|steps| steps.receiver_count() <= 1) {
            orders.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_step_wakes_those_who_wait_for_its_order_and_nobody_else() {
        let list = Arc::new(Waiting::default());
        let [ours, other] = [1, 2].map(|n| OrderId(uuid::Uuid::from_u128(n)));
        let mut waits = list.enter(ours, 9).unwrap();
        let soon = std::time::Duration::from_secs(1);
        list.tell(other);
        assert!(tokio::time::timeout(soon, waits.step()).await.is_err());
        list.tell(ours);
        assert!(tokio::time::timeout(soon, waits.step()).await.is_ok());
        // What was told is told.
        assert!(tokio::time::timeout(soon, waits.step()).await.is_err());
    }

    #[test]
    fn nobody_who_left_is_remembered() {
        let list = Arc::new(Waiting::default());
        let id = OrderId(uuid::Uuid::from_u128(7));
        let (first, second) = (list.enter(id, 2).unwrap(), list.enter(id, 2).unwrap());
        assert!(list.enter(OrderId(uuid::Uuid::from_u128(8)), 2).is_none());
        drop(first);
        assert_eq!(list.orders().len(), 1);
        drop(second);
        assert!(list.orders().is_empty());
    }
}
