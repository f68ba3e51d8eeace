//! Lock: an amount goes, a price that holds for a while comes.

use orderkeep_core::{Currency, Network, Terms};
use orderkeep_provider::LockRequest;

use super::{Fields, Unreadable};

/// `amount` goes as a string. (seen)
pub(crate) fn lock_body(request: &LockRequest) -> Vec<u8> {
    serde_json::json!({
        "currency": request.currency.as_str(),
        "amount": request.amount.text(),
        "network": request.network.as_str(),
    })
    .to_string()
    .into_bytes()
}

/// Both documented generations: the crypto currency is `currency` or `cryptocurrency`, the rate a string or a number,
/// the fiat currency named or not, the time with milliseconds or without. (seen)
pub(crate) fn lock(body: &[u8], request: &LockRequest) -> Result<Terms, Unreadable> {
    let terms = lock_taken_elsewhere(body)?;
    if terms.pay_currency != request.currency {
        return Err(Unreadable::NotAsAsked("currency"));
    }
    if terms.network != request.network {
        return Err(Unreadable::NotAsAsked("network"));
    }
    Ok(Terms { settle_amount: Some(request.amount.clone()), ..terms })
}

/// The answer alone: what was asked for is not in it.
pub(crate) fn lock_taken_elsewhere(body: &[u8]) -> Result<Terms, Unreadable> {
    let fields = Fields::read(body)?;
    let missing = Unreadable::Missing;
    let pay_currency = crypto_currency(&fields)?.ok_or(missing("currency"))?;
    let network: Network = fields.parsed("network", "a network")?.ok_or(missing("network"))?;
    let terms = Terms {
        lock_id: fields.parsed("lockId", "a lock id")?.ok_or(missing("lockId"))?,
        pay_amount: fields.exact("amount")?.ok_or(missing("amount"))?,
        pay_currency,
        network,
        rate: fields.exact("rate")?.ok_or(missing("rate"))?,
        settle_currency: fields.parsed("destinationCurrency", "a currency")?,
        settle_amount: None,
        expires_at: fields.parsed("expiresAt", "a time")?.ok_or(missing("expiresAt"))?,
    };
    if terms.pay_amount.is_zero() {
        return Err(Unreadable::Not("amount", "more than nothing"));
    }
    if terms.rate.is_zero() {
        return Err(Unreadable::Not("rate", "more than nothing"));
    }
    Ok(terms)
}

/// The crypto currency under either name; under both, they must agree.
pub(super) fn crypto_currency(fields: &Fields<'_>) -> Result<Option<Currency>, Unreadable> {
    let newer: Option<Currency> = fields.parsed("currency", "a currency")?;
    let older: Option<Currency> = fields.parsed("cryptocurrency", "a currency")?;
    match (newer, older) {
        (Some(newer), Some(older)) if newer != older => {
            Err(Unreadable::Contradiction("currency", "cryptocurrency"))
        }
        (newer, older) => Ok(newer.or(older)),
    }
}
