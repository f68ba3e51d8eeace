//! What would go wrong if a part below did not keep its word: proof that the other tests' checks can fail.

use std::{sync::Arc, time::Duration};

use orderkeep_core::{LockId, Observation, Order, ProviderOrderId, Terms, Timestamp};
use orderkeep_provider::{
    BoxFuture, CallError, FailureClass, Heard, LockRequest, Provider, Rates, UnreadableWebhook,
};

use crate::{
    provider::{Says, Scripted},
    world::{World, request, terms},
};

/// Calls an answer that was lost a request that was never sent.
#[derive(Debug)]
pub(crate) struct Careless(pub(crate) Arc<Scripted>);

impl Provider for Careless {
    fn rates(&self) -> BoxFuture<'_, Result<Rates, CallError>> {
        self.0.rates()
    }

    fn lock(&self, request: LockRequest) -> BoxFuture<'_, Result<Terms, CallError>> {
        self.0.lock(request)
    }

    fn create<'a>(
        &'a self,
        lock_id: &'a LockId,
    ) -> BoxFuture<'a, Result<ProviderOrderId, CallError>> {
        Box::pin(async move {
            self.0.create(lock_id).await.map_err(|mut error| {
                if error.class == FailureClass::Ambiguous {
                    error.class = FailureClass::NotSent;
                }
                error
            })
        })
    }

    fn details<'a>(
        &'a self,
        provider_order: &'a ProviderOrderId,
        read_started_at: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Observation>, CallError>> {
        self.0.details(provider_order, read_started_at)
    }

    fn is_authentic(&self, authorization: Option<&[u8]>) -> bool {
        self.0.is_authentic(authorization)
    }

    fn read_webhook(&self, body: &[u8], heard_at: Timestamp) -> Result<Heard, UnreadableWebhook> {
        self.0.read_webhook(body, heard_at)
    }
}

#[tokio::test(start_paused = true)]
async fn the_ledger_check_sees_a_second_order() {
    for (careless, orders) in [(true, 2), (false, 1)] {
        let provider = Scripted::new([Says::LostAfterMade]);
        let honest = Arc::clone(&provider) as Arc<dyn Provider>;
        let front =
            if careless { Arc::new(Careless(Arc::clone(&provider))) as Arc<_> } else { honest };
        let world = World::behind(front, provider, |_| {}).await;
        world.submit("lock-1").await;
        world.until(60).await;
        assert_eq!(world.provider.most_orders_of_one_lock(), orders, "careless: {careless}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_search_for_acknowledged_orders_sees_a_lost_one() {
    for drops in [true, false] {
        let world = World::with(Scripted::new([]), |between| between.drops_commits = drops).await;
        let order = world.engine.submit(request("key-1", terms("lock-1"))).await.unwrap().order;
        let found: Option<Order> = world.engine.order(order.id).await.unwrap();
        assert_eq!(found.is_none(), drops);
        tokio::time::sleep(Duration::from_secs(1)).await;
        // What is not durable is not sent either.
        assert_eq!(world.provider.creates().is_empty(), drops);
    }
}
