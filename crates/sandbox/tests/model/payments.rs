//! Payments that are not exact, not one, not in time, or not by hand.

use std::str::FromStr;

use orderkeep_sandbox::{AutoPay, AutoPayMix, ControlError, LatePolicy, ModelConfig, OrderRef};
use rust_decimal::Decimal;

use crate::bench::Bench;

#[test]
fn an_underpaid_order_can_be_topped_up() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    bench.pay(order, "849.39");
    bench.wait(6_000);
    assert_eq!(bench.status(order), "UNDERPAID");
    let first = bench.field(order, "transactionHash");
    // What is missing is the default.
    bench.model.pay(bench.now, &OrderRef::Id(order), None, 1, 0).unwrap();
    assert_eq!(bench.status(order), "WAITING_FOR_CONFIRMATION");
    assert_eq!(bench.field(order, "receivedAmount"), "1000");
    assert_eq!(bench.field(order, "confirmations"), "0");
    assert_ne!(bench.field(order, "transactionHash"), first);
    bench.wait(7_000);
    assert_eq!(bench.status(order), "COMPLETED");
    let amounts: Vec<String> =
        bench.entry(order).payments.into_iter().map(|payment| payment.amount).collect();
    assert_eq!(amounts, ["849.39", "150.61"]);
}

#[test]
fn an_underpaid_order_expires_and_holds_the_funds() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    bench.pay(order, "600");
    bench.wait(15 * 60_000);
    assert_eq!(bench.status(order), "EXPIRED");
    assert_eq!(bench.field(order, "receivedAmount"), "600");
    assert!(!bench.entry(order).executed);
    assert_eq!(bench.model.summary().unexecuted_with_funds, 1);
}

#[test]
fn an_overpaid_order_is_executed_and_shows_it() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    bench.pay(order, "1100.000001");
    bench.wait(7_000);
    assert_eq!(bench.status(order), "COMPLETED");
    assert_eq!(bench.field(order, "receivedAmount"), "1100.000001");
    assert_eq!(bench.entry(order).required, "1000");
}

#[test]
fn several_transactions_have_their_own_hashes_and_add_up() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    let hashes = bench.model.pay(bench.now, &OrderRef::Id(order), None, 3, 0).unwrap();
    assert_eq!(hashes.len(), 3);
    assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2] && hashes[0] != hashes[2]);
    let entry = bench.entry(order);
    let amounts: Vec<&str> = entry.payments.iter().map(|payment| payment.amount.as_str()).collect();
    assert_eq!(amounts, ["333.333333", "333.333333", "333.333334"]);
    assert_eq!(bench.field(order, "receivedAmount"), "1000");
    assert_eq!(bench.field(order, "transactionHash"), hashes[2]);
    bench.wait(7_000);
    assert_eq!(bench.status(order), "COMPLETED");
}

#[test]
fn an_address_is_enough_to_pay_whatever_its_case() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    let address = bench.field(order, "walletAddress").to_ascii_uppercase();
    bench.model.pay(bench.now, &OrderRef::Address(address), None, 1, 0).unwrap();
    assert_eq!(bench.field(order, "receivedAmount"), "1000");
}

#[test]
fn late_funds_are_held() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    bench.wait(15 * 60_000);
    bench.heard.clear();
    bench.pay(order, "1000");
    bench.wait(60_000);
    assert_eq!(
        bench.story(),
        ["EXPIRED 0 1000", "EXPIRED 1 1000", "EXPIRED 2 1000", "EXPIRED 3 1000"]
    );
    let entry = bench.entry(order);
    assert!(entry.payments[0].late && !entry.executed);
}

#[test]
fn late_funds_may_execute_the_order_after_all() {
    let config = ModelConfig { late_policy: LatePolicy::Executed, ..ModelConfig::default() };
    let mut bench = Bench::new(config);
    let order = bench.payable();
    bench.pay(order, "400");
    bench.wait(15 * 60_000);
    assert_eq!(bench.status(order), "EXPIRED");
    bench.pay(order, "600");
    bench.wait(6_999);
    assert_eq!(bench.status(order), "EXPIRED");
    bench.wait(1);
    assert_eq!(bench.status(order), "COMPLETED");
    let late: Vec<bool> = bench.entry(order).payments.iter().map(|payment| payment.late).collect();
    assert_eq!(late, [false, true]);
}

#[test]
fn payments_that_make_no_sense_are_refused() {
    let mut bench = Bench::usual();
    let lock = bench.lock("840");
    let order = bench.model.create_order(bench.now, lock).unwrap();
    let id = OrderRef::Id(order);
    let amount = |text: &str| Some(Decimal::from_str(text).unwrap());
    let pay = |bench: &mut Bench, wanted, transactions, after_ms| {
        bench.model.pay(bench.now, &id, wanted, transactions, after_ms).unwrap_err()
    };
    assert_eq!(pay(&mut bench, None, 1, 0), ControlError::NoAddress(order.to_string()));
    bench.wait(1_500);
    assert_eq!(
        pay(&mut bench, amount("0.0000001"), 1, 0),
        ControlError::BadAmount("0.0000001".to_owned())
    );
    assert_eq!(pay(&mut bench, amount("-1"), 1, 0), ControlError::BadAmount("-1".to_owned()));
    assert_eq!(
        pay(&mut bench, amount("0.000001"), 2, 0),
        ControlError::BadAmount("0.000001".to_owned())
    );
    assert_eq!(pay(&mut bench, None, 0, 0), ControlError::TooManyTransactions(64));
    assert_eq!(pay(&mut bench, None, 65, 0), ControlError::TooManyTransactions(64));
    assert!(matches!(pay(&mut bench, None, 1, -1), ControlError::BadDelay(_)));
    bench.pay(order, "1000");
    assert_eq!(pay(&mut bench, None, 1, 0), ControlError::NothingMissing(order.to_string()));
    let nobody = OrderRef::Address("0xdead".to_owned());
    assert_eq!(
        bench.model.pay(bench.now, &nobody, None, 1, 0),
        Err(ControlError::UnknownOrder("0xdead".to_owned()))
    );
}

#[test]
fn a_planned_payment_counts_when_it_comes() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    bench.model.pay(bench.now, &OrderRef::Id(order), None, 1, 5_000).unwrap();
    bench.wait(4_999);
    assert_eq!(bench.field(order, "receivedAmount"), "0");
    bench.wait(1);
    assert_eq!(bench.field(order, "receivedAmount"), "1000");
}

#[test]
fn the_fallback_payer_pays_each_way() {
    let nothing =
        AutoPayMix { exact: 0, under: 0, over: 0, late: 0, two_transactions: 0, never: 0 };
    let after = |mix: AutoPayMix| {
        let auto_pay = Some(AutoPay { after_ms: 3_000, mix });
        let mut bench = Bench::new(ModelConfig { auto_pay, ..ModelConfig::default() });
        let order = bench.payable();
        bench.wait(16 * 60_000);
        let entry = bench.entry(order);
        let transactions = entry.payments.len();
        (entry.status, entry.received, transactions)
    };
    let row = |status: &str, received: &str, count| (status.to_owned(), received.to_owned(), count);
    assert_eq!(after(AutoPayMix { exact: 1, ..nothing.clone() }), row("COMPLETED", "1000", 1));
    assert_eq!(after(AutoPayMix { under: 1, ..nothing.clone() }), row("EXPIRED", "600", 1));
    assert_eq!(after(AutoPayMix { over: 1, ..nothing.clone() }), row("COMPLETED", "1100", 1));
    assert_eq!(after(AutoPayMix { late: 1, ..nothing.clone() }), row("EXPIRED", "1000", 1));
    assert_eq!(
        after(AutoPayMix { two_transactions: 1, ..nothing.clone() }),
        row("COMPLETED", "1000", 2)
    );
    assert_eq!(after(AutoPayMix { never: 1, ..nothing }), row("EXPIRED", "0", 0));
}
