//! The bodies, in the dialects of the documents. Field by field after the documents' examples; the odd mix of strings
//! and numbers is theirs.

use serde::{Serialize, ser::SerializeMap};
use uuid::Uuid;

use super::{
    ApiError,
    lock::Lock,
    order::{OrderView, Stage},
};
use crate::{
    amount::{self, JsonNumber},
    config::{Dialect, MissingFields, ModelConfig, OrderWords},
    stamp::Stamps,
};

/// Writes a body. Every body here is a struct of strings and numbers, which always has a JSON form.
fn json<T: Serialize>(body: &T) -> String {
    serde_json::to_string(body).expect("a struct of strings and numbers has a JSON form")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LockC<'a> {
    lock_id: Uuid,
    amount: JsonNumber,
    rate: String,
    expires_at: String,
    currency: &'a str,
    destination_currency: &'a str,
    network: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LockB<'a> {
    lock_id: Uuid,
    rate: JsonNumber,
    amount: JsonNumber,
    expires_at: String,
    cryptocurrency: &'a str,
    network: &'a str,
}

pub(crate) fn lock(lock: &Lock, config: &ModelConfig, stamps: Stamps) -> String {
    match config.dialect {
        Dialect::C => json(&LockC {
            lock_id: lock.id,
            amount: JsonNumber(lock.amount),
            rate: amount::plain(lock.rate),
            expires_at: stamps.millis(lock.expires_at),
            currency: &lock.currency,
            destination_currency: &config.destination_currency,
            network: &lock.network,
        }),
        Dialect::B => json(&LockB {
            lock_id: lock.id,
            rate: JsonNumber(lock.rate),
            amount: JsonNumber(lock.amount),
            expires_at: stamps.seconds(lock.expires_at),
            cryptocurrency: &lock.currency,
            network: &lock.network,
        }),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    order_id: Uuid,
}

pub(crate) fn created(order_id: Uuid) -> String {
    json(&Created { order_id })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details<'a> {
    order_id: Uuid,
    lock_id: Uuid,
    status: &'a str,
    created_at: String,
    expires_at: Option<String>,
    confirmations: u32,
    required_confirmations: u32,
    received_amount: JsonNumber,
    total_amount_required: JsonNumber,
    #[serde(skip_serializing_if = "Option::is_none")]
    cryptocurrency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_currency: Option<&'a str>,
    wallet_address: Option<&'a str>,
    /// Left out, null, or there.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_hash: Option<Option<&'a str>>,
    network: String,
}

/// Order details: the answer of a read and the body of a webhook alike.
pub(crate) fn details(view: &OrderView, config: &ModelConfig, stamps: Stamps) -> String {
    let currency = Some(view.currency.as_str());
    let (cryptocurrency, currency, destination_currency) = match config.order_words {
        OrderWords::B => (currency, None, None),
        OrderWords::C => (None, currency, Some(config.destination_currency.as_str())),
    };
    let hash = view.transaction_hash.as_deref();
    json(&Details {
        order_id: view.id,
        lock_id: view.lock_id,
        status: view.stage.word(&config.statuses),
        created_at: stamps.millis(view.created_at),
        expires_at: view.expires_at.map(|at| stamps.millis(at)),
        confirmations: view.confirmations,
        required_confirmations: view.required_confirmations,
        received_amount: JsonNumber(view.received),
        total_amount_required: JsonNumber(view.required),
        cryptocurrency,
        currency,
        destination_currency,
        wallet_address: view.address.as_deref(),
        transaction_hash: match config.missing_fields {
            MissingFields::Null => Some(hash),
            MissingFields::Absent => hash.map(Some),
        },
        network: view.network.to_ascii_uppercase(),
    })
}

/// A final status that is not the order's: executed, or expired where it is executed indeed.
pub(crate) const fn false_stage(stage: Stage) -> Stage {
    match stage {
        Stage::WaitingForWallet
        | Stage::WaitingForPayment
        | Stage::WaitingForConfirmation
        | Stage::Underpaid
        | Stage::Expired
        | Stage::Failed
        | Stage::Reversed => Stage::Completed,
        Stage::Completed => Stage::Expired,
    }
}

struct Rates<'a>(&'a ModelConfig);

impl Serialize for Rates<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for coin in &self.0.coins {
            if let Some(rate) = amount::positive(&coin.rate) {
                map.serialize_entry(&coin.currency, &JsonNumber(rate))?;
            }
        }
        map.serialize_entry(&self.0.destination_currency, &1)?;
        map.end()
    }
}

/// The rates. Assumed to look like those of the sister call: a flat map of numbers.
pub(crate) fn rates(config: &ModelConfig) -> String {
    json(&Rates(config))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    error_code: &'a str,
    error_name: &'a str,
}

pub(crate) fn error(error: &ApiError) -> String {
    json(&Envelope { error_code: &error.code, error_name: &error.name })
}

/// The body of a 401. The words are seen, the field's name is not.
pub(crate) fn denied(config: &ModelConfig, words: &str) -> String {
    json(&std::collections::BTreeMap::from([(config.denied_field.as_str(), words)]))
}
