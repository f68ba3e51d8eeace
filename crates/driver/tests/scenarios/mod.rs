//! What can befall an order, played against the real engine: one file per letter of `docs/scenarios.md`, which is made
//! from the words above each test. Rows that another test plays bear their number there.

use std::time::Duration;

use orderkeep_core::{
    Author, Event, FailReason, Order, OrderId, ProviderOrderId, ReviewReason, State, StateName,
};

use crate::{
    provider::{Pace, Scripted},
    world::{World, lock},
};

mod a_create;
mod b_address;
mod c_webhooks;
mod d_reads;
mod e_payments;
mod f_crash;
mod g_after_the_end;
mod h_telling;
mod i_running;

pub(crate) const MINUTES: Duration = Duration::from_secs(300);
pub(crate) const HOURS: Duration = Duration::from_secs(3 * 3_600);
/// Longer than any of the tests.
const NEVER: Duration = Duration::from_secs(100_000_000);

/// One order, and its world.
pub(crate) struct Played {
    pub(crate) world: World,
    pub(crate) id: OrderId,
}

impl Played {
    /// An order that shows its address and waits; nobody pays it.
    pub(crate) async fn awaiting() -> Self {
        let played = Self::unpaid().await;
        played.reaches(StateName::AwaitingPayment).await;
        played
    }

    /// An order that nobody pays, just submitted.
    pub(crate) async fn unpaid() -> Self {
        let provider = Scripted::new([]);
        provider.set_pace(Pace { confirming: NEVER, executed: NEVER, ..Pace::USUAL });
        Self::of(provider).await
    }

    /// An order that was executed.
    pub(crate) async fn executed() -> Self {
        let played = Self::of(Scripted::new([])).await;
        played.reaches(StateName::Executed).await;
        played
    }

    pub(crate) async fn of(provider: std::sync::Arc<Scripted>) -> Self {
        let world = World::with(provider, |_| {}).await;
        let id = world.submit("lock-1").await;
        Self { world, id }
    }

    pub(crate) async fn order(&self) -> Order {
        self.world.order(self.id).await
    }

    pub(crate) async fn reaches(&self, state: StateName) -> Order {
        self.world.wait_for(self.id, state, MINUTES).await
    }

    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Order) -> bool) -> Order {
        // Coarser than the world's own waits: most of these last for hours.
        let give_up = self.world.now().plus(HOURS);
        loop {
            let order = self.order().await;
            if holds(&order) {
                return order;
            }
            assert!(self.world.now() < give_up, "never {what}: {order:#?}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Waits until a person is asked for this reason.
    pub(crate) async fn asks(&self, reason: ReviewReason) -> Order {
        self.until(reason.name(), |order| order.has_open(reason)).await
    }

    pub(crate) async fn passes(&self, time: Duration) -> Order {
        tokio::time::sleep(time).await;
        self.order().await
    }

    /// The order at the provider.
    pub(crate) fn made(&self) -> ProviderOrderId {
        self.world.provider.orders_of(&lock("lock-1")).remove(0)
    }

    /// The provider's true webhook arrives.
    pub(crate) async fn hears(&self) {
        self.world.hear(self.world.provider.webhook_of(&self.made())).await.unwrap();
    }

    pub(crate) async fn count(&self, event: &str) -> usize {
        self.world.events(self.id).await.iter().filter(|name| **name == event).count()
    }

    pub(crate) async fn history(&self) -> Vec<Event> {
        self.world.history(self.id).await
    }
}

pub(crate) fn failed_as(order: &Order) -> &FailReason {
    let State::Failed(failed) = &order.state else { panic!("not failed: {order:#?}") };
    &failed.reason
}

pub(crate) fn ops() -> Author {
    "ops".parse().unwrap()
}
