//! Locks, and what a create makes of them.

use orderkeep_sandbox::{ApiError, Key, ModelConfig, Request, SecondCreate, UnknownOrder};
use uuid::Uuid;

use crate::bench::{Bench, answer, error, fields, uuid_of};

fn code(result: Result<Uuid, ApiError>) -> (u16, String) {
    let refused = result.unwrap_err();
    (refused.status, refused.code)
}

#[test]
fn a_lock_is_good_until_its_last_millisecond() {
    let mut bench = Bench::usual();
    let (early, late) = (bench.lock("100"), bench.lock("100"));
    bench.wait(39_999);
    assert!(bench.model.create_order(bench.now, early).is_ok());
    bench.wait(1);
    assert_eq!(code(bench.model.create_order(bench.now, late)), (404, "P462".to_owned()));
}

#[test]
fn a_second_create_is_refused() {
    let mut bench = Bench::usual();
    let lock = bench.lock("100");
    assert_eq!(answer(bench.create(lock)).status, 201);
    assert_eq!(error(bench.create(lock)), (404, "P462".to_owned()));
    assert_eq!(bench.model.summary().orders, 1);
    assert_eq!(bench.model.summary().locks_with_several_orders, 0);
}

#[test]
fn a_second_create_may_name_the_same_order_even_past_the_lock() {
    let config = ModelConfig { second_create: SecondCreate::SameOrder, ..ModelConfig::default() };
    let mut bench = Bench::new(config);
    let lock = bench.lock("100");
    let first = answer(bench.create(lock));
    bench.wait(60_000);
    let second = answer(bench.create(lock));
    assert_eq!((second.status, second.body), (201, first.body));
    assert_eq!(bench.model.summary().orders, 1);
}

#[test]
fn a_second_create_may_make_a_second_order() {
    let config = ModelConfig { second_create: SecondCreate::SecondOrder, ..ModelConfig::default() };
    let mut bench = Bench::new(config);
    let lock = bench.lock("100");
    let first = uuid_of(&answer(bench.create(lock)).body, "orderId");
    let second = uuid_of(&answer(bench.create(lock)).body, "orderId");
    assert_ne!(first, second);
    let ledger = bench.model.ledger();
    assert_eq!(ledger.orders_per_lock[&lock.to_string()], [first.to_string(), second.to_string()]);
    assert_eq!(bench.model.summary().locks_with_several_orders, 1);
}

#[test]
fn requests_of_bad_form_are_p403() {
    let mut bench = Bench::usual();
    let p403 = (400, "P403".to_owned());
    for body in [
        "",
        "{}",
        "[]",
        "not json",
        r#"{"currency":"usdc","amount":346.59,"network":"polygon"}"#,
        r#"{"currency":"usdc","amount":"0","network":"polygon"}"#,
        r#"{"currency":"usdc","amount":"-5","network":"polygon"}"#,
        r#"{"currency":"usdc","amount":"1e3","network":"polygon"}"#,
        r#"{"currency":"usdc","amount":"0.0000001","network":"polygon"}"#,
        r#"{"currency":"usdc","amount":"99999999999999999999999999999999","network":"polygon"}"#,
        r#"{"currency":"usdc","amount":"5","network":"solana"}"#,
        r#"{"currency":"usdc","amount":"5"}"#,
    ] {
        assert_eq!(error(bench.call(&Request::Lock(body.as_bytes()))), p403, "{body}");
    }
    for body in ["", "{}", r#"{"lockId":"x"}"#, r#"{"lockId":7}"#] {
        assert_eq!(error(bench.call(&Request::Create(body.as_bytes()))), p403, "{body}");
    }
    assert_eq!(error(bench.call(&Request::Details("x"))), p403);
    let doge = br#"{"currency":"doge","amount":"5","network":"doge"}"#;
    assert_eq!(error(bench.call(&Request::Lock(doge))), (400, "P410".to_owned()));
    assert_eq!(bench.model.summary().locks, 0);
}

#[test]
fn an_unknown_order_is_answered_as_configured() {
    let mut bench = Bench::usual();
    assert_eq!(error(bench.read(Uuid::nil())), (404, "P463".to_owned()));
    let config = ModelConfig {
        unknown_order: UnknownOrder {
            status: 400,
            error_code: "P428".to_owned(),
            error_name: "no-such-order".to_owned(),
        },
        ..ModelConfig::default()
    };
    let mut bench = Bench::new(config);
    let read = answer(bench.read(Uuid::nil()));
    assert_eq!(read.status, 400);
    assert_eq!(read.body, r#"{"errorCode":"P428","errorName":"no-such-order"}"#);
}

#[test]
fn a_missing_and_a_wrong_key_are_told_apart() {
    let config = ModelConfig { denied_field: "error".to_owned(), ..ModelConfig::default() };
    let mut bench = Bench::new(config);
    let lock = bench.lock("100");
    let body = format!(r#"{{"lockId":"{lock}"}}"#);
    for (key, words) in [(Key::Missing, "Access Denied. xo1"), (Key::Wrong, "Access Denied. xo2")] {
        let reply = bench.model.call(bench.now, key, &Request::Create(body.as_bytes()));
        let denied = answer(reply);
        assert_eq!(denied.status, 401);
        assert_eq!(fields(&denied.body)["error"], words);
    }
    assert_eq!(bench.model.summary().orders, 0);
    assert_eq!(bench.model.ledger().calls["create"].refused, 2);
}

#[test]
fn the_ledger_knows_every_create_of_a_lock() {
    let mut bench = Bench::usual();
    let lock = bench.lock("100");
    bench.create(lock);
    bench.wait(1_000);
    bench.create(lock);
    let entry = &bench.model.ledger().locks[&lock.to_string()];
    let outcomes: Vec<&str> = entry.creates.iter().map(|call| call.outcome.as_str()).collect();
    assert_eq!(outcomes, ["made", "P462"]);
    assert_eq!(entry.creates_seen, 2);
    assert!(!entry.resent_after_ambiguous);
    let order = &bench.model.ledger().orders[0];
    assert_eq!((order.created_by_call, order.lock_id.as_str()), (1, lock.to_string().as_str()));
}
