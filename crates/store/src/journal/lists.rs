//! Reads over many entities: due, list, counts, inbox. Each is one snapshot: it holds the overlay while it reads rows.

use std::{collections::BTreeMap, ops::Bound};

use crate::{
    Due, Entity, EntityId, InboxItem, InboxSeq, Kind, Label, ListQuery, Micros, PartitionId,
    ReadError,
    kv::{
        Direction, KvError, Pager, Space, Span,
        wide::{self, WideIter},
    },
    limits,
    record::{InboxRow, ViewRow, decode},
};

use super::{
    Shared, keys,
    overlay::{ItemState, Overlay},
    sealed::{Blocks, Sealed},
};

impl Shared {
    pub(crate) fn due(
        &self,
        partition: PartitionId,
        until: Micros,
        limit: usize,
    ) -> Result<Vec<Due>, ReadError> {
        self.stopped()?;
        let overlay = self.overlay();
        self.due_in(&overlay, partition, until, limit.min(limits::PAGE))
            .map_err(|error| self.read_error(error))
    }

    fn due_in(
        &self,
        overlay: &Overlay,
        partition: PartitionId,
        until: Micros,
        limit: usize,
    ) -> Result<Vec<Due>, KvError> {
        let start = (partition, Micros::MIN, EntityId(uuid::Uuid::nil()));
        let end = (partition, until, EntityId(uuid::Uuid::max()));
        let mut due: Vec<Due> = overlay
            .wake_ups
            .range(start..=end)
            .take(limit)
            .map(|(_, at, id)| Due { at: *at, id: *id })
            .collect();
        let span = keys::wake_up_span(partition, until);
        let mut from_rows = 0;
        for pair in Pager::new(&*self.kv, Space::WakeUps, span, Direction::Up) {
            if from_rows == limit {
                break;
            }
            let (key, _) = pair?;
            let id = keys::trailing_id(Space::WakeUps, &key)?;
            if overlay.entities.contains_key(&id) {
                continue;
            }
            let at = keys::wake_up_at(&key)?;
            due.push(Due { at, id });
            from_rows += 1;
        }
        due.sort_unstable();
        due.truncate(limit);
        Ok(due)
    }

    pub(crate) fn list(&self, query: &ListQuery) -> Result<Vec<Entity>, ReadError> {
        self.stopped()?;
        let overlay = self.overlay();
        self.list_in(&overlay, query).map_err(|error| self.read_error(error))
    }

    fn list_in(&self, overlay: &Overlay, query: &ListQuery) -> Result<Vec<Entity>, KvError> {
        let limit = query.limit.min(limits::PAGE);
        let upper = match query.before {
            Some(before) => Bound::Excluded(before),
            None => Bound::Unbounded,
        };
        let mut waiting = overlay
            .entities
            .range((Bound::Unbounded, upper))
            .rev()
            .filter(|(_, pending)| carries(&pending.row, query))
            .map(|(id, _)| *id)
            .peekable();
        let mut rows = self.listed_rows(overlay, query);
        let mut next_row = rows.next().transpose()?;
        let prefix = Sealed::listed_prefix(query.kind, label_of(query));
        let mut sealed = self.listed_sealed(overlay, query, &prefix);
        let mut next_sealed = sealed.next().transpose()?;
        let mut blocks = Blocks::default();
        let mut listed = Vec::new();
        while listed.len() < limit {
            // Each entity is in one of the three.
            let stored = next_row.max(next_sealed.map(|(id, _)| id));
            let Some(id) = waiting.peek().copied().max(stored) else { break };
            if let Some((_, block)) = next_sealed.filter(|(sealed, _)| *sealed == id) {
                next_sealed = sealed.next().transpose()?;
                listed.push(blocks.entity(&*self.kv, block, id)?.entity(id));
                continue;
            }
            if next_row == Some(id) {
                next_row = rows.next().transpose()?;
            } else {
                waiting.next();
            }
            let row = self.row(overlay, id)?.ok_or_else(|| {
                KvError::Damaged(format!("labels: {id:?} is listed and has no view"))
            })?;
            listed.push(row.entity(id));
        }
        Ok(listed)
    }

    /// The ids that are sealed under the label and their blocks, newest first, without those that have changed or left since.
    fn listed_sealed<'a>(
        &'a self,
        overlay: &'a Overlay,
        query: &ListQuery,
        prefix: &'a [u8],
    ) -> impl Iterator<Item = Result<(EntityId, u64), KvError>> + 'a {
        let newer = |id: EntityId, block: u64| {
            if overlay.entities.contains_key(&id) || overlay.leaving.contains(&id) {
                return Ok(true);
            }
            if overlay.base.seq > 0 && overlay.sealed.is_gone(&*self.kv, id, block)? {
                return Ok(true);
            }
            wide::has(&*self.kv, Space::Views, &keys::entity(id))
        };
        possible(query)
            .then(|| overlay.sealed.listed(&*self.kv, prefix, query.before))
            .into_iter()
            .flatten()
            .filter_map(move |found| match found {
                Ok((id, block)) => match newer(id, block) {
                    Ok(false) => Some(Ok((id, block))),
                    Ok(true) => None,
                    Err(error) => Some(Err(error)),
                },
                Err(error) => Some(Err(error)),
            })
    }

    /// The ids in the label index, newest first, without those that the overlay knows better.
    fn listed_rows<'a>(
        &'a self,
        overlay: &'a Overlay,
        query: &ListQuery,
    ) -> impl Iterator<Item = Result<EntityId, KvError>> + 'a {
        let label = label_of(query);
        let mut span = Span::prefix(&keys::label_prefix(query.kind, label));
        if let Some(before) = query.before {
            span.upper = Bound::Excluded(keys::label(query.kind, label, before));
        }
        possible(query)
            .then(|| Pager::new(&*self.kv, Space::Labels, span, Direction::Down))
            .into_iter()
            .flatten()
            .map(|pair| keys::trailing_id(Space::Labels, &pair?.0))
            .filter(|id| {
                !matches!(id, Ok(id) if overlay.entities.contains_key(id)
                    || overlay.leaving.contains(id))
            })
    }

    pub(crate) fn counts(&self, kind: Kind) -> Result<BTreeMap<Label, u64>, ReadError> {
        self.stopped()?;
        let overlay = self.overlay();
        Ok(overlay
            .counts
            .iter()
            .filter(|((of, _), entities)| *of == kind && **entities > 0)
            .map(|((_, label), entities)| (label.clone(), *entities))
            .collect())
    }

    pub(crate) fn inbox(
        &self,
        after: Option<InboxSeq>,
        limit: usize,
    ) -> Result<Vec<InboxItem>, ReadError> {
        self.stopped()?;
        let overlay = self.overlay();
        self.inbox_in(&overlay, after, limit.min(limits::PAGE))
            .map_err(|error| self.read_error(error))
    }

    /// The same, if it is known without asking the engine: whoever follows the inbox asks for what has no rows yet.
    #[cfg(feature = "embedded")]
    pub(crate) fn inbox_fast(
        &self,
        after: Option<InboxSeq>,
        limit: usize,
    ) -> Result<Option<Vec<InboxItem>>, ReadError> {
        self.stopped()?;
        let overlay = self.overlay();
        let known = after.filter(|after| after.0 >= overlay.item_rows_end);
        Ok(known.map(|after| {
            waiting(&overlay, after.0.saturating_add(1)).take(limit.min(limits::PAGE)).collect()
        }))
    }

    fn inbox_in(
        &self,
        overlay: &Overlay,
        after: Option<InboxSeq>,
        limit: usize,
    ) -> Result<Vec<InboxItem>, KvError> {
        let Some(from) = after.map_or(Some(0), |after| after.0.checked_add(1)) else {
            return Ok(Vec::new());
        };
        let mut items: BTreeMap<u64, InboxItem> =
            waiting(overlay, from).take(limit).map(|item| (item.seq.0, item)).collect();
        let span = keys::seq_span(from, u64::MAX);
        let mut from_rows = 0;
        for row in WideIter::new(&*self.kv, Space::Inbox, span) {
            if from_rows == limit {
                break;
            }
            let (key, bytes, _) = row?;
            let seq = keys::seq_of(Space::Inbox, &key)?;
            if overlay.items.contains_key(&seq) {
                continue;
            }
            let row: InboxRow = decode(&bytes)?;
            items.insert(seq, item_of(seq, &row));
            from_rows += 1;
        }
        Ok(items.into_values().take(limit).collect())
    }
}

/// The empty one stands for all of the kind.
fn label_of(query: &ListQuery) -> &str {
    query.label.as_ref().map_or("", |label| &label.0)
}

/// An asked label that cannot exist must not reach into another's keys.
fn possible(query: &ListQuery) -> bool {
    label_of(query).len() <= Label::MAX_BYTES
}

fn carries(row: &ViewRow, query: &ListQuery) -> bool {
    row.kind == query.kind && query.label.as_ref().is_none_or(|label| row.labels.contains(label))
}

/// The items of the overlay that wait, from this one on.
fn waiting(overlay: &Overlay, from: u64) -> impl Iterator<Item = InboxItem> + '_ {
    overlay.items.range(from..).filter_map(|(seq, item)| match &item.state {
        ItemState::Waiting(row) => Some(item_of(*seq, row)),
        ItemState::Finished => None,
    })
}

fn item_of(seq: u64, row: &InboxRow) -> InboxItem {
    InboxItem {
        seq: InboxSeq(seq),
        account: row.account.clone(),
        received_at: row.received_at,
        body: row.body.clone(),
        parked: row.parked.clone(),
    }
}
