//! Webhooks to a real receiver, under load too.

use std::sync::Arc;

use orderkeep_sandbox::{
    AuthorizationForm, AutoPay, DeliveryOutcome, FaultScript, Forgery, ModelConfig, OrderRef, Rule,
    SandboxConfig, Secret, WebhookFault,
};
use tokio::task::JoinSet;

use crate::{
    receiver::Receiver,
    wire::{Bench, config, until},
};

fn towards(receiver: &Receiver) -> SandboxConfig {
    SandboxConfig {
        webhook_url: Some(receiver.url()),
        webhook_token: Secret::new("hook-token"),
        // A provider's second is a millisecond, and no order expires while a slow machine tests.
        time_factor: 1_000,
        model: unhurried(),
        ..config()
    }
}

/// Locks and orders that last a provider's week: a minute of the wall at the fastest here.
fn unhurried() -> ModelConfig {
    let week_ms = 7 * 24 * 3_600_000;
    ModelConfig { lock_ttl_ms: week_ms, order_ttl_ms: week_ms, ..ModelConfig::default() }
}

#[tokio::test]
async fn a_webhook_carries_the_token_and_the_details() {
    let receiver = Receiver::start(&[]).await;
    let bench = Bench::start(towards(&receiver));
    let order = bench.order().await;
    let heard = receiver.wait_for(1).await.remove(0);
    assert_eq!(heard.authorization, "hook-token");
    assert_eq!(heard.content_type, "application/json");
    let body: serde_json::Value = serde_json::from_str(&heard.body).unwrap();
    assert_eq!(body["orderId"], order);
    assert_eq!(body["status"], "WAITING_FOR_PAYMENT");
    assert!(body["walletAddress"].as_str().unwrap().starts_with("0x"));
}

#[tokio::test]
async fn the_token_may_be_a_bearer() {
    let receiver = Receiver::start(&[]).await;
    let model = ModelConfig { authorization: AuthorizationForm::Bearer, ..unhurried() };
    let bench = Bench::start(SandboxConfig { model, ..towards(&receiver) });
    bench.order().await;
    assert_eq!(receiver.wait_for(1).await[0].authorization, "Bearer hook-token");
}

#[tokio::test]
async fn refusals_and_redirects_are_tried_again_and_any_2xx_is_enough() {
    let receiver = Receiver::start(&[500, 302, 401, 204]).await;
    let bench = Bench::start(towards(&receiver));
    bench.order().await;
    let delivery = until("the delivery", async || {
        let delivery = bench.sandbox.control().ledger().deliveries.into_iter().next()?;
        (delivery.outcome != DeliveryOutcome::Pending).then_some(delivery)
    })
    .await;
    assert_eq!((delivery.tries, delivery.outcome), (4, DeliveryOutcome::Delivered));
    let heard = receiver.heard();
    assert!(heard.len() >= 4);
    assert!(heard[..4].iter().all(|again| again.body == heard[0].body));
}

#[tokio::test]
async fn five_refusals_are_the_end() {
    let receiver = Receiver::start(&[500; 5]).await;
    let bench = Bench::start(towards(&receiver));
    bench.order().await;
    let delivery = until("the end of the tries", async || {
        let delivery = bench.sandbox.control().ledger().deliveries.into_iter().next()?;
        (delivery.outcome != DeliveryOutcome::Pending).then_some(delivery)
    })
    .await;
    assert_eq!((delivery.tries, delivery.outcome), (5, DeliveryOutcome::GivenUp));
}

#[tokio::test]
async fn a_receiver_can_be_named_while_it_runs() {
    let receiver = Receiver::start(&[]).await;
    let bench = Bench::start(SandboxConfig { webhook_url: None, ..towards(&receiver) });
    bench.order().await;
    until("a failed try", async || {
        bench.sandbox.control().ledger().deliveries.first().filter(|d| d.tries > 0).map(|_| ())
    })
    .await;
    assert!(receiver.heard().is_empty());
    bench.control("config", &format!(r#"{{"webhook_url":"{}"}}"#, receiver.url())).await;
    // A retry of the first order's webhook may come, too; a new order's surely does.
    let order = bench.order().await;
    until("the new order's webhook", async || {
        receiver.heard().iter().any(|heard| heard.body.contains(&order)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_silent_receiver_is_a_failed_try() {
    // Accepts and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let bench = Bench::start(SandboxConfig {
        webhook_url: Some(url),
        webhook_timeout_ms: 20,
        time_factor: 10_000,
        model: unhurried(),
        ..config()
    });
    bench.order().await;
    let delivery = until("the end of the tries", async || {
        let delivery = bench.sandbox.control().ledger().deliveries.into_iter().next()?;
        (delivery.outcome == DeliveryOutcome::GivenUp).then_some(delivery)
    })
    .await;
    assert_eq!(delivery.tries, 5);
}

#[tokio::test]
async fn no_more_webhooks_are_under_way_than_configured() {
    // Accepts, keeps count of what is open, and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let bench = Bench::start(SandboxConfig {
        webhook_url: Some(url),
        webhooks_in_flight: 2,
        time_factor: 1_000,
        model: unhurried(),
        ..config()
    });
    for _ in 0..6 {
        bench.order().await;
    }
    let mut open = vec![silent.accept().await.unwrap(), silent.accept().await.unwrap()];
    until("six orders with addresses", async || {
        let ledger = bench.sandbox.control().ledger();
        (ledger.deliveries.len() == 6).then_some(())
    })
    .await;
    let tried = |bench: &Bench| {
        let deliveries = bench.sandbox.control().ledger().deliveries;
        deliveries.iter().filter(|delivery| delivery.tries > 0).count()
    };
    assert_eq!(tried(&bench), 2);
    // Room for one more.
    drop(open.pop());
    open.push(silent.accept().await.unwrap());
    assert_eq!(tried(&bench), 3);
}

#[tokio::test]
async fn forgeries_and_hand_made_webhooks_reach_the_receiver() {
    let receiver = Receiver::start(&[]).await;
    let fault = WebhookFault::Forged { forgery: Forgery::WrongToken };
    let faults = FaultScript::default().with(Rule::webhook(None, fault));
    let bench = Bench::start(SandboxConfig { faults, ..towards(&receiver) });
    bench.order().await;
    let tokens: Vec<String> =
        receiver.wait_for(2).await.into_iter().map(|heard| heard.authorization).collect();
    assert!(tokens.contains(&"hook-token".to_owned()));
    assert!(tokens.contains(&"not-the-token".to_owned()));

    bench.control("webhook", r#"{"body":{"status":"MADE_UP","receivedAmount":1.10}}"#).await;
    until("the webhook by hand", async || {
        let by_hand = receiver.heard().into_iter().find(|heard| heard.status() == "MADE_UP")?;
        // Byte for byte.
        assert_eq!(by_hand.body, r#"{"status":"MADE_UP","receivedAmount":1.10}"#);
        assert_eq!(by_hand.authorization, "hook-token");
        Some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_orders_at_once_are_executed_and_told() {
    const ORDERS: usize = 300;
    let receiver = Receiver::start(&[]).await;
    let model = ModelConfig { auto_pay: Some(AutoPay::default()), ..unhurried() };
    let bench = Arc::new(Bench::start(SandboxConfig { model, ..towards(&receiver) }));
    let mut clients = JoinSet::new();
    for _ in 0..ORDERS {
        let bench = Arc::clone(&bench);
        clients.spawn(async move { bench.order().await });
    }
    let orders = clients.join_all().await;
    assert_eq!(orders.len(), ORDERS);
    let summary = until("every webhook", async || {
        let summary = bench.sandbox.control().summary();
        (summary.executed == 300 && summary.deliveries_pending == 0).then_some(summary)
    })
    .await;
    // Six each: the address, the payment, three confirmations, the end.
    assert_eq!(summary.deliveries_delivered, 1_800);
    assert_eq!(receiver.heard().len(), 1_800);
    assert_eq!(summary.locks_with_several_orders, 0);
    let paid = bench.sandbox.control().pay(
        &OrderRef::Id(orders[0].parse().unwrap()),
        Some(rust_decimal::Decimal::ONE),
        1,
        0,
    );
    assert!(paid.is_ok(), "an executed order still has an address");
}
