//! Rates: a flat object from currency to a number. (assumed: the shape of a sister call, as the path is)

use std::collections::BTreeMap;

use orderkeep_core::Currency;
use orderkeep_provider::Rates;

use super::{Fields, Unreadable, fields};

/// Also reads them out of an inner `rates` object, as another sister call has it. What is no currency with a rate
/// above nothing is passed over; with none left, the answer is unreadable.
pub(crate) fn rates(body: &[u8]) -> Result<Rates, Unreadable> {
    let outer = Fields::read(body)?;
    let inner = match outer.raw("rates") {
        Some(raw) => Some(Fields::read(raw.as_bytes())?),
        None => None,
    };
    let per_unit: BTreeMap<_, _> = inner
        .as_ref()
        .unwrap_or(&outer)
        .iter()
        .filter_map(|(name, raw)| Some((Currency::new(name).ok()?, fields::exact(raw)?)))
        .filter(|(_, rate)| !rate.is_zero())
        .collect();
    if per_unit.is_empty() { Err(Unreadable::NoRates) } else { Ok(Rates { per_unit }) }
}
