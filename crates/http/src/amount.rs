//! Amounts in bodies: JSON strings and JSON numbers alike, read digit by digit and never through a float.

use orderkeep_core::Exact;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::value::RawValue;

/// One amount.
pub(crate) fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Exact, D::Error> {
    read(&Box::<RawValue>::deserialize(deserializer)?)
}

/// An amount that may be absent or `null`.
pub(crate) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Exact>, D::Error> {
    Option::<Box<RawValue>>::deserialize(deserializer)?.map(|raw| read(&raw)).transpose()
}

fn read<E: Error>(raw: &RawValue) -> Result<Exact, E> {
    let written = raw.get();
    let amount = if written.starts_with('"') {
        serde_json::from_str::<String>(written).map_err(E::custom)?.parse()
    } else {
        written.parse()
    };
    amount.map_err(E::custom)
}
