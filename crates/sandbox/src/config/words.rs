//! The provider's words and dialects: names and shapes, no numbers.

use serde::Deserialize;

/// Which generation of the documents a lock's answer follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Older (2025): `rate` a number, `cryptocurrency`, no fiat named, whole seconds. Seen.
    B,
    /// Newer (2026): `rate` a string, `currency` and `destinationCurrency`, milliseconds. Seen.
    C,
}

/// How order details name the currencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderWords {
    /// `cryptocurrency`. Seen.
    B,
    /// `currency` and `destinationCurrency`. Assumed: only the lock of that generation was seen.
    C,
}

/// How a detail that has no value yet is written. Assumed, for `transactionHash`; the address and the expiry are
/// documented as null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingFields {
    /// The field is there and null.
    Null,
    /// The field is left out.
    Absent,
}

/// What a second create for a lock that already made an order does. Assumed, all three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondCreate {
    /// 404 `P462`.
    Refused,
    /// 201 with the id of the first order.
    SameOrder,
    /// 201 with a new order: the worst case for a client that sends twice.
    SecondOrder,
}

/// What a payment after the order's expiry does. Assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LatePolicy {
    /// The order stays expired and holds the funds.
    Held,
    /// Once paid in full and confirmed, the order is executed after all.
    Executed,
}

/// How the webhook token is written into `Authorization`. Assumed, both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationForm {
    /// The token alone.
    Bare,
    /// `Bearer <token>`.
    Bearer,
}

/// Which clock the bodies' timestamps are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimestampView {
    /// The moment of the wall clock at which each instant comes true: right for clients on an ordinary clock,
    /// however fast provider time runs.
    Wall,
    /// Provider time as it is; the `Date` header then tells provider time too.
    Provider,
}

/// The answer for an order nobody knows. Assumed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnknownOrder {
    /// HTTP status.
    pub status: u16,
    /// `errorCode`.
    pub error_code: String,
    /// `errorName`.
    pub error_name: String,
}

impl Default for UnknownOrder {
    fn default() -> Self {
        Self {
            status: 404,
            error_code: "P463".to_owned(),
            error_name: "order-not-found".to_owned(),
        }
    }
}

/// The spelling of every order status. Two were seen, the rest are assumed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatusNames {
    /// Accepted, the address is being made. Seen.
    pub waiting_for_wallet: String,
    /// The address is there, nothing was paid. Assumed.
    pub waiting_for_payment: String,
    /// A transfer was seen and is being confirmed. Seen.
    pub waiting_for_confirmation: String,
    /// Everything that came is confirmed and it is not enough. Assumed.
    pub underpaid: String,
    /// Sold. Assumed.
    pub completed: String,
    /// The order's time ran out. Assumed.
    pub expired: String,
    /// The provider gave up. Assumed.
    pub failed: String,
    /// Sold, and taken back later. Assumed.
    pub reversed: String,
}

impl Default for StatusNames {
    fn default() -> Self {
        Self {
            waiting_for_wallet: "WAITING_FOR_WALLET_ADDRESS".to_owned(),
            waiting_for_payment: "WAITING_FOR_PAYMENT".to_owned(),
            waiting_for_confirmation: "WAITING_FOR_CONFIRMATION".to_owned(),
            underpaid: "UNDERPAID".to_owned(),
            completed: "COMPLETED".to_owned(),
            expired: "EXPIRED".to_owned(),
            failed: "FAILED".to_owned(),
            reversed: "REVERSED".to_owned(),
        }
    }
}
