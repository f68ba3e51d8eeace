//! What money does to an order: transfers that somebody will make, and chains that take them back.

use rust_decimal::Decimal;

use super::{
    ControlError,
    ids::Ids,
    order::{Order, Pending, Stage},
};
use crate::{
    amount,
    config::{AutoPay, ModelConfig},
};

/// Payments one order may have in its life. Each costs some webhooks; a payer needs a handful.
pub(crate) const PAYMENTS_MAX: usize = 64;

impl Order {
    /// Plans payments from `at` on: an amount (or what is missing) in some transactions, all at that time.
    pub(crate) fn plan(
        &mut self,
        wanted: Option<Decimal>,
        transactions: usize,
        at: i64,
        ids: &mut Ids,
    ) -> Result<Vec<String>, ControlError> {
        let known = self.payments.len() + self.pending.len();
        if transactions == 0 || known.saturating_add(transactions) > PAYMENTS_MAX {
            return Err(ControlError::TooManyTransactions(PAYMENTS_MAX));
        }
        let total = wanted.unwrap_or_else(|| self.missing());
        if total <= Decimal::ZERO {
            return Err(ControlError::NothingMissing(self.id.to_string()));
        }
        let bad = || ControlError::BadAmount(amount::plain(total));
        let count = Decimal::from(transactions);
        let part = amount::cut(total.checked_div(count).ok_or_else(bad)?, self.decimals);
        if part.is_zero() || amount::cut(total, self.decimals) != total {
            return Err(bad());
        }
        let last = total - part * (count - Decimal::ONE);
        let mut hashes = Vec::with_capacity(transactions);
        for number in 1..=transactions {
            let tx = ids.transaction_hash();
            hashes.push(tx.clone());
            self.pend(Pending { at, tx, amount: if number == transactions { last } else { part } });
        }
        Ok(hashes)
    }

    /// What is neither received nor on its way.
    fn missing(&self) -> Decimal {
        let coming: Decimal = self.pending.iter().map(|pending| pending.amount).sum();
        self.required - self.received() - coming
    }

    fn pend(&mut self, pending: Pending) {
        let place = self.pending.partition_point(|known| known.at <= pending.at);
        self.pending.insert(place, pending);
    }

    /// Plans what the fallback payer does with a fresh address.
    pub(crate) fn plan_auto(&mut self, auto: &AutoPay, at: i64, ids: &mut Ids) {
        let required = self.required;
        let tenths = |tenths: i64| amount::cut(required * Decimal::new(tenths, 1), self.decimals);
        let soon = at.saturating_add(auto.after_ms);
        let mix = &auto.mix;
        let half = amount::cut(required / Decimal::TWO, self.decimals);
        let expiry = self.wallet.as_ref().map_or(at, |wallet| wallet.expires_at);
        let plans: [(u32, Vec<(i64, Decimal)>); 6] = [
            (mix.exact, vec![(soon, required)]),
            (mix.under, vec![(soon, tenths(6))]),
            (mix.over, vec![(soon, tenths(11))]),
            // One millisecond more, so that a delay of 0 is late too.
            (mix.late, vec![(expiry.saturating_add(auto.after_ms).saturating_add(1), required)]),
            (
                mix.two_transactions,
                vec![(soon, half), (soon.saturating_add(auto.after_ms), required - half)],
            ),
            (mix.never, Vec::new()),
        ];
        let mut left = ids.below(mix.total());
        for (weight, payments) in plans {
            if left >= u64::from(weight) {
                left -= u64::from(weight);
                continue;
            }
            for (at, amount) in payments {
                // A coin's smallest unit cannot be split or cut.
                if !amount.is_zero() {
                    self.pend(Pending { at, tx: ids.transaction_hash(), amount });
                }
            }
            return;
        }
    }

    /// Takes an amount (or all) away again, newest payment first. Returns what was taken.
    pub(crate) fn reorganise(
        &mut self,
        wanted: Option<Decimal>,
        at: i64,
        config: &ModelConfig,
    ) -> Decimal {
        let total = wanted.unwrap_or_else(|| self.received());
        let mut left = total;
        for payment in self.payments.iter_mut().rev() {
            let taken = left.min(payment.live());
            payment.lost += taken;
            left -= taken;
        }
        self.settle(at, config);
        total - left
    }

    /// Takes an executed order back.
    pub(crate) fn reverse(&mut self, config: &ModelConfig) -> Result<(), ControlError> {
        if self.stage != Stage::Completed {
            return Err(self.wrong_stage("reverse", config));
        }
        self.stage = Stage::Reversed;
        Ok(())
    }

    /// Gives an open order up.
    pub(crate) fn fail(
        &mut self,
        reason: String,
        config: &ModelConfig,
    ) -> Result<(), ControlError> {
        if self.stage.is_final() {
            return Err(self.wrong_stage("fail", config));
        }
        self.stage = Stage::Failed;
        self.execute_at = None;
        self.failure = Some(reason);
        Ok(())
    }

    fn wrong_stage(&self, verb: &'static str, config: &ModelConfig) -> ControlError {
        ControlError::WrongStage { verb, stage: self.stage.word(&config.statuses).to_owned() }
    }
}
