//! Writes rows behind the journal, in slices.
//!
//! A slice takes the rows that wait longest and writes them as they are at the durable head. Its watermark, in the same
//! batch, is the entry before the oldest that still waits; so rows may be ahead of the watermark and never behind it.
//! An entity's slice row stands for all its steps since the last one: that is where coalescing saves the work.
//!
//! History is an index, written with the row: one key per slice and entity that lists which journal entries hold which
//! events. So the hot path has no key per event, an entity that runs through within the lag costs one history key
//! altogether, and reading a history costs by its own length.

use std::collections::BTreeMap;

use crate::{
    Kind, Label,
    kv::{Batch, Space, wide},
    record::{ClaimRow, CountRow, HistoryRow, HistorySpan, RecordError, WatermarkRow, encode},
};

use super::{
    keys,
    overlay::{DirtyKey, ItemState, Overlay, Pending, PendingItem, Stored},
};

/// Spans in one history row: it stays a small value whatever a single busy entity does.
const SPANS_PER_ROW: usize = 200;

/// What a slice writes, to be taken out of the overlay once it is durable.
#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) entities: Vec<(crate::EntityId, Stored)>,
    /// Parts of the row that is there after it.
    pub(crate) items: Vec<(u64, Option<u16>)>,
    pub(crate) watermark: u64,
    /// The counts of the rows after it.
    pub(crate) counts: BTreeMap<(Kind, Label), u64>,
}

/// Adds at most `rows` rows (and about `bytes`) to a batch. `counts` are those of the rows as they are.
pub(crate) fn slice(
    overlay: &Overlay,
    counts: &BTreeMap<(Kind, Label), u64>,
    rows: usize,
    bytes: usize,
    batch: &mut Batch,
) -> Result<Slice, RecordError> {
    let mut slice = Slice {
        entities: Vec::new(),
        items: Vec::new(),
        watermark: overlay.durable,
        counts: BTreeMap::new(),
    };
    let mut waiting = overlay.dirty.iter();
    let mut written = 0;
    for (_, key) in waiting.by_ref().take(rows) {
        written += match key {
            DirtyKey::Entity(id) => match overlay.entities.get(id) {
                Some(pending) => {
                    slice.count(counts, pending);
                    let (stored, bytes) = entity(batch, *id, pending)?;
                    slice.entities.push((*id, stored));
                    bytes
                }
                None => 0,
            },
            DirtyKey::Item(seq) => match overlay.items.get(seq) {
                Some(pending) => {
                    let (parts, bytes) = item(batch, *seq, pending)?;
                    slice.items.push((*seq, parts));
                    bytes
                }
                None => 0,
            },
        };
        if written >= bytes {
            break;
        }
    }
    if let Some((since, _)) = waiting.next() {
        slice.watermark = since - 1;
    }
    for ((kind, label), entities) in &slice.counts {
        let row = encode(&CountRow { entities: *entities })?;
        batch.put(Space::Meta, keys::count(*kind, label), row);
    }
    let watermark = encode(&WatermarkRow { seq: slice.watermark })?;
    batch.put(Space::Meta, keys::WATERMARK.to_vec(), watermark);
    Ok(slice)
}

impl Slice {
    fn count(&mut self, counts: &BTreeMap<(Kind, Label), u64>, pending: &Pending) {
        let kind = pending.row.kind;
        let mut at = |label: &Label, by: i64| {
            let key = (kind, label.clone());
            let old = counts.get(&key).copied().unwrap_or(0);
            let count = self.counts.entry(key).or_insert(old);
            *count = count.saturating_add_signed(by);
        };
        if let Some(stored) = &pending.stored {
            for label in &stored.labels {
                at(label, -1);
            }
        }
        for label in &pending.row.labels {
            at(label, 1);
        }
    }
}

fn entity(
    batch: &mut Batch,
    id: crate::EntityId,
    pending: &Pending,
) -> Result<(Stored, usize), RecordError> {
    let Pending { row, stored, history, claims, since: _ } = pending;
    let bytes = encode(&**row)?;
    let old_parts = stored.as_ref().map_or(0, |stored| stored.parts);
    let parts = wide::replace(batch, Space::Views, &keys::entity(id), &bytes, old_parts);
    for spans in history.chunks(SPANS_PER_ROW) {
        write_history(batch, id, spans)?;
    }
    for claim in claims {
        let row = encode(&ClaimRow { holder: id })?;
        batch.put(Space::Claims, claim.0.clone(), row);
    }
    index_labels(batch, id, pending);
    index_wake_up(batch, id, pending);
    let stored = Stored { labels: row.labels.clone(), wake_up: row.wake_up, parts };
    Ok((stored, bytes.len()))
}

fn write_history(
    batch: &mut Batch,
    id: crate::EntityId,
    spans: &[HistorySpan],
) -> Result<(), RecordError> {
    let Some(first) = spans.first() else {
        return Ok(());
    };
    let row = encode(&HistoryRow { spans: spans.to_vec() })?;
    batch.put(Space::History, keys::history(id, first.first), row);
    Ok(())
}

fn index_labels(batch: &mut Batch, id: crate::EntityId, pending: &Pending) {
    let kind = pending.row.kind;
    let old = match &pending.stored {
        Some(stored) => &stored.labels[..],
        None => {
            batch.put(Space::Labels, keys::label(kind, "", id), Vec::new());
            &[]
        }
    };
    let new = &pending.row.labels;
    for label in old.iter().filter(|label| !new.contains(label)) {
        batch.remove(Space::Labels, keys::label(kind, &label.0, id));
    }
    for label in new.iter().filter(|label| !old.contains(label)) {
        batch.put(Space::Labels, keys::label(kind, &label.0, id), Vec::new());
    }
}

fn index_wake_up(batch: &mut Batch, id: crate::EntityId, pending: &Pending) {
    let partition = pending.row.partition;
    let old = pending.stored.as_ref().and_then(|stored| stored.wake_up);
    let new = pending.row.wake_up;
    if old == new {
        return;
    }
    if let Some(at) = old {
        batch.remove(Space::WakeUps, keys::wake_up(partition, at, id));
    }
    if let Some(at) = new {
        batch.put(Space::WakeUps, keys::wake_up(partition, at, id), Vec::new());
    }
}

fn item(
    batch: &mut Batch,
    seq: u64,
    pending: &PendingItem,
) -> Result<(Option<u16>, usize), RecordError> {
    let key = keys::seq(seq);
    let old = pending.stored.unwrap_or(0);
    match &pending.state {
        ItemState::Waiting(row) => {
            let bytes = encode(&**row)?;
            let parts = wide::replace(batch, Space::Inbox, &key, &bytes, old);
            Ok((Some(parts), bytes.len()))
        }
        ItemState::Finished => {
            wide::remove(batch, Space::Inbox, &key, old);
            Ok((None, 0))
        }
    }
}
