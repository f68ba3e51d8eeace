//! How the model says no: to a client of the API, and to the hand at the controls.

use crate::config::UnknownOrder;

/// An error of the API: an HTTP status and the documented envelope of two fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// `errorCode`, such as `P462`.
    pub code: String,
    /// `errorName`, kebab-case. The names of the order calls' errors are assumed.
    pub name: String,
}

impl ApiError {
    fn new(status: u16, code: &str, name: &str) -> Self {
        Self { status, code: code.to_owned(), name: name.to_owned() }
    }

    /// 400 `P403`: the request's form. Code and status seen.
    pub(crate) fn validation() -> Self {
        Self::new(400, "P403", "validation-error")
    }

    /// 400 `P410`: no such currency. Seen at a sister call.
    pub(crate) fn invalid_currency() -> Self {
        Self::new(400, "P410", "invalid-currency")
    }

    /// 404 `P462`: no such lock, or it expired, or it is used. Code and status seen; the three are not told apart.
    pub(crate) fn invalid_lock() -> Self {
        Self::new(404, "P462", "invalid-order-lock")
    }

    /// 400 `P500`, and it is a 400 indeed. Seen.
    pub(crate) fn unknown_exception() -> Self {
        Self::new(400, "P500", "unknown-exception")
    }

    /// 400 `P501`, and it is a 400 indeed. Seen.
    pub(crate) fn unavailable() -> Self {
        Self::new(400, "P501", "service-temporarily-unavailable")
    }

    pub(crate) fn unknown_order(config: &UnknownOrder) -> Self {
        Self::new(config.status, &config.error_code, &config.error_name)
    }
}

/// A control verb that could not be done; the message says why and what would work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No order has that id or address.
    #[error("no order is known by {0}; the ledger lists them all")]
    UnknownOrder(String),
    /// Nobody can pay an order whose address is not made yet.
    #[error("order {0} has no address yet; advance the clock past its wallet delay first")]
    NoAddress(String),
    /// The default amount is what is missing, and nothing is.
    #[error("order {0} misses nothing; name an amount to pay on top")]
    NothingMissing(String),
    /// The amount does not read, is not positive, or is too fine or too small to be split.
    #[error(
        "amount {0}: a positive decimal in plain digits is needed, enough for every transaction of the coin's decimals"
    )]
    BadAmount(String),
    /// Too few or too many transactions, or one order has had its fill.
    #[error("transactions: 1 to {0} in one order's whole life")]
    TooManyTransactions(usize),
    /// A delay out of range.
    #[error("milliseconds: 0 to {0}")]
    BadDelay(i64),
    /// The verb does not fit where the order is.
    #[error("cannot {verb} an order that is {stage}")]
    WrongStage {
        /// What was asked.
        verb: &'static str,
        /// Where the order is, in the configured spelling.
        stage: String,
    },
    /// A bounded list is full.
    #[error("{0} is full; start a new sandbox")]
    Full(&'static str),
}
