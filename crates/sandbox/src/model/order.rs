//! One order as the provider keeps it, and what a client may see of it.
//!
//! This file holds the data; [`super::timeline`] says what time does to it and [`super::payment`] what money does.

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::config::StatusNames;

/// Where an order is. The spelling a client sees is configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Accepted; the address is being made.
    WaitingForWallet,
    /// Nothing was paid yet.
    WaitingForPayment,
    /// At least one payment has confirmations to come, or the order is about to be executed.
    WaitingForConfirmation,
    /// All that came is confirmed, and it is not enough.
    Underpaid,
    /// Sold.
    Completed,
    /// Time ran out. What was paid is held.
    Expired,
    /// Given up by the provider. What was paid is held.
    Failed,
    /// Sold and taken back.
    Reversed,
}

impl Stage {
    /// The configured spelling.
    pub(crate) fn word(self, names: &StatusNames) -> &str {
        match self {
            Self::WaitingForWallet => &names.waiting_for_wallet,
            Self::WaitingForPayment => &names.waiting_for_payment,
            Self::WaitingForConfirmation => &names.waiting_for_confirmation,
            Self::Underpaid => &names.underpaid,
            Self::Completed => &names.completed,
            Self::Expired => &names.expired,
            Self::Failed => &names.failed,
            Self::Reversed => &names.reversed,
        }
    }

    /// Whether only a late or control event can still change it.
    pub(crate) const fn is_final(self) -> bool {
        match self {
            Self::WaitingForWallet
            | Self::WaitingForPayment
            | Self::WaitingForConfirmation
            | Self::Underpaid => false,
            Self::Completed | Self::Expired | Self::Failed | Self::Reversed => true,
        }
    }
}

/// A transfer to an order's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Payment {
    /// Transaction hash, its own for each payment.
    pub(crate) tx: String,
    /// What was sent, crypto.
    pub(crate) amount: Decimal,
    /// What a reorganised chain took away of it again.
    pub(crate) lost: Decimal,
    /// When it was seen, provider milliseconds.
    pub(crate) at: i64,
    /// Confirmations so far.
    pub(crate) confirmations: u32,
    /// Whether it came after the order's time.
    pub(crate) late: bool,
}

impl Payment {
    pub(crate) fn live(&self) -> Decimal {
        self.amount - self.lost
    }
}

/// A transfer that somebody will make.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) at: i64,
    pub(crate) tx: String,
    pub(crate) amount: Decimal,
}

/// The address and the time to pay, both there from the same moment.
#[derive(Clone, Debug)]
pub(crate) struct Wallet {
    pub(crate) address: String,
    pub(crate) expires_at: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: Uuid,
    pub(crate) lock_id: Uuid,
    /// Number of the create call that made it.
    pub(crate) call: u64,
    pub(crate) created_at: i64,
    pub(crate) currency: String,
    pub(crate) network: String,
    pub(crate) decimals: u32,
    pub(crate) required: Decimal,
    pub(crate) stage: Stage,
    pub(crate) wallet_at: i64,
    pub(crate) wallet: Option<Wallet>,
    /// Ascending by time.
    pub(crate) pending: Vec<Pending>,
    pub(crate) payments: Vec<Payment>,
    /// Set while paid in full and confirmed.
    pub(crate) execute_at: Option<i64>,
    pub(crate) executed_at: Option<i64>,
    pub(crate) failure: Option<String>,
    /// What a client could see since when, oldest first, bounded.
    pub(crate) history: Vec<(i64, OrderView)>,
    /// The time under which the book's index holds this order.
    pub(crate) indexed: Option<i64>,
}

/// What a client sees of an order at one moment.
#[derive(Clone, Debug)]
pub(crate) struct OrderView {
    pub(crate) id: Uuid,
    pub(crate) lock_id: Uuid,
    pub(crate) stage: Stage,
    pub(crate) created_at: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) address: Option<String>,
    pub(crate) confirmations: u32,
    pub(crate) required_confirmations: u32,
    pub(crate) received: Decimal,
    pub(crate) required: Decimal,
    pub(crate) currency: String,
    pub(crate) network: String,
    pub(crate) transaction_hash: Option<String>,
}

/// Changes remembered per order. Reads lag by seconds, so the newest few are enough.
const HISTORY_KEPT: usize = 32;

impl Order {
    pub(crate) fn received(&self) -> Decimal {
        self.payments.iter().map(Payment::live).sum()
    }

    pub(crate) fn view(&self, required_confirmations: u32) -> OrderView {
        let live = || self.payments.iter().filter(|payment| !payment.live().is_zero());
        OrderView {
            id: self.id,
            lock_id: self.lock_id,
            stage: self.stage,
            created_at: self.created_at,
            expires_at: self.wallet.as_ref().map(|wallet| wallet.expires_at),
            address: self.wallet.as_ref().map(|wallet| wallet.address.clone()),
            // The least confirmed payment decides when the order is done.
            confirmations: live().map(|payment| payment.confirmations).min().unwrap_or(0),
            required_confirmations,
            received: self.received(),
            required: self.required,
            currency: self.currency.clone(),
            network: self.network.clone(),
            transaction_hash: live().next_back().map(|payment| payment.tx.clone()),
        }
    }

    pub(crate) fn remember(&mut self, at: i64, view: OrderView) {
        if self.history.len() >= HISTORY_KEPT {
            self.history.remove(0);
        }
        self.history.push((at, view));
    }

    /// What a client could see at a time; `None` before the order was made.
    pub(crate) fn seen_at(&self, at: i64) -> Option<&OrderView> {
        if at < self.created_at {
            return None;
        }
        let newest = self.history.iter().rev().find(|(since, _)| *since <= at);
        newest.or(self.history.first()).map(|(_, view)| view)
    }
}
