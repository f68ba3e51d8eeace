//! The bodies against the documents' own examples, character by character where the values can be had.

use orderkeep_sandbox::{
    Coin, Dialect, LockRequest, MissingFields, ModelConfig, OrderWords, Request,
};

use crate::bench::{Bench, answer, error, fields};

const LOCK_C: &str = include_str!("../fixtures/lock_c.json");
const LOCK_B: &str = include_str!("../fixtures/lock_b.json");
const CREATE: &str = include_str!("../fixtures/create.json");
const DETAILS_B: &str = include_str!("../fixtures/details_b.json");
const RATES: &str = include_str!("../fixtures/rates.json");
const ERROR: &str = include_str!("../fixtures/error.json");

#[test]
fn a_lock_of_dialect_c_is_the_example() {
    let mut bench = Bench::usual();
    let request = br#"{"currency":"usdc","amount":"346.59","network":"polygon"}"#;
    let made = answer(bench.call(&Request::Lock(request)));
    let id = &fields(&made.body)["lockId"];
    let expected = LOCK_C.trim().replace("aa1cb52d-4692-45b2-aadb-5a11ac221328", id);
    assert_eq!(made.body, expected);
    assert_eq!(made.status, 201);
}

#[test]
fn a_lock_of_dialect_b_is_the_example() {
    let coin = Coin {
        currency: "usdc".to_owned(),
        networks: vec!["polygon".to_owned()],
        decimals: 6,
        rate: "0.9245".to_owned(),
    };
    let config = ModelConfig {
        dialect: Dialect::B,
        coins: vec![coin],
        lock_status: 200,
        ..ModelConfig::default()
    };
    let mut bench = Bench::new(config);
    // 2025-09-23T06:55:40Z was long before; the fields' order, types and form are compared.
    // 85.470025 / 0.9245 = 92.45, the example's amount.
    let request = br#"{"currency":"usdc","amount":"85.470025","network":"polygon"}"#;
    let made = answer(bench.call(&Request::Lock(request)));
    let id = &fields(&made.body)["lockId"];
    let expected = LOCK_B
        .trim()
        .replace("a1b2c3d4-e5f6-7890-1234-567890abcdef", id)
        .replace("2025-09-23T06:55:40Z", "2026-02-13T11:28:46Z");
    assert_eq!(made.body, expected);
    assert_eq!(made.status, 200);
}

#[test]
fn a_create_answers_with_the_id_alone() {
    let mut bench = Bench::usual();
    let lock = bench.lock("100");
    let made = answer(bench.create(lock));
    let id = &fields(&made.body)["orderId"];
    assert_eq!(made.body, CREATE.trim().replace("663318af-7ea1-4c5a-8545-e433a2d43d5c", id));
    assert_eq!(made.status, 201);
}

#[test]
fn details_in_confirmation_are_the_example_and_the_expiry() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    bench.pay(order, "849.39");
    bench.wait(2_000);
    let read = answer(bench.read(order));
    let entry = bench.entry(order);
    let expected = DETAILS_B
        .trim()
        .replace("a44a0805-dd40-4dc4-80d7-8bc81783ec42", &entry.order_id)
        .replace("8b94a8f6-1c9d-4a6f-92c8-5f6d9e72a123", &entry.lock_id)
        // The prose names expiresAt, the example leaves it out.
        .replace(
            r#""createdAt":"2025-08-31T21:21:35.840Z""#,
            r#""createdAt":"2026-02-13T11:28:06.569Z","expiresAt":"2026-02-13T11:43:08.069Z""#,
        )
        .replace("0xE353464eBa01d651c16D8879cbCaE1C80568705C", entry.address.as_ref().unwrap())
        .replace(
            "0x84a1234b3b251ab02f1735c634eacab43a282dcbdebf22c1eb0634f5678695cd",
            &entry.payments[0].tx,
        );
    assert_eq!(read.body, expected);
    assert_eq!(read.status, 200);
}

#[test]
fn the_webhook_is_the_details() {
    let mut bench = Bench::usual();
    let order = bench.payable();
    let read = answer(bench.read(order));
    assert_eq!(bench.heard.len(), 1);
    assert_eq!(bench.heard[0].body, read.body);
}

#[test]
fn details_without_a_wallet_have_nulls() {
    let mut bench = Bench::usual();
    let lock = bench.lock("840");
    let order = bench.model.create_order(bench.now, lock).unwrap();
    for (field, value) in [
        ("status", "WAITING_FOR_WALLET_ADDRESS"),
        ("walletAddress", "null"),
        ("expiresAt", "null"),
        ("transactionHash", "null"),
        ("receivedAmount", "0"),
        ("totalAmountRequired", "1000"),
        ("confirmations", "0"),
        ("requiredConfirmations", "3"),
        ("network", "POLYGON"),
    ] {
        assert_eq!(bench.field(order, field), value, "{field}");
    }
}

#[test]
fn the_newer_words_and_absent_fields_are_optional() {
    let config = ModelConfig {
        order_words: OrderWords::C,
        missing_fields: MissingFields::Absent,
        ..ModelConfig::default()
    };
    let mut bench = Bench::new(config);
    let order = bench.payable();
    assert_eq!(bench.field(order, "currency"), "usdc");
    assert_eq!(bench.field(order, "destinationCurrency"), "eur");
    assert_eq!(bench.field(order, "cryptocurrency"), "absent");
    assert_eq!(bench.field(order, "transactionHash"), "absent");
}

#[test]
fn the_rates_are_a_flat_map_of_exact_numbers() {
    let mut bench = Bench::usual();
    let read = answer(bench.call(&Request::Rates));
    assert_eq!(fields(&read.body), fields(RATES));
    assert!(read.body.contains(r#""btc":55647.81453411"#), "{}", read.body);
    assert_eq!(read.status, 200);
}

#[test]
fn an_error_is_the_documented_envelope() {
    let mut bench = Bench::usual();
    let unknown = uuid::Uuid::nil();
    assert_eq!(answer(bench.create(unknown)).body, ERROR.trim());
    assert_eq!(error(bench.create(unknown)), (404, "P462".to_owned()));
}

#[test]
fn coins_are_cut_to_their_own_decimals() {
    let mut bench = Bench::usual();
    let mut amount = |currency: &str, network: &str| {
        let request = LockRequest {
            currency: currency.to_owned(),
            amount: "100".to_owned(),
            network: network.to_owned(),
        };
        fields(&bench.model.lock_rate(bench.now, &request).unwrap())["amount"].clone()
    };
    // 100 / 0.84 = 119.047619047..., 100 / 55647.81453411 = 0.001797016..., 100 / 0.35312008 = 283.189786313...
    assert_eq!(amount("usdc", "ethereum"), "119.047619");
    assert_eq!(amount("btc", "btc"), "0.00179701");
    assert_eq!(amount("pol", "polygon"), "283.18978631");
}

#[test]
fn status_words_are_configuration() {
    let mut config = ModelConfig::default();
    config.statuses.waiting_for_payment = "AWAITING_DEPOSIT".to_owned();
    let mut bench = Bench::new(config);
    let order = bench.payable();
    assert_eq!(bench.status(order), "AWAITING_DEPOSIT");
}
