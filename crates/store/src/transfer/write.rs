//! A journal as lines.

use std::{collections::HashMap, io::Write};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{
    EntityId, Version,
    journal::{Journal, Shared, base::parts, records},
    kv::KvError,
    record::{ChangeEntry, Entry, Part, ViewRow},
};

use super::{
    Progress, TransferError, Transferred,
    kept::{BaseLine, KeptLine},
    line::{End, Head, Line, VERSION, WHOLE},
};

/// Writes the whole journal, and checks its chain on the way.
pub(crate) fn write(
    journal: &Journal,
    out: &mut dyn Write,
    progress: Progress<'_>,
) -> Result<Transferred, TransferError> {
    let shared = journal.shared();
    let head = journal.head();
    let mut out = Digesting { out, digest: Sha256::new() };
    let incarnation = shared.incarnation.id;
    let base = shared.overlay().base;
    let (version, begins) =
        if base.seq == 0 { (WHOLE, None) } else { (VERSION, Some(BaseLine::of(&base))) };
    out.line(&Line::Export(Head { version, incarnation, entries: head, base: begins }))?;
    let mut events = 0;
    let (mut last, mut chain) = (base.seq, base.chain);
    let mut views = Views::new(shared);
    for part in parts(&*shared.kv) {
        let part = part.map_err(damaged)?;
        match &part {
            Part::Entity { id, row } => views.keep(*id, row).map_err(damaged)?,
            Part::Events { events: kept, .. } => events += kept.len() as u64,
            Part::Item { .. } | Part::Left { .. } | Part::End { .. } => {}
        }
        if let Some(line) = KeptLine::of(part) {
            out.line(&Line::Kept(line))?;
        }
    }
    for found in records(&*shared.kv, base.seq + 1, head) {
        let found = found.map_err(damaged)?;
        found.follows(last, chain).map_err(damaged)?;
        (last, chain) = (found.record.last(), found.record.chain);
        for (entry, content) in (found.record.first..).zip(found.record.entries) {
            if let Entry::Commit { change: Some(change), .. } = &content {
                events += change.events.len() as u64;
            }
            let view = views.after(&content).map_err(damaged)?;
            out.line(&Line::of(entry, content, view))?;
        }
        progress(last, head);
    }
    if last != head {
        return Err(TransferError::Store(format!(
            "damaged: the journal's last entry is {last}, it should be {head}"
        )));
    }
    let sha256 = hex(&out.digest.clone().finalize());
    out.line(&Line::End(End { entries: head, sha256 }))?;
    out.out.flush()?;
    Ok(Transferred { entries: head, events })
}

fn damaged(error: KvError) -> TransferError {
    TransferError::Store(error.to_string())
}

/// The views as they stand so far, since the journal says most of them as what is new against the one before.
///
/// A view is held only as long as there are more events of its entity to come: so they take memory by how many orders
/// were on their way at one time, and not by how many there ever were.
struct Views<'a> {
    shared: &'a Shared,
    held: HashMap<EntityId, Held>,
}

struct Held {
    view: Bytes,
    /// The version of the last one.
    last: Version,
}

impl<'a> Views<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self { shared, held: HashMap::new() }
    }

    /// Begins with the view of an entity that is kept.
    fn keep(&mut self, id: EntityId, row: &ViewRow) -> Result<(), KvError> {
        let last = self.last(id)?;
        if last > row.version {
            self.held.insert(id, Held { view: row.view.clone(), last });
        }
        Ok(())
    }

    fn last(&self, id: EntityId) -> Result<Version, KvError> {
        let row = self.shared.row(&self.shared.overlay(), id)?;
        Ok(row.map_or(0, |row| row.version))
    }

    /// The whole view that an entry leaves, if it changes one.
    fn after(&mut self, entry: &Entry) -> Result<Option<Bytes>, KvError> {
        let Entry::Commit {
            change: Some(ChangeEntry { id, before, events, view: Some(new), .. }),
            ..
        } = entry
        else {
            return Ok(None);
        };
        let (old, last) = match self.held.remove(id) {
            Some(Held { view, last }) => (view, last),
            None => (Bytes::new(), self.last(*id)?),
        };
        let view = new.whole(&old)?;
        if before + (events.len() as u64) < last {
            self.held.insert(*id, Held { view: view.clone(), last });
        }
        Ok(Some(view))
    }
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Digesting<'a> {
    out: &'a mut dyn Write,
    digest: Sha256,
}

impl Digesting<'_> {
    fn line(&mut self, line: &Line) -> Result<(), TransferError> {
        let mut text = serde_json::to_vec(line).map_err(std::io::Error::other)?;
        text.push(b'\n');
        self.digest.update(&text);
        Ok(self.out.write_all(&text)?)
    }
}
