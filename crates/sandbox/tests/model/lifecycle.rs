//! The stages of an order under time and exact payments.

use orderkeep_sandbox::{ModelConfig, OrderRef};

use crate::bench::Bench;

#[test]
fn an_exact_payment_walks_the_whole_way() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    assert_eq!(bench.status(order), "WAITING_FOR_PAYMENT");
    bench.pay(order, "1000");
    bench.wait(10_000);
    assert_eq!(
        bench.story(),
        [
            "WAITING_FOR_PAYMENT 0 0",
            "WAITING_FOR_CONFIRMATION 0 1000",
            "WAITING_FOR_CONFIRMATION 1 1000",
            "WAITING_FOR_CONFIRMATION 2 1000",
            "WAITING_FOR_CONFIRMATION 3 1000",
            "COMPLETED 3 1000",
        ]
    );
    let entry = bench.entry(order);
    assert!(entry.executed);
    // 1.5 s to the address, three confirmations of 2 s, 1 s to the execution.
    assert_eq!(entry.executed_at_ms, Some(crate::bench::START + 1_500 + 6_000 + 1_000));
}

#[test]
fn confirmations_need_not_be_told() {
    let config = ModelConfig { webhook_each_confirmation: false, ..ModelConfig::default() };
    let mut bench = Bench::new(config);
    let order = bench.payable();
    bench.pay(order, "1000");
    bench.wait(10_000);
    assert_eq!(
        bench.story(),
        ["WAITING_FOR_PAYMENT 0 0", "WAITING_FOR_CONFIRMATION 0 1000", "COMPLETED 3 1000"]
    );
}

#[test]
fn an_accepted_order_may_be_told_at_once() {
    let config = ModelConfig { webhook_on_create: true, ..ModelConfig::default() };
    let mut bench = Bench::new(config);
    bench.payable();
    assert_eq!(bench.story(), ["WAITING_FOR_WALLET_ADDRESS 0 0", "WAITING_FOR_PAYMENT 0 0"]);
}

#[test]
fn the_address_comes_after_its_delay_and_never_changes() {
    let mut bench = Bench::usual();
    let lock = bench.lock("840");
    let order = bench.model.create_order(bench.now, lock).unwrap();
    bench.wait(1_499);
    assert_eq!(bench.field(order, "walletAddress"), "null");
    bench.wait(1);
    let address = bench.field(order, "walletAddress");
    assert!(address.starts_with("0x") && address.len() == 42, "{address}");
    assert_eq!(bench.field(order, "expiresAt"), "2026-02-13T11:43:08.069Z");
    bench.pay(order, "1000");
    bench.wait(10_000);
    assert_eq!(bench.field(order, "walletAddress"), address);
}

#[test]
fn an_unpaid_order_expires_at_its_time() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    bench.wait(15 * 60_000 - 1);
    assert_eq!(bench.status(order), "WAITING_FOR_PAYMENT");
    bench.wait(1);
    assert_eq!(bench.status(order), "EXPIRED");
    assert_eq!(bench.story(), ["WAITING_FOR_PAYMENT 0 0", "EXPIRED 0 0"]);
    assert_eq!(bench.model.next_due(), None);
}

#[test]
fn a_payment_at_the_very_end_is_in_time() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    bench.model.pay(bench.now, &OrderRef::Id(order), None, 1, 15 * 60_000).unwrap();
    bench.wait(15 * 60_000);
    assert_eq!(bench.status(order), "WAITING_FOR_CONFIRMATION");
    assert!(!bench.entry(order).payments[0].late);
    bench.wait(10_000);
    assert_eq!(bench.status(order), "COMPLETED");
}

#[test]
fn a_full_payment_in_confirmation_does_not_expire() {
    let config = ModelConfig {
        order_ttl_ms: 10_000,
        confirmation_interval_ms: 30_000,
        ..ModelConfig::default()
    };
    let mut bench = Bench::new(config);
    let order = bench.payable();
    bench.wait(9_000);
    bench.pay(order, "1000");
    bench.wait(60_000);
    assert_eq!(bench.status(order), "WAITING_FOR_CONFIRMATION");
    assert_eq!(bench.field(order, "confirmations"), "2");
    bench.wait(31_000);
    assert_eq!(bench.status(order), "COMPLETED");
}

#[test]
fn one_long_step_is_the_same_as_many_short_ones() {
    let mut steps = Bench::usual();
    let order = steps.payable();
    steps.pay(order, "1000");
    steps.wait(60_000);
    let mut leap = Bench::usual();
    let same = leap.payable();
    leap.pay(same, "1000");
    leap.now += 60_000;
    leap.model.pass_to(leap.now);
    assert_eq!(steps.model.ledger().orders, leap.model.ledger().orders);
}

#[test]
fn the_wallets_spread_is_drawn_within_its_bounds() {
    let config = ModelConfig { wallet_delay_spread_ms: 5_000, ..ModelConfig::default() };
    let mut bench = Bench::new(config);
    for _ in 0..50 {
        let lock = bench.lock("840");
        bench.model.create_order(bench.now, lock).unwrap();
    }
    let early = |bench: &Bench| {
        bench.model.ledger().orders.iter().filter(|order| order.address.is_some()).count()
    };
    bench.wait(1_499);
    assert_eq!(early(&bench), 0);
    bench.wait(2_500);
    assert!((10..=40).contains(&early(&bench)), "{}", early(&bench));
    bench.wait(2_501);
    assert_eq!(early(&bench), 50);
}
