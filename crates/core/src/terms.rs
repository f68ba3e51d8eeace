//! What a rate lock promised: the price of one order.

use serde::{Deserialize, Serialize};

use crate::{Currency, Exact, LockId, Network, Observation, Policy, Timestamp};

/// The terms of one lock, as the provider answered it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Terms {
    /// The lock. (seen)
    pub lock_id: LockId,
    /// How much crypto is to be paid. (seen; that it is the amount to pay is the newer documents' word)
    pub pay_amount: Exact,
    /// In which crypto currency. (seen)
    pub pay_currency: Currency,
    /// On which chain. (seen)
    pub network: Network,
    /// Fiat for one unit of crypto. (seen; the direction is assumed from the documented example)
    pub rate: Exact,
    /// The fiat currency. (seen in the newer documents, absent in the older)
    pub settle_currency: Option<Currency>,
    /// The fiat amount that the lock was asked for, where the caller says it. (seen, in the request)
    pub settle_amount: Option<Exact>,
    /// Until when the lock can be turned into an order. (seen)
    pub expires_at: Timestamp,
}

/// What the caller allows when a lock ends before an order came of it: a fresh lock of the same fiat amount, as long as
/// the payer need not pay more than this. Never silently at any other price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Relock {
    /// The most crypto that a fresh lock may ask of the payer.
    pub max_pay_amount: Exact,
    /// No fresh lock is taken after this; `None`: as long as the price allows.
    pub until: Option<Timestamp>,
}

/// Terms that contradict themselves or the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{field}: {expected} was agreed, {found} was found")]
pub struct TermsMismatch {
    /// Which of the terms.
    pub field: String,
    /// What the terms say.
    pub expected: String,
    /// What stands against it.
    pub found: String,
}

impl Terms {
    /// Whether they make sense at all.
    ///
    /// # Errors
    /// An amount or rate of nothing.
    pub fn validate(&self) -> Result<(), TermsMismatch> {
        for (field, amount) in [
            ("pay amount", Some(&self.pay_amount)),
            ("rate", Some(&self.rate)),
            ("settle amount", self.settle_amount.as_ref()),
        ] {
            if amount.is_some_and(Exact::is_zero) {
                return Err(mismatch(field, "more than nothing", "0"));
            }
        }
        Ok(())
    }

    /// Whether another statement of the same lock says the same. What one of them leaves out does not disagree.
    ///
    /// # Errors
    /// The first term that differs.
    pub fn agrees_with(&self, other: &Self) -> Result<(), TermsMismatch> {
        agree("lock id", &self.lock_id, &other.lock_id)?;
        agree("pay amount", &self.pay_amount, &other.pay_amount)?;
        agree("pay currency", &self.pay_currency, &other.pay_currency)?;
        agree("network", &self.network, &other.network)?;
        agree("rate", &self.rate, &other.rate)?;
        agree("expiry", &self.expires_at, &other.expires_at)?;
        if let (Some(ours), Some(theirs)) = (&self.settle_currency, &other.settle_currency) {
            agree("settle currency", ours, theirs)?;
        }
        if let (Some(ours), Some(theirs)) = (&self.settle_amount, &other.settle_amount) {
            agree("settle amount", ours, theirs)?;
        }
        Ok(())
    }

    /// Whether the lock's fiat amount is known, so that a fresh one can be taken for it, and the bound makes sense.
    pub(crate) fn check_relock(&self, relock: &Relock) -> Result<(), TermsMismatch> {
        if self.settle_amount.is_none() {
            return Err(mismatch("relock", "terms with a settle amount, to lock it again", "none"));
        }
        if relock.max_pay_amount.is_zero() {
            return Err(mismatch("relock max pay amount", "more than nothing", "0"));
        }
        Ok(())
    }

    /// Whether a fresh lock is for the same sale, at a price that was allowed.
    pub(crate) fn check_fresh(&self, fresh: &Self, relock: &Relock) -> Result<(), TermsMismatch> {
        fresh.validate()?;
        agree("pay currency", &self.pay_currency, &fresh.pay_currency)?;
        agree("network", &self.network, &fresh.network)?;
        if let (Some(ours), Some(theirs)) = (&self.settle_amount, &fresh.settle_amount) {
            agree("settle amount", ours, theirs)?;
        }
        if fresh.pay_amount > relock.max_pay_amount {
            let most = format!("at most {}", relock.max_pay_amount);
            return Err(mismatch("pay amount", &most, &fresh.pay_amount.to_string()));
        }
        Ok(())
    }

    /// Whether the provider's order is the one that was agreed, before anybody is shown where to pay.
    pub(crate) fn check_order(
        &self,
        seen: &Observation,
        policy: &Policy,
    ) -> Result<(), TermsMismatch> {
        if let Some(lock_id) = &seen.lock_id {
            agree("lock id", &self.lock_id, lock_id)?;
        }
        if let Some(currency) = &seen.currency {
            agree("pay currency", &self.pay_currency, currency)?;
        }
        if let Some(network) = &seen.network {
            agree("network", &self.network, network)?;
        }
        match &seen.required {
            Some(required)
                if (required.value() - self.pay_amount.value()).abs()
                    > policy.amount_tolerance.value() =>
            {
                Err(mismatch("pay amount", &self.pay_amount.to_string(), &required.to_string()))
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn agree<T: PartialEq + std::fmt::Display>(
    field: &str,
    ours: &T,
    theirs: &T,
) -> Result<(), TermsMismatch> {
    if ours == theirs {
        Ok(())
    } else {
        Err(mismatch(field, &ours.to_string(), &theirs.to_string()))
    }
}

fn mismatch(field: &str, expected: &str, found: &str) -> TermsMismatch {
    TermsMismatch {
        field: field.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}
