//! Short texts that every state of an order carries: shared, so that the next state copies none of them.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{
    Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

/// A text that is never changed. A clone is the same text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Text(std::sync::Arc<str>);

impl<T: Into<std::sync::Arc<str>>> From<T> for Text {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl std::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// Reads a text as what its type makes of it, without a copy in between where the format has the text at hand.
pub(crate) fn read<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D) -> Result<T, D::Error>
where
    T::Err: fmt::Display,
{
    struct Reader<T>(PhantomData<T>);

    impl<T: FromStr> Visitor<'_> for Reader<T>
    where
        T::Err: fmt::Display,
    {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Reader(PhantomData))
}
