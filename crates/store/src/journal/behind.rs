//! Writes rows behind the journal, in slices.
//!
//! A slice takes the rows that wait longest and writes them as they are at the durable head. Its watermark, in the same
//! batch, is the entry before the oldest that still waits; so rows may be ahead of the watermark and never behind it.
//! An entity's slice row stands for all its steps since the last one: that is where coalescing saves the work.
//!
//! History is an index, written with the row: one key per slice and entity that lists which journal entries hold which
//! events. So the hot path has no key per event, an entity that runs through within the lag costs one history key
//! altogether, and reading a history costs by its own length.
//!
//! What is at rest gets no row: it is sealed, see [`super::sealed`], and the rows that it had go. So an order that runs
//! through within the lag never has one.

use std::collections::BTreeMap;

use crate::{
    EntityId, Kind, Label,
    kv::{Batch, Kv, KvError, Space, wide},
    record::{
        ClaimRow, CountRow, MovedRow, RecordError, SealedEntity, ViewRow, WatermarkRow, encode,
    },
};

use super::{
    history, keys,
    overlay::{DirtyKey, ItemState, Overlay, Pending, PendingItem, Place, Stored},
    sealed::{Pace, Sealed, Sealing, Upkeep, at_rest},
};

/// Keys of the sealed index that a slice merges for each one that it adds: as often as a key is merged in its life.
const MERGED_PER_KEY: usize = 4;

/// How much one slice may write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portion {
    pub(crate) rows: usize,
    /// Of rows; what is sealed may be four times as much, for it is packed.
    pub(crate) bytes: usize,
    /// Entities at rest.
    pub(crate) sealed: usize,
    /// Tables of the sealed index that become one.
    pub(crate) merge_tables: usize,
    /// Keys that a merge writes at least.
    pub(crate) merge_keys: usize,
    /// Entities at rest wait until there are enough of them; nobody is in a hurry.
    pub(crate) unhurried: bool,
}

/// What a slice writes, to be taken out of the overlay once it is durable.
#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) entities: Vec<(EntityId, Stored)>,
    /// Parts of the row that is there after it.
    pub(crate) items: Vec<(u64, Option<u16>)>,
    pub(crate) watermark: u64,
    /// The counts of the rows after it.
    pub(crate) counts: BTreeMap<(Kind, Label), u64>,
    /// What is sealed after it.
    pub(crate) sealed: Sealed,
    /// Whether the index of what is sealed was worked on.
    pub(crate) upkeep: bool,
}

/// What the rows are before a slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before<'a> {
    pub(crate) overlay: &'a Overlay,
    pub(crate) kv: &'a dyn Kv,
    pub(crate) counts: &'a BTreeMap<(Kind, Label), u64>,
}

/// Adds a portion of rows to a batch.
pub(crate) fn slice(
    before: Before<'_>,
    upkeep: &mut Upkeep,
    portion: Portion,
    batch: &mut Batch,
) -> Result<Slice, KvError> {
    let Before { overlay, kv, counts } = before;
    let mut slice = Slice {
        entities: Vec::new(),
        items: Vec::new(),
        watermark: overlay.durable,
        counts: BTreeMap::new(),
        sealed: overlay.sealed.clone(),
        upkeep: false,
    };
    let mut sealing = Sealing::default();
    let rest_waits = portion.unhurried && overlay.at_rest < portion.sealed;
    let (mut rows, mut written) = (0, 0);
    let mut left = None;
    for (since, key) in &overlay.dirty {
        let full = rows >= portion.rows
            || written >= portion.bytes
            || sealing.len() >= portion.sealed
            || sealing.bytes >= portion.bytes.saturating_mul(4);
        if full {
            left = left.or(Some(*since));
            break;
        }
        match key {
            DirtyKey::Entity(id) => {
                let Some(pending) = overlay.entities.get(id) else { continue };
                if rest_waits && at_rest(&pending.row) {
                    left = left.or(Some(*since));
                    continue;
                }
                slice.count(counts, pending);
                let stored = if seal(before, *id, pending, &mut sealing, batch)? {
                    let ViewRow { labels, wake_up, .. } = &*pending.row;
                    let (labels, wake_up) = (labels.clone(), *wake_up);
                    Stored { labels, wake_up, place: Place::Sealed }
                } else {
                    let (stored, bytes) = entity(batch, *id, pending)?;
                    (rows, written) = (rows + 1, written + bytes);
                    stored
                };
                slice.entities.push((*id, stored));
            }
            DirtyKey::Item(seq) => {
                let Some(pending) = overlay.items.get(seq) else { continue };
                let (parts, bytes) = item(batch, *seq, pending)?;
                (rows, written) = (rows + 1, written + bytes);
                slice.items.push((*seq, parts));
            }
        }
    }
    if let Some(since) = left {
        slice.watermark = since - 1;
    }
    slice.seal(kv, upkeep, sealing, portion, batch)?;
    for ((kind, label), entities) in &slice.counts {
        let row = encode(&CountRow { entities: *entities })?;
        batch.put(Space::Meta, keys::count(*kind, label), row);
    }
    let watermark = encode(&WatermarkRow { seq: slice.watermark })?;
    batch.put(Space::Meta, keys::WATERMARK.to_vec(), watermark);
    Ok(slice)
}

/// Moves the wake-up of a sealed entity. False: it has come back and gets rows, for it may again.
fn moved(
    before: Before<'_>,
    id: EntityId,
    pending: &Pending,
    batch: &mut Batch,
) -> Result<bool, KvError> {
    let ViewRow { seq, wake_up, .. } = *pending.row;
    let sealed = before.overlay.sealed.find(before.kv, id)?;
    let same = sealed.is_some_and(|sealed| ViewRow { seq, wake_up, ..sealed.row } == *pending.row);
    if same {
        index_wake_up(batch, id, pending);
        batch.put(
            Space::Moved,
            keys::entity(id).to_vec(),
            encode(&MovedRow { seq, wake_up, left: false })?,
        );
    }
    Ok(same)
}

/// Takes an entity at rest out of its rows, if it has some, to be sealed; or only moves its wake-up, if it is sealed and
/// nothing else has changed. False: it is better off with rows.
fn seal(
    before: Before<'_>,
    id: EntityId,
    pending: &Pending,
    sealing: &mut Sealing,
    batch: &mut Batch,
) -> Result<bool, KvError> {
    let Before { overlay, kv, .. } = before;
    let Pending { row, stored, history, claims, since: _ } = pending;
    if !at_rest(row) {
        return Ok(false);
    }
    let mut spans = Vec::new();
    let mut history_keys = Vec::new();
    match stored.as_ref().map(|stored| stored.place) {
        // Who has left may come again once nobody knows it, and its block may still be there.
        None if overlay.base.seq > 0 && overlay.sealed.find(kv, id)?.is_some() => return Ok(false),
        None => {}
        Some(Place::Sealed) => return moved(before, id, pending, batch),
        Some(Place::Rows(_)) => {
            if overlay.sealed.find(kv, id)?.is_some() {
                return Ok(false);
            }
            for row in history::rows(kv, id, 0)? {
                let row = row?;
                history_keys.extend(row.spans.first().map(|span| keys::history(id, span.first)));
                // What is kept at the base is found there.
                spans.extend(row.spans.into_iter().filter(|span| span.seq > overlay.base.seq));
            }
        }
    }
    spans.extend(history.iter().copied());
    if !sealing.take(SealedEntity { id, row: (**row).clone(), spans }) {
        return Ok(false);
    }
    if overlay.base.seq > 0 {
        // A mark that one of the same id has left is of a block that is gone, and may not be cleared yet.
        batch.remove(Space::Moved, keys::entity(id).to_vec());
    }
    index_wake_up(batch, id, pending);
    if let Some(Stored { labels, place: Place::Rows(parts), .. }) = stored {
        wide::remove(batch, Space::Views, &keys::entity(id), *parts);
        for label in std::iter::once("").chain(labels.iter().map(|label| &label.0[..])) {
            batch.remove(Space::Labels, keys::label(row.kind, label, id));
        }
        for key in history_keys {
            batch.remove(Space::History, key);
        }
        for claim in row.claims.iter().filter(|claim| !claims.contains(claim)) {
            batch.remove(Space::Claims, claim.0.clone());
        }
    }
    Ok(true)
}

impl Slice {
    /// Whether it changes nothing.
    pub(crate) fn is_empty(&self, overlay: &Overlay) -> bool {
        self.entities.is_empty()
            && self.items.is_empty()
            && self.watermark == overlay.watermark
            && !self.upkeep
    }

    /// Adds what is sealed to a batch, and some upkeep.
    fn seal(
        &mut self,
        kv: &dyn Kv,
        upkeep: &mut Upkeep,
        sealing: Sealing,
        portion: Portion,
        batch: &mut Batch,
    ) -> Result<(), KvError> {
        if sealing.is_empty() && !portion.unhurried {
            return Ok(());
        }
        // Upkeep reads the tables, so it comes before the one that is only in the batch.
        let pace = Pace {
            tables: portion.merge_tables,
            keys: sealing.keys() * MERGED_PER_KEY + portion.merge_keys,
        };
        self.upkeep = upkeep.step(kv, &mut self.sealed, pace, batch)?;
        if !sealing.is_empty() {
            sealing.write(&mut self.sealed, upkeep.number(), batch)?;
        } else if !self.upkeep {
            return Ok(());
        }
        batch.put(Space::Meta, keys::SEALED.to_vec(), self.sealed.row()?);
        Ok(())
    }

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
    id: EntityId,
    pending: &Pending,
) -> Result<(Stored, usize), RecordError> {
    let Pending { row, stored, history, claims, since: _ } = pending;
    let bytes = encode(&**row)?;
    let old_parts = match stored.as_ref().map(|stored| stored.place) {
        Some(Place::Rows(parts)) => parts,
        Some(Place::Sealed) => {
            batch.remove(Space::Moved, keys::entity(id).to_vec());
            0
        }
        None => 0,
    };
    let parts = wide::replace(batch, Space::Views, &keys::entity(id), &bytes, old_parts);
    history::write(batch, id, history)?;
    for claim in claims {
        let row = encode(&ClaimRow { holder: id })?;
        batch.put(Space::Claims, claim.0.clone(), row);
    }
    index_labels(batch, id, pending);
    index_wake_up(batch, id, pending);
    let place = Place::Rows(parts);
    let stored = Stored { labels: row.labels.clone(), wake_up: row.wake_up, place };
    Ok((stored, bytes.len()))
}

fn index_labels(batch: &mut Batch, id: EntityId, pending: &Pending) {
    let kind = pending.row.kind;
    let old = match &pending.stored {
        Some(Stored { labels, place: Place::Rows(_), .. }) => &labels[..],
        Some(Stored { place: Place::Sealed, .. }) | None => {
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

fn index_wake_up(batch: &mut Batch, id: EntityId, pending: &Pending) {
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
