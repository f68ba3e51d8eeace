//! A rate lock: what was asked, what it costs, how long it holds.

use rust_decimal::Decimal;
use serde::Deserialize;
use uuid::Uuid;

use super::ApiError;
use crate::{
    amount,
    config::{Coin, ModelConfig},
};

/// The body of a lock request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LockRequest {
    /// Crypto that the payer will send, lower case.
    pub currency: String,
    /// Fiat amount wanted, a decimal in a string.
    pub amount: String,
    /// Chain, lower case.
    pub network: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Lock {
    pub(crate) id: Uuid,
    pub(crate) currency: String,
    pub(crate) network: String,
    pub(crate) decimals: u32,
    pub(crate) rate: Decimal,
    /// Crypto to be paid, already cut to the coin's decimals.
    pub(crate) amount: Decimal,
    pub(crate) taken_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) orders: Vec<Uuid>,
    /// Create calls that named this lock, whatever became of them, oldest first and bounded.
    pub(crate) creates: Vec<CreateCall>,
    /// All of them.
    pub(crate) creates_seen: u64,
}

/// A create call that reached the provider.
#[derive(Clone, Debug)]
pub(crate) struct CreateCall {
    pub(crate) number: u64,
    pub(crate) at: i64,
    pub(crate) outcome: String,
    /// Whether the caller could not tell what became of it.
    pub(crate) ambiguous: bool,
}

/// Create calls remembered per lock. An honest client makes a handful; the count goes on past it.
const CREATES_KEPT: usize = 32;

impl Lock {
    pub(crate) fn remember(&mut self, call: CreateCall) {
        self.creates_seen += 1;
        if self.creates.len() < CREATES_KEPT {
            self.creates.push(call);
        }
    }

    /// Whether a create was sent although an earlier one's outcome was unclear to its sender.
    pub(crate) fn resent_after_ambiguous(&self) -> bool {
        let first = self.creates.iter().position(|call| call.ambiguous);
        first.is_some_and(|at| self.creates_seen > at as u64 + 1)
    }
}

pub(crate) struct Quote {
    pub(crate) decimals: u32,
    pub(crate) rate: Decimal,
    pub(crate) amount: Decimal,
}

/// Prices a request: settlement divided by rate, cut down to the coin's decimals.
pub(crate) fn quote(config: &ModelConfig, request: &LockRequest) -> Result<Quote, ApiError> {
    let coin = coin(config, &request.currency).ok_or_else(ApiError::invalid_currency)?;
    if !coin.networks.contains(&request.network) {
        return Err(ApiError::validation());
    }
    let settlement = amount::positive(&request.amount).ok_or_else(ApiError::validation)?;
    // A checked configuration always has a positive rate.
    let rate = amount::positive(&coin.rate).ok_or_else(ApiError::unknown_exception)?;
    let crypto = settlement.checked_div(rate).ok_or_else(ApiError::validation)?;
    let amount = amount::cut(crypto, coin.decimals);
    if amount.is_zero() || amount > Decimal::from(amount::AMOUNT_MAX) {
        return Err(ApiError::validation());
    }
    Ok(Quote { decimals: coin.decimals, rate, amount })
}

fn coin<'a>(config: &'a ModelConfig, currency: &str) -> Option<&'a Coin> {
    config.coins.iter().find(|coin| coin.currency == currency)
}
