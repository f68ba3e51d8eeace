//! What becomes of the base when the oldest records go: the state after them.

use std::{
    collections::{BTreeMap, HashSet, btree_map},
    sync::Arc,
};

use bytes::Bytes;

use crate::{
    EntityId, Version,
    journal::{keys, overlay::ItemState},
    kv::{Batch, Kv, KvError, Space, wide},
    record::{
        BaseRow, ChangeEntry, Entry, InboxEntry, InboxRow, KeptEvents, KeptItem, KeptView, ViewRow,
    },
};

use super::{Stretch, kept};

/// Events of one row are about so many bytes.
const ROW_BYTES: usize = 24 * 1024;

/// An entity in the fold.
struct Folded {
    row: ViewRow,
    /// Parts of its row at the base before; `None`: it has none.
    parts: Option<u16>,
    first: Version,
    events: Vec<Bytes>,
}

/// An inbox item in the fold.
struct FoldedItem {
    state: ItemState,
    /// Parts of its row at the base before.
    parts: Option<u16>,
}

/// Adds to a batch what the base is after a stretch, without the entities that leave with it; changes `base`.
pub(crate) fn fold(
    kv: &dyn Kv,
    stretch: &Stretch,
    leaving: &HashSet<EntityId>,
    base: &mut BaseRow,
    batch: &mut Batch,
) -> Result<(), KvError> {
    let mut entities: BTreeMap<EntityId, Folded> = BTreeMap::new();
    let mut items: BTreeMap<u64, FoldedItem> = BTreeMap::new();
    for (seq, entry) in stretch.entries() {
        match entry {
            Entry::Arrival { account, received_at, body } => {
                let row = InboxRow {
                    account: account.clone(),
                    received_at: *received_at,
                    body: body.clone(),
                    parked: None,
                };
                let state = ItemState::Waiting(Arc::new(row));
                items.insert(seq, FoldedItem { state, parts: None });
            }
            Entry::Commit { change, inbox } => {
                for done in inbox {
                    fold_item(kv, done, &mut items)?;
                }
                if let Some(change) = change
                    && !leaving.contains(&change.id)
                {
                    fold_change(kv, seq, change, &mut entities)?;
                }
            }
        }
    }
    for (id, folded) in entities {
        base.entities += u64::from(folded.parts.is_none());
        write_entity(id, folded, batch)?;
    }
    for (seq, item) in items {
        write_item(seq, item, base, batch)?;
    }
    base.seq = stretch.last;
    base.chain = stretch.chain;
    if let Some((seq, events)) = stretch.fed {
        (base.fed, base.fed_events) = (seq, events);
    }
    Ok(())
}

fn fold_change(
    kv: &dyn Kv,
    seq: u64,
    change: &ChangeEntry,
    entities: &mut BTreeMap<EntityId, Folded>,
) -> Result<(), KvError> {
    let folded = match entities.entry(change.id) {
        btree_map::Entry::Occupied(folded) => folded.into_mut(),
        btree_map::Entry::Vacant(vacant) => {
            let (row, parts) = kept(kv, change.id)?.unzip();
            let row = row.unwrap_or_else(|| ViewRow {
                seq,
                kind: change.kind,
                partition: change.partition,
                version: 0,
                wake_up: None,
                labels: Vec::new(),
                view: Bytes::new(),
                claims: Arc::default(),
            });
            let first = row.version + 1;
            vacant.insert(Folded { row, parts, first, events: Vec::new() })
        }
    };
    let row = &mut folded.row;
    if row.version != change.before {
        return Err(KvError::Damaged(format!(
            "kept-views: {:?} is at version {}, but journal entry {seq} continues version {}",
            change.id, row.version, change.before
        )));
    }
    row.seq = seq;
    row.version += change.events.len() as u64;
    row.wake_up = change.wake_up;
    row.labels.clone_from(&change.labels);
    if let Some(view) = &change.view {
        row.view = view.whole(&row.view)?;
    }
    let claims = Arc::make_mut(&mut row.claims);
    for claim in &change.claims {
        if !claims.contains(claim) {
            claims.push(claim.clone());
        }
    }
    folded.events.extend(change.events.iter().cloned());
    Ok(())
}

fn fold_item(
    kv: &dyn Kv,
    done: &InboxEntry,
    items: &mut BTreeMap<u64, FoldedItem>,
) -> Result<(), KvError> {
    let (InboxEntry::Finished { seq, .. } | InboxEntry::Parked { seq, .. }) = done;
    let item = match items.entry(seq.0) {
        btree_map::Entry::Occupied(item) => item.into_mut(),
        btree_map::Entry::Vacant(vacant) => {
            let Some((bytes, parts)) = wide::get(kv, Space::KeptInbox, &keys::seq(seq.0))? else {
                return Err(KvError::Damaged(format!(
                    "kept-inbox: item {} is missing, which an entry of the journal works off",
                    seq.0
                )));
            };
            let state = ItemState::Waiting(Arc::new(KeptItem::open(&bytes)?));
            vacant.insert(FoldedItem { state, parts: Some(parts) })
        }
    };
    match (done, &mut item.state) {
        (InboxEntry::Parked { reason, .. }, ItemState::Waiting(row)) => {
            Arc::make_mut(row).parked = Some(reason.clone());
        }
        (InboxEntry::Finished { .. }, state) => *state = ItemState::Finished,
        (InboxEntry::Parked { .. }, ItemState::Finished) => {}
    }
    Ok(())
}

fn write_entity(id: EntityId, folded: Folded, batch: &mut Batch) -> Result<(), KvError> {
    let Folded { row, parts, mut first, events } = folded;
    let bytes = KeptView::seal(row)?;
    wide::replace(batch, Space::KeptViews, &keys::entity(id), &bytes, parts.unwrap_or(0));
    let mut rest = &events[..];
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|event| {
            bytes += event.len();
            bytes <= ROW_BYTES
        });
        let (now, after) = rest.split_at(fits.count().max(1));
        let row = KeptEvents::seal(now)?;
        wide::put(batch, Space::KeptEvents, &keys::history(id, first), &row);
        first += now.len() as u64;
        rest = after;
    }
    Ok(())
}

fn write_item(
    seq: u64,
    item: FoldedItem,
    base: &mut BaseRow,
    batch: &mut Batch,
) -> Result<(), KvError> {
    let key = keys::seq(seq);
    match item.state {
        ItemState::Waiting(row) => {
            let bytes = KeptItem::seal((*row).clone())?;
            wide::replace(batch, Space::KeptInbox, &key, &bytes, item.parts.unwrap_or(0));
            base.items += u64::from(item.parts.is_none());
        }
        ItemState::Finished => {
            wide::remove(batch, Space::KeptInbox, &key, item.parts.unwrap_or(0));
            base.items -= u64::from(item.parts.is_some());
        }
    }
    Ok(())
}
