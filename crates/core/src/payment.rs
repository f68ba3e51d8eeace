//! What has been paid of an order: a facet of `AwaitingPayment`, kept after the end.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Exact, Observation, Source, Timestamp, TransactionHash};

/// What confirmed reads have shown of the payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// How much is wanted.
    pub required: Exact,
    /// How much arrived.
    pub received: Exact,
    /// Blocks over the last transfer.
    pub confirmations: u32,
    /// Blocks wanted over it; `None` until the provider says.
    pub required_confirmations: Option<u32>,
    /// Every transfer ever named; a set, because reads repeat.
    pub transactions: BTreeSet<TransactionHash>,
    /// The least that a read started after the deadline has shown: what is above it came late.
    pub(crate) floor_after_deadline: Option<Exact>,
    /// A read that showed less than was there. One is not enough: the provider's reads can lag.
    pub(crate) suspected_fall: Option<SuspectedFall>,
    /// Since when something is there.
    pub since: Option<Timestamp>,
}

/// A confirmed read that showed less than was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SuspectedFall {
    pub(crate) received: Exact,
    pub(crate) read_started_at: Timestamp,
}

/// How much of what is wanted is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentKind {
    /// Nothing.
    None,
    /// Something, and this much is missing.
    Partial {
        /// What is missing.
        missing: Exact,
    },
    /// Exactly what is wanted.
    Exact,
    /// This much too much.
    Over {
        /// What is too much.
        excess: Exact,
    },
}

impl PaymentKind {
    /// The word for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Partial { .. } => "partial",
            Self::Exact => "exact",
            Self::Over { .. } => "over",
        }
    }
}

impl Payment {
    pub(crate) fn new(required: Exact) -> Self {
        Self {
            required,
            received: Exact::zero(),
            confirmations: 0,
            required_confirmations: None,
            transactions: BTreeSet::new(),
            floor_after_deadline: None,
            suspected_fall: None,
            since: None,
        }
    }

    /// How much of what is wanted is there. `received + missing - excess == required`, always.
    #[must_use]
    pub fn kind(&self) -> PaymentKind {
        if self.received.is_zero() {
            PaymentKind::None
        } else if let Some(missing) = self.required.beyond(&self.received) {
            PaymentKind::Partial { missing }
        } else if let Some(excess) = self.received.beyond(&self.required) {
            PaymentKind::Over { excess }
        } else {
            PaymentKind::Exact
        }
    }

    /// Whether some of it came after the deadline, proven by a read that started after it and did not show it yet.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.floor_after_deadline.as_ref().is_some_and(|floor| self.received > *floor)
    }

    /// Takes in what was seen. `newest`: it started after every read taken in before.
    ///
    /// Sets and minima are taken from any read, so that the order in which answers arrive makes no difference; what
    /// can rise and fall only from the newest. A claim, where claims are trusted, can only raise: it says nothing
    /// about when it was true.
    pub(crate) fn take_in(
        &mut self,
        seen: &Observation,
        deadline: Option<Timestamp>,
        newest: bool,
    ) {
        self.transactions.extend(seen.transactions.iter().cloned());
        let Some(received) = &seen.received else {
            return;
        };
        let falls = self.falls(received, seen.confirmations);
        match seen.source {
            Source::Claimed { .. } => {
                if falls {
                    return;
                }
            }
            Source::Confirmed { read_started_at } => {
                if deadline.is_some_and(|deadline| read_started_at > deadline)
                    && self.floor_after_deadline.as_ref().is_none_or(|floor| received < floor)
                {
                    self.floor_after_deadline = Some(received.clone());
                }
                // Any later read that still shows it takes the suspicion away.
                if !falls
                    && self
                        .suspected_fall
                        .as_ref()
                        .is_some_and(|first| read_started_at > first.read_started_at)
                {
                    self.suspected_fall = None;
                }
                // Two reads must agree on what fell: fewer blocks are no evidence of less money.
                let agrees = self.suspected_fall.as_ref().is_some_and(|first| {
                    (first.received < self.received) == (*received < self.received)
                });
                if newest && falls && !agrees {
                    self.suspected_fall =
                        Some(SuspectedFall { received: received.clone(), read_started_at });
                    return;
                }
            }
        }
        if newest {
            self.set(received, seen);
        }
    }

    /// Less arrived, or the same is less deep in the chain.
    fn falls(&self, received: &Exact, confirmations: Option<u32>) -> bool {
        *received < self.received
            || (*received == self.received
                && confirmations.is_some_and(|confirmations| confirmations < self.confirmations))
    }

    fn set(&mut self, received: &Exact, seen: &Observation) {
        self.suspected_fall = None;
        self.received = received.clone();
        if self.received.is_zero() {
            self.since = None;
        } else if self.since.is_none() {
            self.since = Some(seen.at());
        }
        if let Some(confirmations) = seen.confirmations {
            self.confirmations = confirmations;
        }
        if seen.required_confirmations.is_some() {
            self.required_confirmations = seen.required_confirmations;
        }
    }
}
