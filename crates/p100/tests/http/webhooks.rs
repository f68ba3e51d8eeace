//! Webhooks: which are authentic, and what they say.

use orderkeep_core::{ProviderStatus, Source};
use orderkeep_p100::{AuthorizationForm, P100, Secret, StatusTable};
use orderkeep_provider::{Heard, Provider as _};

use crate::{client, config, order_id, time};

const DETAILS_B: &str = include_str!("../fixtures/details_b.json");

fn accepting(form: AuthorizationForm, tokens: &[&str]) -> P100 {
    let mut config = config("http://127.0.0.1:1");
    config.authorization_form = form;
    config.webhook_tokens =
        tokens.iter().map(|token| Secret::new(*token).expect("a token")).collect();
    P100::new(config).expect("a client")
}

/// The webhook token is replaced while retries are on their way.
///
/// Two tokens are good meanwhile; a third, or none, never.
#[test]
fn c10_the_token_is_replaced() {
    use AuthorizationForm::{Bare, Bearer, Either};
    let two = ["token-new-81c4", "token-old-2b7f"];
    let cases: &[(AuthorizationForm, &[&str], Option<&str>, bool)] = &[
        (Either, &two, Some("token-new-81c4"), true),
        (Either, &two, Some("token-old-2b7f"), true),
        (Either, &two, Some("Bearer token-new-81c4"), true),
        (Either, &two, Some("bearer token-old-2b7f"), true),
        (Either, &two, Some("BEARER token-old-2b7f"), true),
        // Case, prefix, length, white space, scheme.
        (Either, &two, Some("Token-new-81c4"), false),
        (Either, &two, Some("token-new-81c"), false),
        (Either, &two, Some("token-new-81c44"), false),
        (Either, &two, Some("token-new-81c4 "), false),
        (Either, &two, Some("Bearer  token-new-81c4"), false),
        (Either, &two, Some("Bearertoken-new-81c4"), false),
        (Either, &two, Some("Basic token-new-81c4"), false),
        (Either, &two, Some("token-new-81c4token-old-2b7f"), false),
        (Either, &two, Some("Bearer "), false),
        (Either, &two, Some("Bearer"), false),
        (Either, &two, Some(""), false),
        (Either, &two, None, false),
        // One form only.
        (Bare, &two, Some("token-new-81c4"), true),
        (Bare, &two, Some("Bearer token-new-81c4"), false),
        (Bearer, &two, Some("Bearer token-new-81c4"), true),
        (Bearer, &two, Some("token-new-81c4"), false),
        // The old one after it was removed; none at all.
        (Either, &two[..1], Some("token-old-2b7f"), false),
        (Either, &[], Some(""), false),
        (Either, &[], Some("Bearer "), false),
        (Either, &[], Some("anything"), false),
        (Either, &[], None, false),
    ];
    for (form, tokens, header, expected) in cases {
        let client = accepting(*form, tokens);
        assert_eq!(
            client.is_authentic(header.map(str::as_bytes)),
            *expected,
            "{form:?} {tokens:?} {header:?}"
        );
    }
    assert!(!accepting(Either, &two).is_authentic(Some(&[0xff, 0xfe])));
}

fn hear(body: &str) -> Result<Heard, String> {
    client("http://127.0.0.1:1")
        .read_webhook(body.as_bytes(), time("2026-02-13T11:00:00Z"))
        .map_err(|e| e.to_string())
}

#[test]
fn an_order_is_heard_flat_and_in_an_envelope() {
    let enveloped = format!(r#"{{"event_type":"order.status_changed","data":{DETAILS_B}}}"#);
    let untyped = format!(r#"{{"data":{DETAILS_B}}}"#);
    for body in [DETAILS_B, &enveloped, &untyped] {
        let Ok(Heard::Order(seen)) = hear(body) else { panic!("{body}") };
        assert_eq!(seen.source, Source::Claimed { heard_at: time("2026-02-13T11:00:00Z") });
        assert_eq!(seen.provider_order, order_id());
        assert_eq!(seen.lock_id.unwrap().as_str(), "8b94a8f6-1c9d-4a6f-92c8-5f6d9e72a123");
        assert_eq!(seen.status, ProviderStatus::Confirming);
        assert_eq!(seen.address.unwrap().as_str(), "0xE353464eBa01d651c16D8879cbCaE1C80568705C");
        assert_eq!(seen.received.unwrap().text(), "849.39");
        assert_eq!(seen.unknown_fields, []);
    }
}

/// A webhook has odd, missing or unknown fields.
///
/// What informs is read tolerantly, what money rests on exactly or not at all; a webhook that cannot be read is a reason to
/// read its order.
#[test]
fn c13_odd_fields() {
    for (body, id, why) in [
        (r#"{"orderId":"a1"}"#, "a1", "the field `status` is missing"),
        (r#"{"orderId":"a1","status":17}"#, "a1", "the field `status` is not a string"),
        (
            r#"{"orderId":"a1","status":"X","status":"Y"}"#,
            "a1",
            "the field `status` is there twice",
        ),
        (
            r#"{"orderId":"a1","status":"X","receivedAmount":"lots"}"#,
            "a1",
            "the field `receivedAmount` is not an exact amount",
        ),
        (
            r#"{"event_type":"Order.updated","data":{"orderId":"a1"}}"#,
            "a1",
            "the field `status` is missing",
        ),
        (
            r#"{"event_type":"order.updated","data":{"id":"a1","status":"X"}}"#,
            "a1",
            "the field `orderId` is missing",
        ),
        (
            r#"{"event_type":"payment_link.paid","data":{"orderId":"a1","status":"X"}}"#,
            "a1",
            "it is a payment_link.paid event",
        ),
    ] {
        assert_eq!(
            hear(body),
            Ok(Heard::Unreadable { provider_order: id.parse().unwrap(), why: why.to_owned() }),
            "{body}"
        );
    }
}

/// A webhook is about something else than orders.
///
/// Answered with 200, counted, and nothing is kept.
#[test]
fn c22_not_about_orders() {
    // The documented bodies of other operations, and what a health check may send.
    for (body, kind) in [
        (
            r#"{"externalUserId":"8bdd8c8a","cryptoDepositId":"facc5951","amount":0.001,"currency":"eth",
                "status":"WAITING_FOR_TR_DATA","transactionHash":"0x10d5","createdAt":"2025-03-20T11:34:37.646Z"}"#,
            "crypto_deposit",
        ),
        (
            r#"{"event_type":"crypto_deposit.status_changed","data":{"cryptoDepositId":"f","status":"SUCCESSFUL",
                "amount":"0.05","currency":"eth"}}"#,
            "crypto_deposit.status_changed",
        ),
        (
            r#"{"id":"t","type":"external","amount":"3.8","transferTitle":"x","destinationIban":"y",
                "status":"SUCCESSFUL","currency":"eur","fee":0}"#,
            "sepa_transfer",
        ),
        (r#"{"exchangeId":"e","status":"COMPLETED"}"#, "exchange"),
        (r#"{"withdrawalId":"w","status":"COMPLETED"}"#, "crypto_withdrawal"),
        (r#"{"transferId":"t","status":"FAILED"}"#, "sepa_transfer"),
        (r#"{"id":"p","sourceExternalUserId":"u","amount":1,"status":"SUCCESSFUL"}"#, "transfer"),
        (r#"{"paymentLinkId":"l","status":"X"}"#, "payment_link"),
        (r#"{"externalUserId":"u","status":"VERIFIED"}"#, "user"),
        (r#"{"data":{"exchangeId":"e"}}"#, "exchange"),
        (r#"{"orderId":null,"exchangeId":"e"}"#, "exchange"),
        (r#"{"status":"ok"}"#, "unknown"),
        (r#"{"data":[[[]]]}"#, "unknown"),
        ("{}", "unknown"),
    ] {
        assert_eq!(hear(body), Ok(Heard::OtherKind { kind: kind.to_owned() }), "{body}");
    }
}

#[test]
fn what_is_no_webhook_is_refused() {
    for body in [
        "",
        "null",
        "17",
        "[]",
        "\"orderId\"",
        "{",
        r#"{"orderId":"a"} x"#,
        "<html></html>",
        r#"{"orderId":17,"status":"X"}"#,
        r#"{"orderId":"two words","status":"X"}"#,
        r#"{"event_type":"order.updated","data":{}}"#,
        r#"{"event_type":"order.updated"}"#,
    ] {
        assert!(hear(body).unwrap_err().starts_with("not a webhook: "), "{body}");
    }
    let nested = "[".repeat(100_000);
    assert!(hear(&nested).is_err());
    assert!(hear(&format!(r#"{{"data":{nested}}}"#)).is_err());
    let closed = format!(r#"{{"x":{nested}{}}}"#, "]".repeat(100_000));
    assert!(matches!(hear(&closed), Ok(Heard::OtherKind { .. })));
    let long = format!(r#"{{"orderId":"a","status":"X","x":"{}"}}"#, "x".repeat(300_000));
    assert_eq!(hear(&long).unwrap_err(), "not a webhook: it is longer than 262144 bytes");
}

#[test]
fn the_meaning_of_a_status_can_be_said() {
    let mut config = config("http://127.0.0.1:1");
    config.statuses =
        StatusTable::documented().with("settled", ProviderStatus::Executed).without("COMPLETED");
    let client = P100::new(config).unwrap();
    for (word, status) in [
        ("SETTLED", ProviderStatus::Executed),
        ("Settled", ProviderStatus::Executed),
        ("COMPLETED", ProviderStatus::Unknown("COMPLETED".to_owned())),
        ("EXPIRED", ProviderStatus::Expired),
        ("UNDERPAID", ProviderStatus::Confirming),
        ("FAILED", ProviderStatus::Failed),
        ("REVERSED", ProviderStatus::Reversed),
        ("WAITING_FOR_PAYMENT", ProviderStatus::AwaitingPayment),
    ] {
        let body = format!(r#"{{"orderId":"a","status":"{word}"}}"#);
        let heard = client.read_webhook(body.as_bytes(), time("2026-02-13T11:00:00Z"));
        let Ok(Heard::Order(seen)) = heard else { panic!("{word}") };
        assert_eq!((seen.status, seen.status_text.as_str()), (status, word));
    }
}

/// Found by the simulator, seed 2: a payer sent a part, the provider said UNDERPAID, and the order failed while he could
/// still send the rest, and did.
#[test]
fn an_underpaid_order_is_not_at_its_end() {
    let status = StatusTable::documented().status("UNDERPAID");
    assert_eq!(status, ProviderStatus::Confirming);
}
