//! One JSON object as names and literal values, and how single values are taken out of it.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    str::FromStr,
};

use orderkeep_core::Exact;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Why a body cannot be read: the field's name, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("it is not a JSON object")]
    NotAnObject,
    #[error("the field `{0}` is there twice")]
    Twice(String),
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    #[error("the field `{0}` is not {1}")]
    Not(&'static str, &'static str),
    #[error("the fields `{0}` and `{1}` contradict each other")]
    Contradiction(&'static str, &'static str),
    #[error("the field `{0}` is not what was asked for")]
    NotAsAsked(&'static str),
    #[error("no field holds a rate")]
    NoRates,
}

/// An object's fields, each as its literal JSON. Of a name that is there twice, the first.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    values: BTreeMap<String, &'a RawValue>,
    twice: Option<String>,
}

impl<'a> Fields<'a> {
    /// Strict: a name that is there twice could be read in two ways, so it is not read at all.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Unreadable> {
        let fields = Self::read_leniently(body)?;
        fields.check_unique()?;
        Ok(fields)
    }

    /// For whoever wants to know what an object is about before refusing it.
    pub(crate) fn read_leniently(body: &'a [u8]) -> Result<Self, Unreadable> {
        serde_json::from_slice(body).map_err(|_| Unreadable::NotAnObject)
    }

    pub(crate) fn check_unique(&self) -> Result<(), Unreadable> {
        match &self.twice {
            None => Ok(()),
            Some(name) => Err(Unreadable::Twice(cut(name, NAME_BYTES_MAX))),
        }
    }

    /// The literal JSON of a field. `null` is the same as absent.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a str> {
        self.values.get(name).map(|raw| raw.get()).filter(|text| *text != "null")
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// A JSON string. An empty one is the same as absent.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<String>, Unreadable> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let text = string(raw).ok_or(Unreadable::Not(name, "a string"))?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// A JSON string in some narrower form.
    pub(crate) fn parsed<T: FromStr>(
        &self,
        name: &'static str,
        form: &'static str,
    ) -> Result<Option<T>, Unreadable> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Unreadable::Not(name, form))
    }

    /// An amount: a JSON number or a string with one, kept digit by digit.
    pub(crate) fn exact(&self, name: &'static str) -> Result<Option<Exact>, Unreadable> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        exact(raw).map(Some).ok_or(Unreadable::Not(name, "an exact amount"))
    }

    /// A count: a JSON number or a string with one.
    pub(crate) fn count(&self, name: &'static str) -> Result<Option<u32>, Unreadable> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let text = number_text(raw).ok_or(Unreadable::Not(name, "a whole number"))?;
        text.parse().map(Some).map_err(|_| Unreadable::Not(name, "a whole number"))
    }

    /// Every field but the listed ones, bounded: as evidence, not as a store.
    pub(crate) fn others(&self, known: &[&str]) -> Vec<(String, String)> {
        self.values
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()))
            .take(UNKNOWN_FIELDS_MAX)
            .map(|(name, raw)| (cut(name, NAME_BYTES_MAX), cut(raw.get(), VALUE_BYTES_MAX)))
            .collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.values.iter().map(|(name, raw)| (name.as_str(), raw.get()))
    }
}

/// More than twice the fields of any documented body.
pub(crate) const UNKNOWN_FIELDS_MAX: usize = 32;
/// Enough for an address, a hash or a sentence.
pub(crate) const VALUE_BYTES_MAX: usize = 256;
const NAME_BYTES_MAX: usize = 64;

/// At most `bytes_max` bytes of a text, with a mark where it was cut.
pub(crate) fn cut(text: &str, bytes_max: usize) -> String {
    const MARK: char = '…';
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes_max - MARK.len_utf8());
    let mut cut = text[..end].to_owned();
    cut.push(MARK);
    cut
}

pub(super) fn exact(raw: &str) -> Option<Exact> {
    number_text(raw)?.parse().ok()
}

/// The digits of a JSON number or of a string with one; nothing else has digits.
fn number_text(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => string(raw),
        b'-' | b'0'..=b'9' => Some(raw.to_owned()),
        _ => None,
    }
}

fn string(raw: &str) -> Option<String> {
    serde_json::from_str(raw).ok()
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields { values: BTreeMap::new(), twice: None };
        while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
            match fields.values.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(value);
                }
                Entry::Occupied(first) => fields.twice = Some(first.key().clone()),
            }
        }
        Ok(fields)
    }
}
