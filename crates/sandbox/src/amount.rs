//! Exact decimals on their way in and out. No amount here ever passes through a binary float.

use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;

/// The largest amount the stand-in takes: far above any real order, and far from the decimal's own limit.
pub(crate) const AMOUNT_MAX: i64 = 1_000_000_000_000;

/// A decimal printed as a JSON number, digit by digit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonNumber(pub(crate) Decimal);

impl Serialize for JsonNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(plain(self.0)).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// The shortest exact text of a decimal: `1000`, not `1000.00`.
pub(crate) fn plain(value: Decimal) -> String {
    value.normalize().to_string()
}

/// Reads a positive decimal written in plain digits (`346.59`); no sign, exponent or grouping.
pub(crate) fn positive(text: &str) -> Option<Decimal> {
    let digits_and_point = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let starts_and_ends_with_digit = text.bytes().next().is_some_and(|b| b.is_ascii_digit())
        && text.bytes().last().is_some_and(|b| b.is_ascii_digit());
    if !digits_and_point || !starts_and_ends_with_digit {
        return None;
    }
    let value = Decimal::from_str(text).ok()?;
    (value > Decimal::ZERO && value <= Decimal::from(AMOUNT_MAX)).then_some(value)
}

/// Cuts (never rounds) to a coin's decimals, as the provider does.
pub(crate) fn cut(value: Decimal, decimals: u32) -> Decimal {
    value.round_dp_with_strategy(decimals, RoundingStrategy::ToZero)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_every_digit() {
        let value = Decimal::from_str("123456789012.12345678").unwrap();
        assert_eq!(serde_json::to_string(&JsonNumber(value)).unwrap(), "123456789012.12345678");
        let small = Decimal::from_str("0.00000001").unwrap();
        assert_eq!(serde_json::to_string(&JsonNumber(small)).unwrap(), "0.00000001");
        let whole = Decimal::from_str("1000.00").unwrap();
        assert_eq!(serde_json::to_string(&JsonNumber(whole)).unwrap(), "1000");
    }

    #[test]
    fn cutting_never_rounds_up() {
        let value = Decimal::from_str("412.6071428571").unwrap();
        assert_eq!(plain(cut(value, 6)), "412.607142");
        assert_eq!(plain(cut(Decimal::from_str("0.999999999").unwrap(), 8)), "0.99999999");
    }

    #[test]
    fn only_plain_positive_decimals_are_read() {
        assert_eq!(positive("346.59"), Some(Decimal::from_str("346.59").unwrap()));
        for bad in [
            "",
            "0",
            "-1",
            "+1",
            "1e3",
            ".5",
            "5.",
            "1_000",
            "1,5",
            "NaN",
            "1.2.3",
            " 1",
            "1000000000001",
        ] {
            assert_eq!(positive(bad), None, "{bad:?}");
        }
    }
}
