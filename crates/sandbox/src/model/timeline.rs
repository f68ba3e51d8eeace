//! What time does to an order: the next thing that is due, and doing it.
//!
//! The due time is always computed from the order's own state, never kept in a queue of promises, so a change of the
//! order can leave no stale alarm behind.

use super::{
    ids::Ids,
    order::{Order, Payment, Stage, Wallet},
};
use crate::config::{LatePolicy, ModelConfig};

/// What is due. The order of the variants decides between two at the same millisecond: a payment that arrives at the
/// very moment of the expiry is in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    Wallet,
    Payment,
    Confirmation,
    Execution,
    Expiry,
}

/// What a step changed, for the question whether it is worth a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A status, an address or an amount.
    Status,
    /// One confirmation more, nothing else.
    Confirmation,
}

impl Order {
    /// The next thing that time will do, if any.
    pub(crate) fn next_due(&self, config: &ModelConfig) -> Option<(i64, Due)> {
        let wallet =
            (self.stage == Stage::WaitingForWallet).then_some((self.wallet_at, Due::Wallet));
        let payment = self.pending.first().map(|pending| (pending.at, Due::Payment));
        let confirmation = self
            .payments
            .iter()
            .filter(|payment| payment.confirming(config))
            .map(|payment| (payment.next_confirmation_at(config), Due::Confirmation))
            .min();
        let execution = self.execute_at.map(|at| (at, Due::Execution));
        let expiry = self.expiry().map(|at| (at, Due::Expiry));
        [wallet, payment, confirmation, execution, expiry].into_iter().flatten().min()
    }

    /// When the order's time runs out; `None` once it is paid in full or at its end.
    fn expiry(&self) -> Option<i64> {
        let waits = match self.stage {
            Stage::WaitingForPayment | Stage::Underpaid => true,
            // A full payment in confirmation came in time.
            Stage::WaitingForConfirmation => self.received() < self.required,
            Stage::WaitingForWallet
            | Stage::Completed
            | Stage::Expired
            | Stage::Failed
            | Stage::Reversed => false,
        };
        self.wallet.as_ref().filter(|_| waits).map(|wallet| wallet.expires_at)
    }

    /// Does what is due.
    pub(crate) fn apply(
        &mut self,
        due: Due,
        at: i64,
        config: &ModelConfig,
        ids: &mut Ids,
    ) -> Change {
        match due {
            Due::Wallet => {
                self.wallet = Some(Wallet {
                    address: ids.address(&self.network),
                    expires_at: at.saturating_add(config.order_ttl_ms),
                });
                self.stage = Stage::WaitingForPayment;
                Change::Status
            }
            Due::Payment => {
                self.receive(at);
                self.settle(at, config);
                Change::Status
            }
            Due::Confirmation => {
                for payment in &mut self.payments {
                    if payment.confirming(config) && payment.next_confirmation_at(config) <= at {
                        payment.confirmations += 1;
                    }
                }
                let before = self.stage;
                self.settle(at, config);
                if before == self.stage { Change::Confirmation } else { Change::Status }
            }
            Due::Execution => {
                self.execute_at = None;
                self.executed_at = Some(at);
                self.stage = Stage::Completed;
                Change::Status
            }
            Due::Expiry => {
                self.stage = Stage::Expired;
                Change::Status
            }
        }
    }

    fn receive(&mut self, at: i64) {
        let pending = self.pending.remove(0);
        let past = self.wallet.as_ref().is_some_and(|wallet| at > wallet.expires_at);
        self.payments.push(Payment {
            tx: pending.tx,
            amount: pending.amount,
            lost: rust_decimal::Decimal::ZERO,
            at,
            confirmations: 0,
            late: past || self.stage.is_final(),
        });
    }

    /// Draws the conclusion from the payments: the stage, and whether the order is to be executed.
    pub(crate) fn settle(&mut self, at: i64, config: &ModelConfig) {
        let received = self.received();
        let full = received >= self.required;
        let confirmed = !self.payments.iter().any(|payment| payment.confirming(config));
        let open = match self.stage {
            Stage::WaitingForPayment | Stage::WaitingForConfirmation | Stage::Underpaid => true,
            Stage::Expired => config.late_policy == LatePolicy::Executed && full,
            Stage::WaitingForWallet | Stage::Completed | Stage::Failed | Stage::Reversed => false,
        };
        if !open || !full || !confirmed {
            self.execute_at = None;
        } else if self.execute_at.is_none() {
            self.execute_at = Some(at.saturating_add(config.execution_delay_ms));
        }
        if !open || self.stage == Stage::Expired {
            return;
        }
        self.stage = if received.is_zero() {
            Stage::WaitingForPayment
        } else if full || !confirmed {
            Stage::WaitingForConfirmation
        } else {
            Stage::Underpaid
        };
    }
}

impl Payment {
    fn confirming(&self, config: &ModelConfig) -> bool {
        self.confirmations < config.required_confirmations && !self.live().is_zero()
    }

    fn next_confirmation_at(&self, config: &ModelConfig) -> i64 {
        let interval = config.confirmation_interval_ms;
        self.at.saturating_add(interval.saturating_mul(i64::from(self.confirmations) + 1))
    }
}
