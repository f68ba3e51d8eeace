//! Money: exact decimals beside the text they were read from. No float ever touches them.

use std::{cmp::Ordering, fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::{self, Text};

/// An exact decimal number, zero or more, and the literal text it was read from.
///
/// Two are equal when their values are: `1.50` equals `1.5`.
#[derive(Clone)]
pub struct Exact {
    value: Decimal,
    text: Text,
}

/// The text is no amount that can be kept exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an amount: {why}")]
pub struct BadAmount {
    text: String,
    why: &'static str,
}

impl Exact {
    /// No money.
    #[must_use]
    pub fn zero() -> Self {
        Self { value: Decimal::ZERO, text: "0".into() }
    }

    /// Its value.
    #[must_use]
    pub const fn value(&self) -> Decimal {
        self.value
    }

    /// The text it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.value.is_zero()
    }

    /// What is left of this after `other`, or `None` if `other` is as large or larger.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Option<Self> {
        (self.value > other.value).then(|| Self::from(self.value - other.value))
    }
}

impl From<Decimal> for Exact {
    /// A computed amount; its text is the number. What would be negative is nothing.
    fn from(value: Decimal) -> Self {
        let value = value.max(Decimal::ZERO).normalize();
        Self { value, text: value.to_string().into() }
    }
}

impl FromStr for Exact {
    type Err = BadAmount;

    /// Reads what a JSON number or a decimal string can be, such as `346.59`, `0.000001` or `1e-6`.
    fn from_str(text: &str) -> Result<Self, BadAmount> {
        /// A 28-digit decimal in any spelling that is not padded on purpose.
        const MAX_BYTES: usize = 64;
        let refused = |why| Err(BadAmount { text: text.chars().take(MAX_BYTES).collect(), why });
        if text.len() > MAX_BYTES {
            return refused("it has more digits than any amount needs");
        }
        if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            || !text
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        {
            return refused("write digits with a point, like 346.59");
        }
        let value = if text.contains(['e', 'E']) {
            Decimal::from_scientific(text).ok()
        } else {
            Decimal::from_str_exact(text).ok()
        };
        match value {
            None => refused("it cannot be kept exactly in 28 digits"),
            Some(value) if value.is_sign_negative() && !value.is_zero() => {
                refused("it is negative")
            }
            Some(value) => Ok(Self { value, text: text.into() }),
        }
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Eq for Exact {}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value, f)
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::read(deserializer)
    }
}

/// A short word of the provider's, kept in lower case: its spelling differs between its answers (seen: `polygon`
/// in a lock, `POLYGON` in details).
macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Text);

        impl $name {
            /// # Errors
            /// Not 2 to 24 letters, digits, `-` or `_`.
            pub fn new(text: &str) -> Result<Self, BadCode> {
                let fits = (2..=24).contains(&text.len())
                    && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
                if fits {
                    Ok(Self(text.to_ascii_lowercase().into()))
                } else {
                    Err(BadCode { what: $what, text: text.chars().take(32).collect() })
                }
            }

            /// In lower case.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadCode;

            fn from_str(text: &str) -> Result<Self, BadCode> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                text::read(deserializer)
            }
        }
    };
}

/// The text is no currency or network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}: write 2 to 24 letters or digits")]
pub struct BadCode {
    what: &'static str,
    text: String,
}

code! {
    /// A currency as the provider names it, in lower case (seen: `usdc`, `eur`).
    Currency, "currency"
}
code! {
    /// A chain as the provider names it, in lower case (seen: `polygon`).
    Network, "network"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_text_and_compares_the_value() {
        let amount: Exact = "412.607142".parse().unwrap();
        assert_eq!(amount.text(), "412.607142");
        assert_eq!("1.50".parse::<Exact>().unwrap(), "1.5".parse().unwrap());
        assert_eq!("1e-6".parse::<Exact>().unwrap(), "0.000001".parse().unwrap());
        // A float would say 0.30000000000000004.
        assert_eq!(
            Exact::from(
                "0.1".parse::<Exact>().unwrap().value() + "0.2".parse::<Exact>().unwrap().value()
            )
            .text(),
            "0.3"
        );
    }

    #[test]
    fn refuses_what_cannot_be_kept_exactly() {
        for text in [
            "",
            "-1",
            "NaN",
            "inf",
            "1e400",
            "0x10",
            " 1",
            "1,5",
            "0.12345678901234567890123456789012",
            "99999999999999999999999999999999999999",
        ] {
            assert!(text.parse::<Exact>().is_err(), "{text}");
        }
    }

    #[test]
    fn codes_ignore_case() {
        assert_eq!(Network::new("POLYGON").unwrap(), Network::new("polygon").unwrap());
        assert!(Currency::new("u s d").is_err());
        assert!(Currency::new("").is_err());
    }
}
