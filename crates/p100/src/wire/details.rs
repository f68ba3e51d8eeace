//! Details: the whole order, as the details call answers it and as an order webhook carries it.

use orderkeep_core::{Observation, ProviderOrderId, Source, TransactionHash};

use super::{Fields, Unreadable, cut, lock::crypto_currency};
use crate::config::StatusTable;

/// The fields that an observation has a place for, or that say nothing to it.
const KNOWN: [&str; 14] = [
    "orderId",
    "lockId",
    "status",
    "createdAt",
    "expiresAt",
    "walletAddress",
    "confirmations",
    "requiredConfirmations",
    "receivedAmount",
    "totalAmountRequired",
    "cryptocurrency",
    "currency",
    "network",
    "transactionHash",
];

/// A word, not a text: longer ones are cut.
const STATUS_BYTES_MAX: usize = 64;

/// Reads an answer of the details call.
pub(crate) fn details(
    body: &[u8],
    source: Source,
    statuses: &StatusTable,
) -> Result<Observation, Unreadable> {
    observe(&Fields::read(body)?, source, statuses)
}

/// Reads an order's object. Its id and status must be there; of the rest, `null`, `""` and absent are the same.
///
/// What money depends on (lock, address, amounts, currency, network, deadline) must be readable where it is there.
/// Confirmations and the transaction inform only: unreadable, they stay as unknown fields.
pub(crate) fn observe(
    fields: &Fields<'_>,
    source: Source,
    statuses: &StatusTable,
) -> Result<Observation, Unreadable> {
    fields.check_unique()?;
    let missing = Unreadable::Missing;
    let status_text = fields.text("status")?.ok_or(missing("status"))?;
    let status_text = cut(&status_text, STATUS_BYTES_MAX);
    let confirmations = fields.count("confirmations");
    let required_confirmations = fields.count("requiredConfirmations");
    let transaction: Result<Option<TransactionHash>, _> =
        fields.parsed("transactionHash", "a transaction hash");

    let mut known = KNOWN.to_vec();
    for (name, is_unreadable) in [
        ("confirmations", confirmations.is_err()),
        ("requiredConfirmations", required_confirmations.is_err()),
        ("transactionHash", transaction.is_err()),
    ] {
        if is_unreadable {
            known.retain(|one| *one != name);
        }
    }
    Ok(Observation {
        source,
        provider_order: fields.parsed("orderId", "an order id")?.ok_or(missing("orderId"))?,
        lock_id: fields.parsed("lockId", "a lock id")?,
        status: statuses.status(&status_text),
        status_text,
        address: fields.parsed("walletAddress", "an address")?,
        expires_at: fields.parsed("expiresAt", "a time")?,
        required: fields.exact("totalAmountRequired")?,
        received: fields.exact("receivedAmount")?,
        confirmations: confirmations.unwrap_or(None),
        required_confirmations: required_confirmations.unwrap_or(None),
        transactions: transaction.unwrap_or(None).into_iter().collect(),
        currency: crypto_currency(fields)?,
        network: fields.parsed("network", "a network")?,
        unknown_fields: fields.others(&known),
    })
}

/// Whether the answer is about the order that was asked for. The id is kept as we know it: letters of a UUID have no
/// case, our look-ups have.
pub(crate) fn about(
    mut seen: Observation,
    order: &ProviderOrderId,
) -> Result<Observation, Unreadable> {
    if !seen.provider_order.as_str().eq_ignore_ascii_case(order.as_str()) {
        return Err(Unreadable::NotAsAsked("orderId"));
    }
    seen.provider_order = order.clone();
    Ok(seen)
}
