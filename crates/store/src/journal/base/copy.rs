//! The base in pieces, out of a store and into another.

use std::sync::Arc;

use crate::{
    journal::{
        Halt, Journal, keys,
        overlay::{ItemState, PendingItem},
        stage::{Changes, Touched},
    },
    kv::{
        Batch, Direction, Kv, KvError, Pager, Space, Span,
        wide::{self, WideIter},
    },
    record::{BaseRow, KeptEvents, KeptItem, KeptView, LeftRow, Part, decode, encode},
};

use super::first_of;

/// Everything that is kept, without the end. Nobody moves the base meanwhile.
pub(crate) fn parts(kv: &dyn Kv) -> impl Iterator<Item = Result<Part, KvError>> {
    let entities =
        WideIter::new(kv, Space::KeptViews, Span::ALL).map(|item| -> Result<Part, KvError> {
            let (key, bytes, _) = item?;
            let id = keys::trailing_id(Space::KeptViews, &key)?;
            Ok(Part::Entity { id, row: KeptView::open(&bytes)? })
        });
    let events =
        WideIter::new(kv, Space::KeptEvents, Span::ALL).map(|item| -> Result<Part, KvError> {
            let (key, bytes, _) = item?;
            let id =
                keys::trailing_id(Space::KeptEvents, &key.slice(..key.len().min(keys::ID_BYTES)))?;
            Ok(Part::Events { id, first: first_of(&key)?, events: KeptEvents::open(&bytes)? })
        });
    let items =
        WideIter::new(kv, Space::KeptInbox, Span::ALL).map(|item| -> Result<Part, KvError> {
            let (key, bytes, _) = item?;
            let seq = keys::seq_of(Space::KeptInbox, &key)?;
            Ok(Part::Item { seq, row: KeptItem::open(&bytes)? })
        });
    let left = Pager::new(kv, Space::Left, Span::ALL, Direction::Up).map(
        |pair| -> Result<Part, KvError> {
            let (hash, bytes) = pair?;
            let at = decode::<LeftRow>(&bytes)?.at;
            Ok(Part::Left { hash, at })
        },
    );
    entities.chain(events).chain(items).chain(left)
}

impl Journal {
    /// Begins an empty store where another one begins; its pieces follow, and then its journal.
    pub(crate) fn begin_at(&mut self, base: BaseRow) -> Result<(), Halt> {
        let mut batch = Batch::default();
        let row = encode(&base).map_err(|error| self.halt(&error.into()))?;
        batch.put(Space::Meta, keys::BASE.to_vec(), row);
        self.write(batch).map_err(|error| self.halt(&error))?;
        (self.head, self.chain) = (base.seq, base.chain);
        {
            let mut overlay = self.shared.overlay_mut();
            overlay.base = base;
            (overlay.durable, overlay.watermark) = (base.seq, base.seq);
        }
        self.shared.announce(base.seq, 0);
        self.note_mark()
    }

    /// Takes pieces in, with everything that follows from them. One batch, one sync.
    pub(crate) fn take_parts(&mut self, parts: Vec<Part>) -> Result<(), Halt> {
        let base = self.shared.overlay().base.seq;
        let mut batch = self.shared.kv.batch();
        let mut changes = Changes::default();
        for part in parts {
            take(part, base, &mut batch, &mut changes).map_err(|error| self.halt(&error))?;
        }
        self.write(batch).map_err(|error| self.halt(&error))?;
        let mut overlay = self.shared.overlay_mut();
        overlay.publish(changes, base);
        let inbox_len = overlay.inbox_len;
        drop(overlay);
        self.shared.announce(base, inbox_len);
        self.stop_for_lag()
    }
}

fn take(part: Part, base: u64, batch: &mut Batch, changes: &mut Changes) -> Result<(), KvError> {
    match part {
        Part::Entity { id, row } => {
            let bytes = KeptView::seal(row.clone())?;
            wide::put(batch, Space::KeptViews, &keys::entity(id), &bytes);
            let claims = row.claims.to_vec();
            changes.claims.extend(claims.iter().map(|claim| (claim.clone(), id)));
            let touched = Touched {
                row: Arc::new(row),
                before: None,
                stored: None,
                since: base,
                history: Vec::new(),
                claims,
            };
            changes.entities.insert(id, touched);
        }
        Part::Events { id, first, events } => {
            let bytes = KeptEvents::seal(&events)?;
            wide::put(batch, Space::KeptEvents, &keys::history(id, first), &bytes);
        }
        Part::Item { seq, row } => {
            let bytes = KeptItem::seal(row.clone())?;
            wide::put(batch, Space::KeptInbox, &keys::seq(seq), &bytes);
            let state = ItemState::Waiting(Arc::new(row));
            changes.items.insert(seq, PendingItem { state, since: base, stored: None });
            changes.inbox_delta += 1;
        }
        Part::Left { hash, at } => {
            batch.put(Space::Left, hash.to_vec(), encode(&LeftRow { at })?);
        }
        Part::End { .. } => {}
    }
    Ok(())
}
