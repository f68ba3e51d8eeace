//! The configuration described from its types: the JSON Schema, and its keys in the order of the code.

use schemars::{Schema, generate::SchemaSettings};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use super::{ProviderSettings, Settings};

/// The JSON Schema (2020-12) of the configuration file.
pub(crate) fn schema() -> Schema {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Settings>()
}

/// One key, or one table of keys.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// In words.
    pub(crate) description: String,
    /// What it is when nobody says anything.
    pub(crate) default: Option<Value>,
    /// What it could be.
    pub(crate) example: Option<Value>,
    /// What is in it, if it is a table with known keys.
    pub(crate) inner: Vec<Self>,
    /// A table whose names are free.
    pub(crate) is_map: bool,
}

/// All keys, in the order of the code.
pub(crate) fn entries() -> Vec<Entry> {
    // Everything that may be left out is there, so that its keys are seen.
    let full = Settings { provider: Some(ProviderSettings::default()), ..Settings::default() };
    let order = serde_json::to_string(&full)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    walk(schema().as_value(), &order)
}

fn walk(schema: &Value, order: &Names) -> Vec<Entry> {
    let entry = |(name, below): &(String, Names)| {
        let of = &schema["properties"][name];
        // What may be left out is either itself or null.
        let table = of["anyOf"].as_array().and_then(|all| all.first()).unwrap_or(of);
        let inner = if table["properties"].is_object() { walk(table, below) } else { Vec::new() };
        let text = of["description"].as_str().or(table["description"].as_str());
        let value = |value: &Value| Some(value).filter(|value| !value.is_null()).cloned();
        Entry {
            name: name.clone(),
            description: text.unwrap_or_default().replace("\\n", " "),
            default: value(&of["default"]),
            example: value(&of["examples"][0]),
            is_map: table["additionalProperties"].is_object(),
            inner,
        }
    };
    order.0.iter().map(entry).collect()
}

/// The names in a JSON object, in their order, which a map would sort.
#[derive(Debug, Default)]
struct Names(Vec<(String, Self)>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Names;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Names::default();
                while let Some(entry) = map.next_entry()? {
                    names.0.push(entry);
                }
                Ok(names)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Names, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Names::default())
            }

            fn visit_bool<E>(self, _: bool) -> Result<Names, E> {
                Ok(Names::default())
            }

            fn visit_i64<E>(self, _: i64) -> Result<Names, E> {
                Ok(Names::default())
            }

            fn visit_u64<E>(self, _: u64) -> Result<Names, E> {
                Ok(Names::default())
            }

            fn visit_f64<E>(self, _: f64) -> Result<Names, E> {
                Ok(Names::default())
            }

            fn visit_str<E>(self, _: &str) -> Result<Names, E> {
                Ok(Names::default())
            }

            fn visit_unit<E>(self) -> Result<Names, E> {
                Ok(Names::default())
            }
        }
        deserializer.deserialize_any(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(entries: &[Entry]) {
        for entry in entries {
            assert!(!entry.description.is_empty(), "`{}` says nothing of itself", entry.name);
            described(&entry.inner);
        }
    }

    #[test]
    fn every_key_says_what_it_is() {
        let entries = entries();
        assert_eq!(entries[0].name, "data", "in the order of the code");
        described(&entries);
    }

    #[test]
    fn the_schema_knows_no_other_keys() {
        let schema = schema();
        assert_eq!(schema.as_value()["additionalProperties"], false);
        assert_eq!(schema.as_value()["properties"]["policy"]["additionalProperties"], false);
    }
}
