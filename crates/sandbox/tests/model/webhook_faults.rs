//! Faults of webhooks: each does what it says and is counted.

use orderkeep_sandbox::{
    DeliveryOutcome, FaultScript, Forgery, ModelConfig, OrderRef, Rule, WebhookFault,
};

use crate::bench::{Bench, START, fields};

fn struck(fault: WebhookFault) -> Bench {
    Bench::with_faults(FaultScript::default().with(Rule::webhook(None, fault)))
}

/// Hears webhooks until an end, each with the moment it was handed out, from the start.
fn heard_until(bench: &mut Bench, end: i64) -> Vec<(i64, String)> {
    let mut heard = Vec::new();
    while let Some(at) = bench.model.next_due().filter(|&at| at <= START + end) {
        bench.now = at;
        for due in bench.model.advance(at) {
            bench.model.webhook_answered(at, due.delivery, true);
            heard.push((at - START, fields(&due.body)["status"].clone()));
        }
    }
    heard
}

fn order(bench: &mut Bench) -> uuid::Uuid {
    let lock = bench.lock("840");
    bench.model.create_order(bench.now, lock).unwrap()
}

#[test]
fn all_tries_of_one_event_are_lost() {
    let mut bench = struck(WebhookFault::LostAll {});
    order(&mut bench);
    assert_eq!(heard_until(&mut bench, 400_000), []);
    let delivery = &bench.model.ledger().deliveries[0];
    assert_eq!((delivery.tries, delivery.outcome), (5, DeliveryOutcome::GivenUp));
    assert_eq!(bench.fault_count("webhook.lost_all"), 1);
}

#[test]
fn one_try_is_lost_and_the_next_is_heard() {
    let mut bench = struck(WebhookFault::LostTry {});
    order(&mut bench);
    assert_eq!(heard_until(&mut bench, 400_000), [(9_500, "WAITING_FOR_PAYMENT".to_owned())]);
    let delivery = &bench.model.ledger().deliveries[0];
    assert_eq!((delivery.tries, delivery.outcome), (2, DeliveryOutcome::Delivered));
}

#[test]
fn an_event_is_doubled() {
    let mut bench = struck(WebhookFault::Doubled {});
    order(&mut bench);
    let twice = (1_500, "WAITING_FOR_PAYMENT".to_owned());
    assert_eq!(heard_until(&mut bench, 400_000), [twice.clone(), twice]);
    let doubled: Vec<bool> =
        bench.model.ledger().deliveries.iter().map(|delivery| delivery.doubled).collect();
    assert_eq!(doubled, [false, true]);
}

#[test]
fn an_event_is_delayed() {
    let mut bench = struck(WebhookFault::Delayed { delay_ms: 20_000 });
    order(&mut bench);
    assert_eq!(heard_until(&mut bench, 400_000), [(21_500, "WAITING_FOR_PAYMENT".to_owned())]);
}

#[test]
fn an_event_is_overtaken_by_the_next() {
    let mut bench =
        Bench::new(ModelConfig { webhook_each_confirmation: false, ..ModelConfig::default() });
    let rule = Rule::webhook(None, WebhookFault::Reordered {});
    bench.faults(FaultScript::default().with(rule));
    let order = order(&mut bench);
    let heard = heard_until(&mut bench, 5_000);
    assert_eq!(heard, []);
    bench.now = START + 5_000;
    bench.model.pay(bench.now, &OrderRef::Id(order), None, 1, 0).unwrap();
    assert_eq!(
        heard_until(&mut bench, 6_000),
        [(5_000, "WAITING_FOR_CONFIRMATION".to_owned()), (5_001, "WAITING_FOR_PAYMENT".to_owned())]
    );
}

#[test]
fn an_event_that_nothing_overtakes_is_held_a_minute() {
    let mut bench = struck(WebhookFault::Reordered {});
    order(&mut bench);
    assert_eq!(heard_until(&mut bench, 400_000), [(61_500, "WAITING_FOR_PAYMENT".to_owned())]);
}

#[test]
fn a_forged_address_comes_besides_the_true_one() {
    let mut bench = struck(WebhookFault::Forged { forgery: Forgery::FalseAddress });
    let order = bench.payable();
    assert_eq!(bench.heard.len(), 2);
    let truth = bench.field(order, "walletAddress");
    let addresses: Vec<String> =
        bench.heard.iter().map(|due| fields(&due.body)["walletAddress"].clone()).collect();
    assert_eq!(addresses.iter().filter(|&address| *address == truth).count(), 1);
    assert!(bench.heard.iter().all(|due| due.token.is_none()), "the right token");
    let ledger = bench.model.ledger();
    assert_eq!(ledger.deliveries.iter().filter(|delivery| delivery.forged).count(), 1);
    assert_eq!(bench.model.summary().forged, 1);
    assert_eq!(ledger.faults["webhook.forged_address"], 1);
}

#[test]
fn a_forged_status_is_final_and_false() {
    let mut bench = struck(WebhookFault::Forged { forgery: Forgery::FalseStatus });
    let order = bench.payable();
    let mut statuses: Vec<String> =
        bench.heard.iter().map(|due| fields(&due.body)["status"].clone()).collect();
    statuses.sort();
    assert_eq!(statuses, ["COMPLETED", "WAITING_FOR_PAYMENT"]);
    assert_eq!(bench.status(order), "WAITING_FOR_PAYMENT");
    assert!(!bench.entry(order).executed);
}

#[test]
fn a_wrong_token_carries_the_true_body() {
    let mut bench = struck(WebhookFault::Forged { forgery: Forgery::WrongToken });
    bench.payable();
    let tokens: Vec<bool> = bench.heard.iter().map(|due| due.token.is_some()).collect();
    assert_eq!(tokens.iter().filter(|&&wrong| wrong).count(), 1);
    assert_eq!(bench.heard[0].body, bench.heard[1].body);
}

#[test]
fn one_status_can_be_singled_out() {
    let rule = Rule::webhook(Some("COMPLETED".to_owned()), WebhookFault::LostAll {});
    let mut bench = Bench::with_faults(FaultScript::default().with(rule));
    let order = bench.payable();
    bench.pay(order, "1000");
    bench.wait(400_000);
    let told = bench.story();
    assert_eq!(told.len(), 5);
    assert!(told.iter().all(|line| !line.starts_with("COMPLETED")), "{told:?}");
    assert_eq!(bench.status(order), "COMPLETED");
}
