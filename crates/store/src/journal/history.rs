//! The events of one entity, found through its history rows and read from the journal.

use crate::{
    EntityId, Event, ReadError, Version,
    kv::{Direction, Kv, KvError, Pager, Space, Span},
    limits,
    record::{Entry, HistoryRow, HistorySpan, decode},
};

use super::{Shared, keys, overlay::Overlay, pack};

impl Shared {
    pub(crate) fn history(
        &self,
        id: EntityId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<Event>, ReadError> {
        self.stopped()?;
        let limit = limit.min(limits::PAGE);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let spans = {
            let overlay = self.overlay();
            spans(&*self.kv, &overlay, id, after, limit)
        };
        spans
            .and_then(|spans| events(&*self.kv, id, after, limit, &spans))
            .map_err(|error| self.read_error(error))
    }
}

/// Where the events after `after` are, as far as `limit` needs.
fn spans(
    kv: &dyn Kv,
    overlay: &Overlay,
    id: EntityId,
    after: Version,
    limit: usize,
) -> Result<Vec<HistorySpan>, KvError> {
    let mut wanted = Wanted { after, left: limit as u64, spans: Vec::new() };
    // The oldest ones, if it was sealed once: rows are of what came after.
    if let Some(sealed) = overlay.sealed.find(kv, id)? {
        sealed.spans.into_iter().for_each(|span| wanted.take(span));
    }
    for row in rows(kv, id, after)? {
        for span in row?.spans {
            wanted.take(span);
        }
        if wanted.left == 0 {
            return Ok(wanted.spans);
        }
    }
    if let Some(pending) = overlay.entities.get(&id) {
        for span in &pending.history {
            wanted.take(*span);
        }
    }
    Ok(wanted.spans)
}

struct Wanted {
    after: Version,
    left: u64,
    spans: Vec<HistorySpan>,
}

impl Wanted {
    /// A span may be offered twice: by its row, and by the overlay until the slice that wrote the row is settled.
    fn take(&mut self, span: HistorySpan) {
        if self.left == 0 || span.last() <= self.after {
            return;
        }
        let fresh = span.last() - self.after.max(span.first - 1);
        self.left = self.left.saturating_sub(fresh);
        self.after = span.last();
        self.spans.push(span);
    }
}

/// The history rows from the one on that has the event after `after`.
pub(super) fn rows(
    kv: &dyn Kv,
    id: EntityId,
    after: Version,
) -> Result<impl Iterator<Item = Result<HistoryRow, KvError>>, KvError> {
    let mut span = Span::prefix(&keys::entity(id));
    let until_first = Span {
        lower: span.lower.clone(),
        upper: std::ops::Bound::Included(keys::history(id, after.saturating_add(1))),
    };
    let start = kv.scan(Space::History, &until_first, Direction::Down, 1)?;
    if let Some((key, _)) = start.into_iter().next() {
        span.lower = std::ops::Bound::Included(key.to_vec());
    }
    Ok(Pager::new(kv, Space::History, span, Direction::Up)
        .map(|pair| Ok(decode::<HistoryRow>(&pair?.1)?)))
}

fn events(
    kv: &dyn Kv,
    id: EntityId,
    after: Version,
    limit: usize,
    spans: &[HistorySpan],
) -> Result<Vec<Event>, KvError> {
    let mut events = Vec::new();
    for span in spans {
        for (version, bytes) in (span.first..).zip(events_at(kv, id, span)?) {
            if version > after && events.len() < limit {
                events.push(Event { version, bytes });
            }
        }
    }
    Ok(events)
}

/// The events of one entry of the journal.
pub(super) fn events_at(
    kv: &dyn Kv,
    id: EntityId,
    span: &HistorySpan,
) -> Result<Vec<bytes::Bytes>, KvError> {
    let damaged = |what: &str| {
        KvError::Damaged(format!(
            "history: {id:?} has events {} to {} at journal entry {}, but {what}",
            span.first,
            span.last(),
            span.seq
        ))
    };
    let found = pack::containing(kv, span.seq)?.ok_or_else(|| damaged("there is none"))?;
    let place =
        span.seq.checked_sub(found.record.first).and_then(|place| usize::try_from(place).ok());
    let entry = place.and_then(|place| found.record.entries.into_iter().nth(place));
    match entry {
        Some(Entry::Commit { change: Some(change), .. })
            if change.id == id
                && change.before + 1 == span.first
                && change.events.len() as u64 == u64::from(span.events) =>
        {
            Ok(change.events)
        }
        Some(Entry::Commit { .. } | Entry::Arrival { .. }) | None => {
            Err(damaged("that is not what is there"))
        }
    }
}
