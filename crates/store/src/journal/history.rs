//! The events of one entity, found through its history rows and read from the journal.

use crate::{
    EntityId, Event, ReadError, Version,
    kv::{Batch, Direction, Kv, KvError, Pager, Space, Span},
    limits,
    record::{Entry, HistoryRow, HistorySpan, RecordError, decode, encode},
};

use super::{Shared, base, keys, overlay::Overlay, pack, sealed::has_left};

/// Spans in one history row: it stays a small value whatever a single busy entity does.
const SPANS_PER_ROW: usize = 200;

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
        loop {
            let (base, found) = {
                let overlay = self.overlay();
                (overlay.base.seq, found(&*self.kv, &overlay, id, after, limit))
            };
            let (mut events, spans) = found.map_err(|error| self.read_error(error))?;
            let after = events.last().map_or(after, |event| event.version);
            let left = limit - events.len();
            match journalled(&*self.kv, id, after, left, &spans) {
                Ok(more) => {
                    events.extend(more);
                    return Ok(events);
                }
                // The beginning of the journal has gone meanwhile: it is looked for where it is now.
                Err(KvError::Damaged(_)) if self.overlay().base.seq > base => {}
                Err(error) => return Err(self.read_error(error)),
            }
        }
    }
}

/// The events after `after` that are kept at the base, and where those after them are in the journal.
fn found(
    kv: &dyn Kv,
    overlay: &Overlay,
    id: EntityId,
    after: Version,
    limit: usize,
) -> Result<(Vec<Event>, Vec<HistorySpan>), KvError> {
    let base = overlay.base.seq;
    let kept = if base > 0 { base::events(kv, id, after, limit)? } else { Vec::new() };
    if overlay.leaving.contains(&id) {
        return Ok((Vec::new(), Vec::new()));
    }
    let after = kept.last().map_or(after, |event| event.version);
    let spans = spans(kv, overlay, id, after, limit - kept.len())?;
    Ok((kept, spans))
}

/// Where the events after `after` are, as far as `limit` needs.
fn spans(
    kv: &dyn Kv,
    overlay: &Overlay,
    id: EntityId,
    after: Version,
    limit: usize,
) -> Result<Vec<HistorySpan>, KvError> {
    let base = overlay.base.seq;
    let mut wanted = Wanted { after, left: limit as u64, base, spans: Vec::new() };
    // The oldest ones, if it was sealed once: rows are of what came after.
    if let Some(sealed) = overlay.sealed.find(kv, id)?
        && !(base > 0 && has_left(kv, id)?)
    {
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
    /// What is not after it is kept elsewhere.
    base: u64,
    spans: Vec<HistorySpan>,
}

impl Wanted {
    /// A span may be offered twice: by its row, and by the overlay until the slice that wrote the row is settled.
    fn take(&mut self, span: HistorySpan) {
        if self.left == 0 || span.last() <= self.after || span.seq <= self.base {
            return;
        }
        let fresh = span.last() - self.after.max(span.first - 1);
        self.left = self.left.saturating_sub(fresh);
        self.after = span.last();
        self.spans.push(span);
    }
}

/// Adds rows to a batch that say where consecutive events of an entity are.
pub(super) fn write(
    batch: &mut Batch,
    id: EntityId,
    spans: &[HistorySpan],
) -> Result<(), RecordError> {
    for spans in spans.chunks(SPANS_PER_ROW) {
        let Some(first) = spans.first() else { continue };
        let row = encode(&HistoryRow { spans: spans.to_vec() })?;
        batch.put(Space::History, keys::history(id, first.first), row);
    }
    Ok(())
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

fn journalled(
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
