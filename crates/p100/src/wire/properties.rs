//! What must hold for any body whatever.

use orderkeep_core::{Source, Timestamp};
use orderkeep_provider::LockRequest;
use proptest::{collection::vec, prelude::*};

use super::{ErrorEnvelope, create, details, lock, rates};
use crate::{config::StatusTable, webhook};

const AT: Timestamp = Timestamp::from_millis(0);

fn request() -> LockRequest {
    LockRequest {
        amount: "1".parse().unwrap(),
        currency: "usdc".parse().unwrap(),
        network: "polygon".parse().unwrap(),
    }
}

/// Every reader reads it, and none panics.
fn read_in_every_way(body: &[u8]) {
    let statuses = StatusTable::documented();
    let source = Source::Claimed { heard_at: AT };
    if let Ok(seen) = details(body, source, &statuses) {
        assert!(seen.unknown_fields.len() <= 32);
        assert!(seen.unknown_fields.iter().all(|(n, v)| n.len() <= 64 && v.len() <= 256));
        assert!(seen.status_text.len() <= 64);
    }
    let _ = lock(body, &request());
    let _ = create(body);
    let _ = rates(body);
    let _ = ErrorEnvelope::read(body);
    let _ = webhook::read(body, AT, &statuses);
}

/// A value of JSON: plain, odd or nested.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just(r#""""#.to_owned()),
        Just(r#""\ud800""#.to_owned()),
        Just(r#""2026-02-13T11:28:46.569Z""#.to_owned()),
        Just("1e999".to_owned()),
        Just("-0".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<(i64, i16)>().prop_map(|(digits, exponent)| format!("{digits}e{exponent}")),
        any::<String>().prop_map(|s| serde_json::Value::from(s).to_string()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(","))),
            object(inner),
        ]
    })
}

/// An object whose names are mostly the ones that are looked for, some of them twice.
fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let name = prop_oneof![
        4 => proptest::sample::select(vec![
            "orderId", "lockId", "status", "expiresAt", "walletAddress", "confirmations",
            "receivedAmount", "totalAmountRequired", "currency", "cryptocurrency", "network",
            "transactionHash", "amount", "rate", "rates", "errorCode", "errorName", "event_type",
            "data", "id", "exchangeId", "usdc",
        ])
        .prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    vec((name, value), 0..12).prop_map(|fields| {
        let fields: Vec<_> = fields
            .into_iter()
            .map(|(name, value)| format!("{}:{value}", serde_json::Value::from(name)))
            .collect();
        format!("{{{}}}", fields.join(","))
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in vec(any::<u8>(), 0..512)) {
        read_in_every_way(&body);
    }

    #[test]
    fn any_object_is_read_or_refused(body in object(value())) {
        read_in_every_way(body.as_bytes());
    }

    #[test]
    fn a_body_that_was_cut_or_bent_is_read_or_refused(at in 0_usize..700, byte in any::<u8>()) {
        let whole = include_bytes!("../../tests/fixtures/details_b.json");
        let mut bent = whole.to_vec();
        let at = at % bent.len();
        read_in_every_way(&bent[..at]);
        bent[at] = byte;
        read_in_every_way(&bent);
    }

    /// The digits that were sent are the digits that are kept, as a number and as a string.
    #[test]
    fn amounts_are_kept_digit_by_digit(
        whole in "0|[1-9][0-9]{0,13}",
        fraction in "[0-9]{1,14}",
        quoted in any::<bool>(),
    ) {
        let digits = format!("{whole}.{fraction}");
        let json = if quoted { format!("\"{digits}\"") } else { digits.clone() };
        let body = format!(r#"{{"orderId":"a","status":"X","receivedAmount":{json}}}"#);
        let seen = details(body.as_bytes(), Source::Claimed { heard_at: AT }, &StatusTable::documented());
        let received = seen.unwrap().received.unwrap();
        prop_assert_eq!(received.text(), digits.as_str());
        // The value too: written out again, no digit but a trailing zero is lost.
        let written = received.value().normalize().to_string();
        let expected = digits.trim_end_matches('0').trim_end_matches('.');
        prop_assert_eq!(written, expected);
    }
}
