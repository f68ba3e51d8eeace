//! The base: where the fold begins when the beginning of the journal is gone.

use std::collections::BTreeMap;

use crate::{
    EntityId, Version,
    journal::{base::first_of, keys},
    kv::{Direction, Kv, KvError, Pager, Space, Span, wide::WideIter},
    record::{BaseRow, KeptEvents, KeptItem, KeptView, LeftRow},
};

use super::{
    CheckReport,
    model::{Item, Model},
    read,
};

/// The state at the base, read row by row, each against its checksum.
pub(super) fn model(
    kv: &dyn Kv,
    base: &BaseRow,
    last: &dyn Fn(EntityId) -> Version,
    report: &mut CheckReport,
) -> Result<Model, KvError> {
    let mut model = Model { base: base.seq, ..Model::default() };
    for row in WideIter::new(kv, Space::KeptViews, Span::ALL) {
        let (key, bytes, _) = row?;
        let id = keys::trailing_id(Space::KeptViews, &key)?;
        let row = KeptView::open(&bytes)?;
        model.keep(id, row, last(id)).map_err(KvError::Damaged)?;
    }
    count("kept-views", model.entities.len() as u64, base.entities, report);
    events(kv, &model, report)?;
    for row in WideIter::new(kv, Space::KeptInbox, Span::ALL) {
        let (key, bytes, _) = row?;
        let seq = keys::seq_of(Space::KeptInbox, &key)?;
        model.items.insert(seq, Item::of(&KeptItem::open(&bytes)?));
    }
    count("kept-inbox", model.items.len() as u64, base.items, report);
    let mut left = 0;
    for pair in Pager::new(kv, Space::Left, Span::ALL, Direction::Up) {
        let (key, bytes) = pair?;
        if key.len() != keys::HASH_BYTES {
            report.problem(format!("left: {} is no key of this map", key.escape_ascii()));
        }
        read::<LeftRow>(&bytes, report);
        left += 1;
    }
    count("left", left, base.left, report);
    Ok(model)
}

/// That the events that are kept are those of the entities that are, and all of them.
fn events(kv: &dyn Kv, model: &Model, report: &mut CheckReport) -> Result<(), KvError> {
    let mut versions: BTreeMap<EntityId, Version> = BTreeMap::new();
    for row in WideIter::new(kv, Space::KeptEvents, Span::ALL) {
        let (key, bytes, _) = row?;
        let id = keys::trailing_id(Space::KeptEvents, &key.slice(..key.len().min(keys::ID_BYTES)))?;
        let first = first_of(&key)?;
        let version = versions.entry(id).or_insert(0);
        if first != *version + 1 {
            report.problem(format!("kept-events: of {id:?} event {} is missing", *version + 1));
        }
        let events = KeptEvents::open(&bytes)?.len() as u64;
        *version = (first - 1).saturating_add(events);
        report.events += events;
    }
    for (id, version) in &versions {
        let expected = model.version(*id);
        if expected != Some(*version) {
            report.problem(format!(
                "kept-events: of {id:?} up to version {version}, it was at {expected:?}"
            ));
        }
    }
    count("kept-events of entities", versions.len() as u64, model.entities.len() as u64, report);
    Ok(())
}

fn count(what: &str, found: u64, expected: u64, report: &mut CheckReport) {
    if found != expected {
        report.problem(format!("{what}: {found} rows instead of {expected}"));
    }
}
