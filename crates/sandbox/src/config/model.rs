//! Configuration of the model: delays in provider milliseconds, coins, and the choices of [`super::words`].

use serde::Deserialize;

use super::{
    AuthorizationForm, ConfigError, Dialect, LatePolicy, MissingFields, OrderWords, SecondCreate,
    StatusNames, UnknownOrder,
};
use crate::amount;

/// Longest delay a configuration may ask for: a year. Keeps every sum of times far from overflow.
const DELAY_MAX_MS: i64 = 366 * 24 * 3600 * 1000;

/// Most confirmations one payment may need; each is one webhook of each payment.
const CONFIRMATIONS_MAX: u32 = 100;

/// How the model behaves. All delays are provider milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Coins and networks that can be locked, with their rates.
    pub coins: Vec<Coin>,
    /// Fiat that orders are settled in.
    pub destination_currency: String,
    /// Generation of the lock's answer.
    pub dialect: Dialect,
    /// Generation of the details' currency names.
    pub order_words: OrderWords,
    /// How details without a value yet are written.
    pub missing_fields: MissingFields,
    /// Spelling of the statuses.
    pub statuses: StatusNames,
    /// HTTP status of a lock that was made: 200 or 201. Not seen.
    pub lock_status: u16,
    /// Lifetime of a lock. Assumed from the 40 s of an older sister call.
    pub lock_ttl_ms: i64,
    /// Time to pay, from the moment the address is there. Assumed.
    pub order_ttl_ms: i64,
    /// Time from the create to the address.
    pub wallet_delay_ms: i64,
    /// Up to this much more, drawn per order.
    pub wallet_delay_spread_ms: i64,
    /// Confirmations a payment needs. Three in the documents' example.
    pub required_confirmations: u32,
    /// Time between two confirmations.
    pub confirmation_interval_ms: i64,
    /// Time from the last confirmation to the execution.
    pub execution_delay_ms: i64,
    /// A second create for one lock.
    pub second_create: SecondCreate,
    /// A payment after the expiry.
    pub late_policy: LatePolicy,
    /// Answer for an order nobody knows.
    pub unknown_order: UnknownOrder,
    /// Whether each further confirmation is a webhook of its own, beside the status changes.
    pub webhook_each_confirmation: bool,
    /// Whether an accepted order is a webhook before its address is there.
    pub webhook_on_create: bool,
    /// Form of the webhooks' `Authorization`.
    pub authorization: AuthorizationForm,
    /// Name of the field that carries the words of a 401.
    pub denied_field: String,
    /// Pays every order by itself; off when `None`.
    pub auto_pay: Option<AutoPay>,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            coins: Coin::usual(),
            destination_currency: "eur".to_owned(),
            dialect: Dialect::C,
            order_words: OrderWords::B,
            missing_fields: MissingFields::Null,
            statuses: StatusNames::default(),
            lock_status: 201,
            lock_ttl_ms: 40_000,
            order_ttl_ms: 15 * 60_000,
            wallet_delay_ms: 1_500,
            wallet_delay_spread_ms: 0,
            required_confirmations: 3,
            confirmation_interval_ms: 2_000,
            execution_delay_ms: 1_000,
            second_create: SecondCreate::Refused,
            late_policy: LatePolicy::Held,
            unknown_order: UnknownOrder::default(),
            webhook_each_confirmation: true,
            webhook_on_create: false,
            authorization: AuthorizationForm::Bare,
            denied_field: "message".to_owned(),
            auto_pay: None,
        }
    }
}

impl ModelConfig {
    /// Checks every field that could make the model misbehave.
    ///
    /// # Errors
    /// The first field that is out of its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.lock_status != 200 && self.lock_status != 201 {
            return Err(ConfigError::new("lock_status", "must be 200 or 201"));
        }
        if !(400..=499).contains(&self.unknown_order.status) {
            return Err(ConfigError::new("unknown_order.status", "must be 400 to 499"));
        }
        if self.required_confirmations > CONFIRMATIONS_MAX {
            return Err(ConfigError::new(
                "required_confirmations",
                format!("must be at most {CONFIRMATIONS_MAX}"),
            ));
        }
        for (field, value, least) in [
            ("lock_ttl_ms", self.lock_ttl_ms, 1),
            ("order_ttl_ms", self.order_ttl_ms, 1),
            ("wallet_delay_ms", self.wallet_delay_ms, 0),
            ("wallet_delay_spread_ms", self.wallet_delay_spread_ms, 0),
            ("confirmation_interval_ms", self.confirmation_interval_ms, 0),
            ("execution_delay_ms", self.execution_delay_ms, 0),
            ("auto_pay.after_ms", self.auto_pay.as_ref().map_or(0, |auto| auto.after_ms), 0),
        ] {
            if !(least..=DELAY_MAX_MS).contains(&value) {
                return Err(ConfigError::new(
                    field,
                    format!("is {value}, must be {least} to {DELAY_MAX_MS} milliseconds"),
                ));
            }
        }
        if self.auto_pay.as_ref().is_some_and(|auto| auto.mix.total() == 0) {
            return Err(ConfigError::new("auto_pay.mix", "needs at least one weight above 0"));
        }
        self.coins.iter().try_for_each(Coin::check)
    }
}

/// One coin: where it can be sent and what it is worth.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coin {
    /// Lower-case code: `usdc`.
    pub currency: String,
    /// Lower-case networks: `polygon`.
    pub networks: Vec<String>,
    /// Decimals its amounts are cut down to.
    pub decimals: u32,
    /// Fiat per one coin, a decimal in plain digits.
    pub rate: String,
}

impl Coin {
    /// The documented coins. The rate of usdc and the decimals are seen, the other rates are free.
    fn usual() -> Vec<Self> {
        let coin = |currency: &str, networks: &[&str], decimals, rate: &str| Self {
            currency: currency.to_owned(),
            networks: networks.iter().map(|&name| name.to_owned()).collect(),
            decimals,
            rate: rate.to_owned(),
        };
        vec![
            coin("btc", &["btc"], 8, "55647.81453411"),
            coin("eth", &["ethereum"], 8, "2188.45355799"),
            coin("ltc", &["ltc"], 8, "59.23864178"),
            coin("pol", &["polygon"], 8, "0.35312008"),
            coin("usdc", &["polygon", "ethereum"], 6, "0.84"),
        ]
    }

    fn check(&self) -> Result<(), ConfigError> {
        if amount::positive(&self.rate).is_none() {
            return Err(ConfigError::new(
                "coins.rate",
                format!("of {} must be a positive decimal in plain digits", self.currency),
            ));
        }
        // Nine more digits than the largest amount has still fit the decimal exactly.
        if self.decimals > 12 {
            return Err(ConfigError::new("coins.decimals", "must be at most 12"));
        }
        if self.networks.is_empty() {
            return Err(ConfigError::new("coins.networks", "must name at least one network"));
        }
        Ok(())
    }
}

/// Payers that need no address from the partner: a fallback for demos.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AutoPay {
    /// Time from the address to the payment.
    pub after_ms: i64,
    /// Who pays how.
    pub mix: AutoPayMix,
}

impl Default for AutoPay {
    fn default() -> Self {
        Self { after_ms: 3_000, mix: AutoPayMix::default() }
    }
}

/// Weights of the ways to pay; they need not add up to anything.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AutoPayMix {
    /// What is required, once.
    pub exact: u32,
    /// Six tenths of it.
    pub under: u32,
    /// Eleven tenths of it.
    pub over: u32,
    /// What is required, `after_ms` past the expiry.
    pub late: u32,
    /// Half, and the rest after the same time again.
    pub two_transactions: u32,
    /// Nothing.
    pub never: u32,
}

impl AutoPayMix {
    pub(crate) fn total(&self) -> u64 {
        [self.exact, self.under, self.over, self.late, self.two_transactions, self.never]
            .into_iter()
            .map(u64::from)
            .sum()
    }
}

impl Default for AutoPayMix {
    fn default() -> Self {
        Self { exact: 1, under: 0, over: 0, late: 0, two_transactions: 0, never: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_odd_values_are_named() {
        assert_eq!(ModelConfig::default().check(), Ok(()));
        let broken = |change: fn(&mut ModelConfig)| {
            let mut config = ModelConfig::default();
            change(&mut config);
            config.check().unwrap_err().field
        };
        assert_eq!(broken(|c| c.lock_status = 202), "lock_status");
        assert_eq!(broken(|c| c.lock_ttl_ms = 0), "lock_ttl_ms");
        assert_eq!(broken(|c| c.order_ttl_ms = i64::MAX), "order_ttl_ms");
        assert_eq!(broken(|c| c.required_confirmations = 1_000), "required_confirmations");
        assert_eq!(broken(|c| c.coins[0].rate = "-1".to_owned()), "coins.rate");
        assert_eq!(broken(|c| c.coins[0].networks.clear()), "coins.networks");
        assert_eq!(broken(|c| c.unknown_order.status = 200), "unknown_order.status");
        assert_eq!(
            broken(|c| {
                let mut auto = AutoPay::default();
                auto.mix.exact = 0;
                c.auto_pay = Some(auto);
            }),
            "auto_pay.mix"
        );
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(serde_json::from_str::<ModelConfig>(r#"{"lock_ttl": 5}"#).is_err());
        let config: ModelConfig =
            serde_json::from_str(r#"{"lock_ttl_ms": 5, "second_create": "same_order"}"#).unwrap();
        assert_eq!(config.lock_ttl_ms, 5);
        assert_eq!(config.second_create, SecondCreate::SameOrder);
    }
}
