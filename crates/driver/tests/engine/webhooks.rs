//! Webhooks that lie, that nobody sent, or that are none.

use std::time::Duration;

use orderkeep_core::{AccountId, Order, StateName};
use orderkeep_driver::{WebhookError, WebhookReceipt};
use orderkeep_store::Store;
use serde_json::json;

use crate::world::{PARKED_FOR, World, address, lock};

const MINUTES: Duration = Duration::from_secs(300);

/// A forged webhook names one.
///
/// Nobody is shown it: a read decides.
#[tokio::test(start_paused = true)]
async fn b6_forged_webhook_names_an_address() {
    let world = World::new([]).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::Created, MINUTES).await;
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    // The provider cannot be asked for as long as it lies.
    world.provider.set_down(true);
    for status in ["awaiting", "confirming", "executed"] {
        let forged = json!({
            "order": made.as_str(),
            "lock": "lock-1",
            "status": status,
            "address": "0x-of-a-thief",
            "received": "100",
        });
        world.hear(forged.to_string()).await.unwrap();
        world.worked_off().await;
    }
    for second in [5, 30, 200] {
        world.until(second).await;
        let order = world.order(id).await;
        assert_eq!(order.payable_address(), None, "at {second} s");
        assert_eq!(order.state_name(), StateName::Created, "at {second} s");
    }
    // Now a read decides, and the truth is all that is ever shown.
    world.provider.set_down(false);
    let order = world.wait(id, "shown", MINUTES, |order| order.state.deposit().is_some()).await;
    assert_eq!(order.state.deposit().unwrap().address.as_str(), address(&made));
}

#[tokio::test(start_paused = true)]
async fn a_forged_end_is_not_believed_after_the_read() {
    let world = World::new([]).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::AwaitingPayment, MINUTES).await;
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    let forged = json!({ "order": made.as_str(), "status": "executed", "received": "100" });
    world.hear(forged.to_string()).await.unwrap();
    world.until(30).await;
    let order = world.order(id).await;
    assert_eq!(order.state_name(), StateName::AwaitingPayment);
    assert!(order.state.deposit().unwrap().payment.received.is_zero());
    assert_eq!(order.hint, None);
    assert!(!world.events(id).await.contains(&"executed"));
}

/// No token, or a wrong one.
///
/// Answered with 401 and counted; its body is not even read.
#[tokio::test(start_paused = true)]
async fn c9_no_token_or_a_wrong_one() {
    let world = World::new([]).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::Created, MINUTES).await;
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    let before = world.store.stats().unwrap();
    for token in [None, Some(&b""[..]), Some(b"token"), Some(b"token-of-the-tests2")] {
        let refused = world
            .engine
            .webhook(&AccountId::main(), token, world.provider.webhook_of(&made).into())
            .await;
        assert_eq!(refused, Err(WebhookError::Unauthorized));
    }
    assert_eq!(world.store.inbox_len(), 0);
    assert_eq!(format!("{before:?}"), format!("{:?}", world.store.stats().unwrap()));
    let status = world.engine.status().await.unwrap();
    assert_eq!((status.webhooks_taken, status.webhooks_refused), (0, 4));
}

/// Too large, or no JSON.
///
/// Answered with 4xx and counted; no body takes more memory than `webhook_bytes_max`.
#[tokio::test(start_paused = true)]
async fn c14_too_large_or_no_json() {
    let world = World::new([]).await;
    assert!(matches!(world.hear("{").await, Err(WebhookError::Malformed(_))));
    let large = vec![b' '; 64 * 1024 + 1];
    assert_eq!(world.hear(large).await, Err(WebhookError::TooLarge(64 * 1024)));
    // As large as it may be, it is looked into.
    assert!(matches!(world.hear(vec![b' '; 64 * 1024]).await, Err(WebhookError::Malformed(_))));
    let other = world.hear(r#"{"kind":"deposit"}"#).await;
    assert_eq!(other, Ok(WebhookReceipt::OtherKind("deposit".to_owned())));
    assert_eq!(world.store.inbox_len(), 0);
    let status = world.engine.status().await.unwrap();
    assert_eq!((status.webhooks_refused, status.webhooks_other_kind), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_not_ours_waits_and_is_given_up() {
    let world = World::new([]).await;
    let ours = world.submit("lock-1").await;
    world.wait_for(ours, StateName::Executed, MINUTES).await;
    let foreign = world.provider.makes(&lock("lock-of-another"));
    world.hear(world.provider.webhook_of(&foreign)).await.unwrap();
    let heard_at = world.now();
    tokio::time::sleep(PARKED_FOR - Duration::from_secs(60)).await;
    assert_eq!(world.store.inbox_len(), 1);
    // It is looked at hourly by then, and given up at a look.
    tokio::time::sleep(Duration::from_secs(3_700)).await;
    assert!(world.now().since(heard_at) > PARKED_FOR);
    assert_eq!(world.store.inbox_len(), 0);
    let bound = |order: Order| order.state.bound().unwrap().provider_order.clone();
    assert_ne!(bound(world.order(ours).await), foreign);
}
