//! What a partner may decide: times, tolerances, trust. Everything else is the lifecycle's.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{AnswerTable, Exact};

/// The partner's decisions, the same for every order of an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// A create is never sent later than this before its lock ends.
    pub lock_margin: Duration,
    /// So much sooner a lock ends by the provider's clock than by ours. Not decided but measured: the margin is wider by as
    /// much, and where that decides something, the order's history says so ([`crate::Event::MarginWidened`]).
    pub clock_ahead: Duration,
    /// After this long without an answer a create's outcome is unknown.
    pub create_timeout: Duration,
    /// First and longest wait before a create that had no effect is sent again.
    pub create_backoff: (Duration, Duration),
    /// Which create answers may be sent again.
    pub answers: AnswerTable,
    /// How long after its lock's end an order made from it can still be alive at the provider. With it, an unknown
    /// create ends as `Failed` when both are past; without it, it stays, with a question that cannot be acknowledged away, until a person or evidence ends it.
    pub provider_order_window: Option<Duration>,
    /// An unknown create asks for a person after this long.
    pub unknown_create_review_after: Duration,
    /// A fresh lock that does not come asks for a person after this long.
    pub relock_review_after: Duration,
    /// A missing address asks for a person after this long.
    pub wallet_review_after: Duration,
    /// A payment that is seen and not decided asks for a person after this long.
    pub confirming_review_after: Duration,
    /// An order past its deadline that the provider does not end asks for a person after this long.
    pub overdue_review_after: Duration,
    /// An order with an address and without a deadline asks for a person after this long.
    pub unpaid_review_after: Duration,
    /// A status we do not know asks for a person after this long.
    pub unknown_status_review_after: Duration,
    /// A provider may not find its own order for this long after making it.
    pub not_found_grace: Duration,
    /// How far an order's amount may be from its terms.
    pub amount_tolerance: Exact,
    /// Believe an address that a webhook claims, without a confirming read.
    pub trust_claimed_address: bool,
    /// Believe that an order was executed when a webhook claims it, without a confirming read.
    pub trust_claimed_executed: bool,
    /// Believe that an order failed, expired or was underpaid when a webhook claims it, without a confirming read.
    pub trust_claimed_failed: bool,
    /// How long an order is listened to after its end.
    pub watch_after_end: Duration,
    /// How often orders are read.
    pub polling: Polling,
}

/// How often orders are read: at least and at most, per situation. In between it grows with the order's age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Polling {
    /// `Created` and `WaitingForWallet`.
    pub wallet: (Duration, Duration),
    /// `AwaitingPayment`, nothing seen yet.
    pub payment: (Duration, Duration),
    /// `AwaitingPayment`, a payment is seen, or the deadline is near.
    pub confirming: (Duration, Duration),
    /// After the end.
    pub watch: (Duration, Duration),
}

impl Policy {
    /// The margin before a lock's end, by the provider's clock.
    #[must_use]
    pub const fn margin(&self) -> Duration {
        self.lock_margin.saturating_add(self.clock_ahead)
    }
}

impl Default for Policy {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        let minutes = |n: u64| Duration::from_secs(n * 60);
        let hours = |n: u64| minutes(n * 60);
        Self {
            // The connect and the flight of one request, twice.
            lock_margin: seconds(2),
            clock_ahead: Duration::ZERO,
            create_timeout: seconds(30),
            create_backoff: (Duration::from_millis(500), seconds(8)),
            answers: AnswerTable::default(),
            provider_order_window: None,
            // The provider's five tries of a webhook take two minutes.
            unknown_create_review_after: minutes(5),
            relock_review_after: minutes(10),
            wallet_review_after: minutes(10),
            confirming_review_after: hours(2),
            overdue_review_after: minutes(15),
            unpaid_review_after: hours(24),
            unknown_status_review_after: minutes(10),
            not_found_grace: minutes(2),
            amount_tolerance: Exact::zero(),
            trust_claimed_address: false,
            trust_claimed_executed: false,
            trust_claimed_failed: false,
            watch_after_end: hours(24 * 7),
            polling: Polling {
                wallet: (seconds(2), seconds(30)),
                payment: (seconds(15), seconds(60)),
                confirming: (seconds(10), seconds(30)),
                watch: (minutes(15), hours(24)),
            },
        }
    }
}
