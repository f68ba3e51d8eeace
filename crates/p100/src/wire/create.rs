//! Create: a lock's id goes, an order's id comes.

use orderkeep_core::{LockId, ProviderOrderId};

use super::{Fields, Unreadable};

/// `{"lockId":"..."}`. (seen)
pub(crate) fn create_body(lock_id: &LockId) -> Vec<u8> {
    serde_json::json!({ "lockId": lock_id.as_str() }).to_string().into_bytes()
}

/// `{"orderId":"..."}`. (seen)
pub(crate) fn create(body: &[u8]) -> Result<ProviderOrderId, Unreadable> {
    Fields::read(body)?.parsed("orderId", "an order id")?.ok_or(Unreadable::Missing("orderId"))
}
