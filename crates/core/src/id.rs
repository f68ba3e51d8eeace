//! Names of things. Ours are made by us, the provider's are kept as it wrote them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// Our name of an order: a UUID, version 7, so that orders sort by when they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderId(pub Uuid);

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for OrderId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        Uuid::try_parse(text)
            .map(Self)
            .map_err(|_| BadId { what: "order id", why: "it is not a UUID" })
    }
}

/// A name that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad {what}: {why}")]
pub struct BadId {
    pub(crate) what: &'static str,
    pub(crate) why: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name($crate::text::Text);

        impl $name {
            /// The longest one that is taken, in bytes.
            pub const MAX_BYTES: usize = $max;

            /// # Errors
            /// Empty, too long, or with a control character or white space in it.
            pub fn new(text: impl AsRef<str>) -> Result<Self, BadId> {
                let text = text.as_ref();
                let refused = |why| Err(BadId { what: $what, why });
                if text.is_empty() {
                    refused("it is empty")
                } else if text.len() > Self::MAX_BYTES {
                    refused(concat!("it is longer than ", $max, " bytes"))
                } else if !text.bytes().all(|byte| byte.is_ascii_graphic())
                    && text.chars().any(|c| c.is_control() || c.is_whitespace())
                {
                    refused("it holds white space or a control character")
                } else {
                    Ok(Self(text.into()))
                }
            }

            /// As it was written.
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
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::text::read(deserializer)
            }
        }
    };
}

pub(crate) use text_id;

text_id! {
    /// The provider's name of an order (seen: a UUID in every example).
    ProviderOrderId, "provider order id", 128
}
text_id! {
    /// The provider's name of a rate lock (seen: a UUID in every example).
    LockId, "lock id", 128
}
text_id! {
    /// One credential of one provider in one environment.
    AccountId, "account", 64
}
text_id! {
    /// The caller's own key of a submit: the same key is the same order.
    IdempotencyKey, "idempotency key", 255
}
text_id! {
    /// Who gave a command: a person or a service.
    Author, "author", 128
}

impl AccountId {
    /// The account of whoever has only one.
    #[must_use]
    pub fn main() -> Self {
        Self("default".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_refused_with_the_reason() {
        assert_eq!(LockId::new("").unwrap_err().to_string(), "bad lock id: it is empty");
        assert_eq!(
            Author::new("night shift").unwrap_err().to_string(),
            "bad author: it holds white space or a control character"
        );
        assert_eq!(
            AccountId::new("x".repeat(65)).unwrap_err().to_string(),
            "bad account: it is longer than 64 bytes"
        );
        assert_eq!(
            "17".parse::<OrderId>().unwrap_err().to_string(),
            "bad order id: it is not a UUID"
        );
    }
}
