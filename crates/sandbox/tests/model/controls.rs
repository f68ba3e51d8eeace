//! The hand at the controls: reversals, failures, reorganised chains.

use std::str::FromStr;

use orderkeep_sandbox::{ControlError, OrderRef};
use rust_decimal::Decimal;

use crate::bench::Bench;

fn amount(text: &str) -> Option<Decimal> {
    Some(Decimal::from_str(text).unwrap())
}

#[test]
fn an_executed_order_can_be_reversed_once() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    let id = OrderRef::Id(order);
    assert_eq!(
        bench.model.reverse(bench.now, &id),
        Err(ControlError::WrongStage { verb: "reverse", stage: "WAITING_FOR_PAYMENT".to_owned() })
    );
    bench.pay(order, "1000");
    bench.wait(10_000);
    bench.model.reverse(bench.now, &id).unwrap();
    bench.wait(0);
    assert_eq!(bench.status(order), "REVERSED");
    assert_eq!(bench.story().last().unwrap(), "REVERSED 3 1000");
    let entry = bench.entry(order);
    assert!(entry.executed, "what happened stays in the ledger");
    assert!(bench.model.reverse(bench.now, &id).is_err());
}

#[test]
fn an_open_order_can_fail_and_then_stays_failed() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    bench.pay(order, "1000");
    bench.wait(2_000);
    let id = OrderRef::Id(order);
    bench.model.fail(bench.now, &id, "rate refused".to_owned()).unwrap();
    bench.wait(60 * 60_000);
    assert_eq!(bench.status(order), "FAILED");
    let entry = bench.entry(order);
    assert_eq!(entry.failure.as_deref(), Some("rate refused"));
    assert_eq!((entry.received.as_str(), entry.executed), ("1000", false));
    assert!(bench.model.fail(bench.now, &id, "again".to_owned()).is_err());
}

#[test]
fn an_order_without_an_address_can_fail() {
    let mut bench = Bench::usual();
    let lock = bench.lock("840");
    let order = bench.model.create_order(bench.now, lock).unwrap();
    bench.model.fail(bench.now, &OrderRef::Id(order), "no wallet".to_owned()).unwrap();
    bench.wait(60_000);
    assert_eq!(bench.status(order), "FAILED");
    assert_eq!(bench.field(order, "walletAddress"), "null");
}

#[test]
fn a_reorganised_chain_takes_everything_back() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    bench.pay(order, "1000");
    bench.wait(4_000);
    let taken = bench.model.reorganise(bench.now, &OrderRef::Id(order), None).unwrap();
    assert_eq!(taken, Decimal::from(1_000));
    assert_eq!(bench.status(order), "WAITING_FOR_PAYMENT");
    assert_eq!(bench.field(order, "receivedAmount"), "0");
    assert_eq!(bench.field(order, "confirmations"), "0");
    assert_eq!(bench.field(order, "transactionHash"), "null");
    bench.wait(15 * 60_000);
    assert_eq!(bench.status(order), "EXPIRED");
}

#[test]
fn a_reorganised_chain_takes_the_newest_payment_first_and_stops_the_execution() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    bench.pay(order, "700");
    bench.wait(6_000);
    bench.pay(order, "300");
    // All confirmed, half a second before the execution.
    bench.wait(6_500);
    bench.model.reorganise(bench.now, &OrderRef::Id(order), amount("300")).unwrap();
    assert_eq!(bench.status(order), "UNDERPAID");
    assert_eq!(bench.field(order, "receivedAmount"), "700");
    bench.wait(60_000);
    assert_eq!(bench.status(order), "UNDERPAID");
    assert!(!bench.entry(order).executed);
    bench.pay(order, "300");
    bench.wait(7_000);
    assert_eq!(bench.status(order), "COMPLETED");
}

#[test]
fn a_reorganised_chain_past_the_expiry_ends_the_order_at_once() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    bench.model.pay(bench.now, &OrderRef::Id(order), None, 1, 15 * 60_000 - 1_000).unwrap();
    bench.wait(15 * 60_000 + 1_000);
    assert_eq!(bench.status(order), "WAITING_FOR_CONFIRMATION");
    bench.model.reorganise(bench.now, &OrderRef::Id(order), amount("1")).unwrap();
    assert_eq!(bench.status(order), "EXPIRED");
    assert_eq!(bench.field(order, "receivedAmount"), "999");
}

#[test]
fn a_webhook_by_hand_goes_out_as_it_is() {
    let mut bench = Bench::usual();
    let body = r#"{"status": 1.10, "made": "up"}"#.to_owned();
    bench.model.send_webhook(bench.now, body.clone(), Some("stolen".to_owned())).unwrap();
    let due = bench.model.advance(bench.now);
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].body.as_str(), due[0].token.as_deref()), (body.as_str(), Some("stolen")));
    assert!(bench.model.ledger().deliveries[0].forged);
}
