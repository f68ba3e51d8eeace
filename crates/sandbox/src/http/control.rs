//! The hand at the controls, in-process: the same verbs that the control API offers over HTTP.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::{post::Target, shared::Shared};
use crate::{
    config::ConfigError,
    faults::{FaultError, FaultScript, OutageMode},
    ledger::{Ledger, Summary},
    model::{ControlError, OrderRef},
};

/// Longest single jump of the clock, provider milliseconds: a year.
const JUMP_MAX_MS: i64 = 366 * 24 * 3600 * 1000;

/// Controls of a running sandbox; cheap to clone.
#[derive(Clone, Debug)]
pub struct Control {
    shared: Arc<Shared>,
}

impl Control {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Provider time, milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.shared.with(|_, now| now)
    }

    /// Moves provider time forward; everything due by then happens, each at its own moment. Returns the new time.
    ///
    /// # Errors
    /// A jump out of range.
    pub fn advance(&self, ms: i64) -> Result<i64, ControlError> {
        if (0..=JUMP_MAX_MS).contains(&ms) {
            Ok(self.shared.advance(ms))
        } else {
            Err(ControlError::BadDelay(JUMP_MAX_MS))
        }
    }

    /// See [`crate::Model::pay`].
    ///
    /// # Errors
    /// See [`crate::Model::pay`].
    pub fn pay(
        &self,
        order: &OrderRef,
        amount: Option<Decimal>,
        transactions: usize,
        after_ms: i64,
    ) -> Result<Vec<String>, ControlError> {
        self.shared.change(|model, now| model.pay(now, order, amount, transactions, after_ms))
    }

    /// See [`crate::Model::reverse`].
    ///
    /// # Errors
    /// See [`crate::Model::reverse`].
    pub fn reverse(&self, order: &OrderRef) -> Result<(), ControlError> {
        self.shared.change(|model, now| model.reverse(now, order))
    }

    /// See [`crate::Model::fail`].
    ///
    /// # Errors
    /// See [`crate::Model::fail`].
    pub fn fail(&self, order: &OrderRef, reason: impl Into<String>) -> Result<(), ControlError> {
        let reason = reason.into();
        self.shared.change(|model, now| model.fail(now, order, reason))
    }

    /// See [`crate::Model::reorganise`].
    ///
    /// # Errors
    /// See [`crate::Model::reorganise`].
    pub fn reorganise(
        &self,
        order: &OrderRef,
        amount: Option<Decimal>,
    ) -> Result<Decimal, ControlError> {
        self.shared.change(|model, now| model.reorganise(now, order, amount))
    }

    /// See [`crate::Model::set_faults`].
    ///
    /// # Errors
    /// See [`crate::Model::set_faults`].
    pub fn set_faults(&self, script: FaultScript) -> Result<(), FaultError> {
        self.shared.change_outages(|model, now| model.set_faults(now, script))
    }

    /// See [`crate::Model::start_outage`]. The listener closes (or closes connections) within moments, not within
    /// this call.
    ///
    /// # Errors
    /// See [`crate::Model::start_outage`].
    pub fn start_outage(&self, ms: i64, mode: OutageMode) -> Result<(), ControlError> {
        self.shared.change_outages(|model, now| model.start_outage(now, ms, mode))
    }

    /// See [`crate::Model::send_webhook`].
    ///
    /// # Errors
    /// See [`crate::Model::send_webhook`].
    pub fn send_webhook(&self, body: String, token: Option<String>) -> Result<u64, ControlError> {
        self.shared.change(|model, now| model.send_webhook(now, body, token))
    }

    /// Changes where webhooks go, from the next try on; `None` lets every try fail.
    ///
    /// # Errors
    /// A URL that is not plain `http://`.
    pub fn set_webhook_url(&self, url: Option<&str>) -> Result<(), ConfigError> {
        self.shared.set_target(webhook_target(url)?);
        Ok(())
    }

    /// What really happened, up to this moment.
    pub fn ledger(&self) -> Ledger {
        self.shared.change(|model, now| {
            model.pass_to(now);
            model.ledger()
        })
    }

    /// The same in counts.
    pub fn summary(&self) -> Summary {
        self.shared.change(|model, now| {
            model.pass_to(now);
            model.summary()
        })
    }
}

pub(crate) fn webhook_target(url: Option<&str>) -> Result<Option<Target>, ConfigError> {
    url.map(Target::parse).transpose().map_err(|problem| ConfigError::new("webhook_url", problem))
}
