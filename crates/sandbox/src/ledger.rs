//! The ledger: what really happened at the provider, for tests to compare with. Data only; the model fills it.
//!
//! Amounts are decimal strings, times provider milliseconds, statuses the configured words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything the sandbox knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Provider time of the report.
    pub now_ms: i64,
    /// Locks by id.
    pub locks: BTreeMap<String, LockEntry>,
    /// Orders that each lock made. More than one is what an engine must never cause.
    pub orders_per_lock: BTreeMap<String, Vec<String>>,
    /// Orders, oldest first.
    pub orders: Vec<OrderEntry>,
    /// Webhook deliveries, oldest first.
    pub deliveries: Vec<DeliveryEntry>,
    /// Calls by endpoint.
    pub calls: BTreeMap<String, CallCount>,
    /// Faults that struck, by `endpoint.fault` or `webhook.fault`.
    pub faults: BTreeMap<String, u64>,
}

/// A lock that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockEntry {
    /// When it was taken.
    pub taken_at_ms: i64,
    /// When it stops being good for a create.
    pub expires_at_ms: i64,
    /// Crypto to be paid.
    pub amount: String,
    /// Create calls that named it, whatever became of them.
    pub creates: Vec<CreateEntry>,
    /// How many there were; the list is bounded.
    pub creates_seen: u64,
    /// Whether one was sent after another whose outcome its sender could not know.
    pub resent_after_ambiguous: bool,
}

/// One create call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateEntry {
    /// Number of the call, from 1.
    pub call: u64,
    /// When it came.
    pub at_ms: i64,
    /// `made`, an error code, or the fault that struck.
    pub outcome: String,
}

/// An order as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEntry {
    /// The provider's id.
    pub order_id: String,
    /// The lock it was made from.
    pub lock_id: String,
    /// Number of the create call that made it, from 1.
    pub created_by_call: u64,
    /// When it was made.
    pub created_at_ms: i64,
    /// The status word.
    pub status: String,
    /// The address, once there.
    pub address: Option<String>,
    /// The end of its time to pay, once there is an address.
    pub expires_at_ms: Option<i64>,
    /// Crypto required.
    pub required: String,
    /// Crypto received and not taken back.
    pub received: String,
    /// Every payment ever seen.
    pub payments: Vec<PaymentEntry>,
    /// Whether it was executed, reversed later or not.
    pub executed: bool,
    /// When it was executed.
    pub executed_at_ms: Option<i64>,
    /// Why it failed, where it did.
    pub failure: Option<String>,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentEntry {
    /// Transaction hash.
    pub tx: String,
    /// Crypto sent.
    pub amount: String,
    /// Crypto that a reorganised chain took back.
    pub lost: String,
    /// When it was seen.
    pub at_ms: i64,
    /// Confirmations so far.
    pub confirmations: u32,
    /// Whether it came after the order's time.
    pub late: bool,
}

/// A webhook delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryEntry {
    /// Its number, from 0.
    pub id: u64,
    /// The order it speaks of; none when made by hand.
    pub order_id: Option<String>,
    /// The status word in its body.
    pub status: String,
    /// Tries so far, lost ones included.
    pub tries: u32,
    /// What became of it.
    pub outcome: DeliveryOutcome,
    /// Whether it is a lie.
    pub forged: bool,
    /// Whether it is the second of a pair.
    pub doubled: bool,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryOutcome {
    /// A try is to come or under way.
    Pending,
    /// A receiver answered 2xx.
    Delivered,
    /// Five tries, none of them heard.
    GivenUp,
}

/// Calls of one endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallCount {
    /// All that came.
    pub received: u64,
    /// Done as asked, and answered so.
    pub ok: u64,
    /// Turned down: an error code or a missing or wrong key.
    pub refused: u64,
    /// Struck by a fault or an outage.
    pub struck: u64,
}

/// The ledger in counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Provider time of the report.
    pub now_ms: i64,
    /// Locks taken.
    pub locks: u64,
    /// Orders made.
    pub orders: u64,
    /// Orders executed, reversed later or not.
    pub executed: u64,
    /// Orders by status word.
    pub by_status: BTreeMap<String, u64>,
    /// Locks that made more than one order. An engine keeps this at 0.
    pub locks_with_several_orders: u64,
    /// Locks for which a create was sent again after an unclear one. An engine keeps this at 0.
    pub locks_resent_after_ambiguous: u64,
    /// Orders that hold funds without having been executed.
    pub unexecuted_with_funds: u64,
    /// Deliveries by outcome.
    pub deliveries_pending: u64,
    /// See [`DeliveryOutcome::Delivered`].
    pub deliveries_delivered: u64,
    /// See [`DeliveryOutcome::GivenUp`].
    pub deliveries_given_up: u64,
    /// Webhooks dropped because the sandbox was full.
    pub deliveries_dropped: u64,
    /// Forged webhooks among the deliveries.
    pub forged: u64,
    /// Calls by endpoint.
    pub calls: BTreeMap<String, CallCount>,
    /// Faults that struck.
    pub faults: BTreeMap<String, u64>,
}
