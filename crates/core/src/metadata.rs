//! What a caller hangs on its order: a few names with a text each, kept and told again, never looked at.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, MapAccess, Visitor},
};

/// Names with a text each, in the order of the names. Bounded, because it is in the order's record for ever.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Metadata(BTreeMap<String, String>);

/// Metadata that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("metadata: {0}")]
pub struct BadMetadata(String);

impl Metadata {
    /// So many names at most.
    pub const ENTRIES_MAX: usize = 50;
    /// The longest name, in characters. None is empty.
    pub const NAME_CHARS_MAX: usize = 40;
    /// The longest text, in characters.
    pub const TEXT_CHARS_MAX: usize = 500;
    /// All names and texts together, in bytes.
    pub const BYTES_MAX: usize = 8 * 1024;

    /// # Errors
    /// More than is kept; says which bound, and where.
    pub fn new(entries: BTreeMap<String, String>) -> Result<Self, BadMetadata> {
        let refused = |why| Err(BadMetadata(why));
        if entries.len() > Self::ENTRIES_MAX {
            let (found, most) = (entries.len(), Self::ENTRIES_MAX);
            return refused(format!("{found} names are given, {most} at most are kept"));
        }
        for (name, text) in &entries {
            if name.is_empty() {
                return refused("a name is empty".to_owned());
            }
            let (chars, most) = (name.chars().count(), Self::NAME_CHARS_MAX);
            if chars > most {
                return refused(format!("a name has {chars} characters, {most} at most are kept"));
            }
            let (chars, most) = (text.chars().count(), Self::TEXT_CHARS_MAX);
            if chars > most {
                return refused(format!(
                    "the text of `{name}` has {chars} characters, {most} at most are kept"
                ));
            }
        }
        let bytes: usize = entries.iter().map(|(name, text)| name.len() + text.len()).sum();
        if bytes > Self::BYTES_MAX {
            let most = Self::BYTES_MAX;
            return refused(format!("it is {bytes} bytes long, {most} at most are kept"));
        }
        Ok(Self(entries))
    }

    /// The names and their texts.
    #[must_use]
    pub const fn entries(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

/// Reads the entries. A name that comes twice is an error: of two texts, the caller may have meant the other.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object whose fields are texts")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Metadata, M::Error> {
        let mut entries = BTreeMap::new();
        while let Some((name, text)) = map.next_entry::<String, String>()? {
            if entries.contains_key(&name) {
                return Err(M::Error::custom(BadMetadata(format!("`{name}` is given twice"))));
            }
            entries.insert(name, text);
            // Bounded while it is read, too.
            if entries.len() > Metadata::ENTRIES_MAX {
                break;
            }
        }
        Metadata::new(entries).map_err(M::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(entries: &[(&str, &str)]) -> Result<Metadata, BadMetadata> {
        Metadata::new(entries.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect())
    }

    #[test]
    fn what_is_within_the_bounds_is_kept_and_what_is_beyond_is_refused_with_the_bound() {
        let (name, text) = ("ä".repeat(40), "ä".repeat(500));
        assert!(metadata(&[(&name, &text), ("b", "")]).is_ok());
        let (name, text) = (name + "x", text + "x");
        for (entries, why) in [
            ([("", "x")], "a name is empty"),
            ([(name.as_str(), "x")], "a name has 41 characters, 40 at most"),
            ([("cart", text.as_str())], "the text of `cart` has 501 characters, 500 at most"),
        ] {
            let refused = metadata(&entries).unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
        }
        let many = |count: usize, text: &str| {
            Metadata::new((0..count).map(|i| (format!("{i:02}"), text.to_owned())).collect())
        };
        assert!(many(50, "").is_ok());
        assert!(many(51, "").unwrap_err().to_string().contains("50 at most"));
        assert!(many(16, &"x".repeat(500)).is_ok());
        assert!(many(17, &"x".repeat(500)).unwrap_err().to_string().contains("8192 at most"));
    }

    #[test]
    fn a_name_that_comes_twice_is_refused() {
        let read = serde_json::from_str::<Metadata>;
        assert_eq!(
            read(r#"{"b":"1","a":"2"}"#).unwrap(),
            metadata(&[("a", "2"), ("b", "1")]).unwrap()
        );
        let refused = read(r#"{"a":"1","a":"2"}"#).unwrap_err().to_string();
        assert!(refused.contains("`a` is given twice"), "{refused}");
        assert!(read(r#"{"a":1}"#).is_err());
        assert!(read("[]").is_err());
    }
}
