//! One seed and the same calls give the same ledger; a long rough day keeps the books straight.

use orderkeep_sandbox::{
    AutoPay, AutoPayMix, DeliveryOutcome, FaultScript, Key, Ledger, Model, ModelConfig, Request,
    SecondCreate, Wire,
};

use crate::bench::{START, fields};

/// Orders of the rough day.
const ORDERS: usize = 300;

/// A day of a simple client that never sends a create twice, against a rough provider.
fn rough_day(seed: u64) -> (Ledger, Vec<String>) {
    let config = ModelConfig {
        wallet_delay_spread_ms: 3_000,
        // Would show a second create at once.
        second_create: SecondCreate::SecondOrder,
        auto_pay: Some(AutoPay {
            after_ms: 20_000,
            mix: AutoPayMix { exact: 6, under: 1, over: 1, late: 1, two_transactions: 2, never: 1 },
        }),
        ..ModelConfig::default()
    };
    let mut model = Model::new(config, seed).unwrap();
    model.set_faults(START, FaultScript::rough()).unwrap();
    let mut bodies = Vec::new();
    let mut now = START;
    for _ in 0..ORDERS {
        now += 700;
        let body = br#"{"currency":"usdc","amount":"840","network":"polygon"}"#;
        let Wire::Answer(lock) = model.call(now, Key::Right, &Request::Lock(body)).wire else {
            continue;
        };
        if lock.status != 201 {
            continue;
        }
        let create = format!(r#"{{"lockId":"{}"}}"#, fields(&lock.body)["lockId"]);
        model.call(now, Key::Right, &Request::Create(create.as_bytes()));
        for due in model.advance(now) {
            // A receiver that is down one time in four.
            model.webhook_answered(now, due.delivery, due.delivery % 4 != u64::from(due.attempt));
            bodies.push(due.body);
        }
    }
    let end = now + 3_600_000;
    while let Some(at) = model.next_due().filter(|&at| at <= end) {
        for due in model.advance(at) {
            model.webhook_answered(at, due.delivery, due.delivery % 4 != u64::from(due.attempt));
            bodies.push(due.body);
        }
    }
    (model.ledger(), bodies)
}

#[test]
fn the_same_seed_gives_the_same_day() {
    let (first, second, other) = (rough_day(7), rough_day(7), rough_day(8));
    assert_eq!(first, second);
    assert_ne!(first.0, other.0);
}

#[test]
fn a_rough_day_keeps_the_books_straight() {
    let (ledger, bodies) = rough_day(11);
    assert!(ledger.orders.len() > 250, "{} orders", ledger.orders.len());
    assert!(ledger.orders_per_lock.values().all(|orders| orders.len() == 1));
    for order in &ledger.orders {
        let received: rust_decimal::Decimal = order.received.parse().unwrap();
        let paid: rust_decimal::Decimal =
            order.payments.iter().map(|p| p.amount.parse::<rust_decimal::Decimal>().unwrap()).sum();
        assert_eq!(received, paid);
        let full = received >= order.required.parse().unwrap();
        let in_time = order.payments.iter().all(|payment| !payment.late);
        assert_eq!(order.executed, full && in_time, "{order:?}");
        assert_eq!(order.status, if order.executed { "COMPLETED" } else { "EXPIRED" });
    }
    for delivery in &ledger.deliveries {
        assert_ne!(delivery.outcome, DeliveryOutcome::Pending);
        assert!((1..=5).contains(&delivery.tries));
    }
    for fault in [
        "create.answer_lost",
        "create.p500_after",
        "create.throttled",
        "lock.slow",
        "webhook.lost_try",
        "webhook.lost_all",
        "webhook.doubled",
        "webhook.delayed",
        "webhook.reordered",
    ] {
        assert!(ledger.faults.get(fault).is_some_and(|&count| count > 0), "{fault}");
    }
    assert!(bodies.len() > 1_000);
}

#[test]
fn a_script_changes_no_id_of_a_seed() {
    let ids = |script: FaultScript| {
        let mut model = Model::new(ModelConfig::default(), 5).unwrap();
        model.set_faults(START, script).unwrap();
        let body = br#"{"currency":"usdc","amount":"840","network":"polygon"}"#;
        for _ in 0..20 {
            model.call(START, Key::Right, &Request::Lock(body));
        }
        model.ledger().locks.into_keys().next().unwrap()
    };
    let webhooks_only =
        FaultScript { webhooks: FaultScript::rough().webhooks, ..FaultScript::default() };
    assert_eq!(ids(FaultScript::default()), ids(webhooks_only));
}

#[test]
fn a_ledger_reads_back_from_its_json() {
    let (ledger, _) = rough_day(3);
    let json = serde_json::to_string(&ledger).unwrap();
    assert_eq!(serde_json::from_str::<Ledger>(&json).unwrap(), ledger);
}
