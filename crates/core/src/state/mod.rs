//! The six states, each with the data that only it has.
//!
//! One file per state; in each, one `on` that matches every input. No `_` arms: a new input breaks all six.

mod awaiting_payment;
mod created;
mod executed;
mod failed;
mod locked;
mod waiting_for_wallet;

use serde::{Deserialize, Serialize};

pub use awaiting_payment::AwaitingPayment;
pub use created::Created;
pub use executed::Executed;
pub use failed::Failed;
pub use locked::{Create, Locked};
pub(crate) use locked::{RELOCK_LATE, attempt_detail};
pub use waiting_for_wallet::WaitingForWallet;

use crate::{
    Exact, Observation, Payment, ProviderOrderId, ProviderStatus, Timestamp, event::BoundBy,
    observation::Address,
};

/// Where an order stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The rate is locked; entered by a submit, left by the create's proven outcome.
    Locked(Locked),
    /// The provider made the order; entered by its answer or a confirmed read.
    Created(Created),
    /// The provider makes an address.
    WaitingForWallet(WaitingForWallet),
    /// The address is there, the payer's turn; entered by a confirmed read alone, unless claims are trusted.
    AwaitingPayment(AwaitingPayment),
    /// Sold. The end.
    Executed(Executed),
    /// Not sold. The end.
    Failed(Failed),
}

/// The names of the states, the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum StateName {
    /// See [`State::Locked`].
    Locked,
    /// See [`State::Created`].
    Created,
    /// See [`State::WaitingForWallet`].
    WaitingForWallet,
    /// See [`State::AwaitingPayment`].
    AwaitingPayment,
    /// See [`State::Executed`].
    Executed,
    /// See [`State::Failed`].
    Failed,
}

impl StateName {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 6] = [
        Self::Locked,
        Self::Created,
        Self::WaitingForWallet,
        Self::AwaitingPayment,
        Self::Executed,
        Self::Failed,
    ];

    /// As it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Locked => "Locked",
            Self::Created => "Created",
            Self::WaitingForWallet => "WaitingForWallet",
            Self::AwaitingPayment => "AwaitingPayment",
            Self::Executed => "Executed",
            Self::Failed => "Failed",
        }
    }

    /// Whether it is an end.
    #[must_use]
    pub const fn is_end(self) -> bool {
        match self {
            Self::Executed | Self::Failed => true,
            Self::Locked | Self::Created | Self::WaitingForWallet | Self::AwaitingPayment => false,
        }
    }
}

impl std::fmt::Display for StateName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for StateName {
    type Err = BadStateName;

    fn from_str(text: &str) -> Result<Self, BadStateName> {
        Self::ALL
            .into_iter()
            .find(|name| name.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| BadStateName(text.chars().take(32).collect()))
    }
}

/// No state is called so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no state; there are Locked, Created, WaitingForWallet, AwaitingPayment, Executed, Failed"
)]
pub struct BadStateName(String);

impl State {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> StateName {
        match self {
            Self::Locked(_) => StateName::Locked,
            Self::Created(_) => StateName::Created,
            Self::WaitingForWallet(_) => StateName::WaitingForWallet,
            Self::AwaitingPayment(_) => StateName::AwaitingPayment,
            Self::Executed(_) => StateName::Executed,
            Self::Failed(_) => StateName::Failed,
        }
    }

    /// The provider's order, once it is known.
    #[must_use]
    pub const fn bound(&self) -> Option<&Bound> {
        match self {
            Self::Locked(_) => None,
            Self::Created(state) => Some(&state.bound),
            Self::WaitingForWallet(state) => Some(&state.bound),
            Self::AwaitingPayment(state) => Some(&state.bound),
            Self::Executed(state) => Some(&state.bound),
            Self::Failed(state) => state.bound.as_ref(),
        }
    }

    /// Where to pay and what was paid, once there is an address.
    #[must_use]
    pub const fn deposit(&self) -> Option<&Deposit> {
        match self {
            Self::Locked(_) | Self::Created(_) | Self::WaitingForWallet(_) => None,
            Self::AwaitingPayment(state) => Some(&state.deposit),
            Self::Executed(state) => state.deposit.as_ref(),
            Self::Failed(state) => state.deposit.as_ref(),
        }
    }

    pub(crate) const fn bound_mut(&mut self) -> Option<&mut Bound> {
        match self {
            Self::Locked(_) => None,
            Self::Created(state) => Some(&mut state.bound),
            Self::WaitingForWallet(state) => Some(&mut state.bound),
            Self::AwaitingPayment(state) => Some(&mut state.bound),
            Self::Executed(state) => Some(&mut state.bound),
            Self::Failed(state) => state.bound.as_mut(),
        }
    }

    pub(crate) const fn deposit_mut(&mut self) -> Option<&mut Deposit> {
        match self {
            Self::Locked(_) | Self::Created(_) | Self::WaitingForWallet(_) => None,
            Self::AwaitingPayment(state) => Some(&mut state.deposit),
            Self::Executed(state) => state.deposit.as_mut(),
            Self::Failed(state) => state.deposit.as_mut(),
        }
    }
}

/// The provider's order that is this order's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// Its name at the provider.
    pub provider_order: ProviderOrderId,
    /// What proves it.
    pub by: BoundBy,
    /// Since when it is known.
    pub at: Timestamp,
    /// The newest read that was taken in.
    pub last_read: Option<Box<Observation>>,
    /// Since when its status is a word that we do not know.
    pub unknown_status_since: Option<Timestamp>,
}

impl Bound {
    pub(crate) const fn new(provider_order: ProviderOrderId, by: BoundBy, at: Timestamp) -> Self {
        Self { provider_order, by, at, last_read: None, unknown_status_since: None }
    }

    /// Whether a read that started at `at` is newer than every read taken in.
    pub(crate) fn is_newest(&self, at: Timestamp) -> bool {
        self.last_read.as_ref().is_none_or(|last| at > last.at())
    }

    pub(crate) fn take_in(&mut self, seen: &Observation) {
        match &seen.status {
            ProviderStatus::Unknown(_) => {
                self.unknown_status_since.get_or_insert(seen.at());
            }
            ProviderStatus::WaitingForWallet
            | ProviderStatus::AwaitingPayment
            | ProviderStatus::Confirming
            | ProviderStatus::Executed
            | ProviderStatus::Expired
            | ProviderStatus::Underpaid
            | ProviderStatus::Failed
            | ProviderStatus::Reversed => self.unknown_status_since = None,
        }
        self.last_read = Some(Box::new(seen.clone()));
    }
}

/// Where to pay, until when, and what was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deposit {
    /// Where to pay; never changes.
    pub address: Address,
    /// Until when, as the provider last said. A reason to ask, never to decide.
    pub expires_at: Option<Timestamp>,
    /// What was paid.
    pub payment: Payment,
}

impl Deposit {
    pub(crate) fn new(address: Address, required: Exact) -> Self {
        Self { address, expires_at: None, payment: Payment::new(required) }
    }

    /// Takes in a confirmed read. `newest`: see [`Payment`].
    pub(crate) fn take_in(&mut self, seen: &Observation, newest: bool) {
        if newest && seen.expires_at.is_some() && seen.expires_at != self.expires_at {
            self.expires_at = seen.expires_at;
            // What was late for the old deadline need not be for the new one.
            self.payment.floor_after_deadline = None;
        }
        if newest && let Some(required) = &seen.required {
            self.payment.required = required.clone();
        }
        self.payment.take_in(seen, self.expires_at, newest);
    }
}
