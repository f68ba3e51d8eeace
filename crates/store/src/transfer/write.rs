//! A journal as lines.

use std::{collections::HashMap, io::Write};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{
    EntityId,
    journal::{Journal, records},
    record::{Chain, ChangeEntry, Entry, RecordError},
};

use super::{
    Progress, TransferError, Transferred,
    line::{End, Head, Line, VERSION},
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
    out.line(&Line::Export(Head { version: VERSION, incarnation, entries: head }))?;
    let mut events = 0;
    let (mut last, mut chain) = (0, Chain::default());
    let mut views = Views::default();
    for found in records(&*shared.kv, 0, head) {
        let found = found.map_err(damaged)?;
        found.follows(last, chain).map_err(damaged)?;
        (last, chain) = (found.record.last(), found.record.chain);
        for (entry, content) in (found.record.first..).zip(found.record.entries) {
            if let Entry::Commit { change: Some(change), .. } = &content {
                events += change.events.len() as u64;
            }
            let view = views.after(&content).map_err(|error| damaged(error.into()))?;
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

fn damaged(error: crate::kv::KvError) -> TransferError {
    TransferError::Store(error.to_string())
}

/// The views as they stand so far, since the journal says most of them as what is new against the one before. They take
/// memory: some hundred bytes for every entity.
#[derive(Default)]
struct Views(HashMap<EntityId, Bytes>);

impl Views {
    /// The whole view that an entry leaves, if it changes one.
    fn after(&mut self, entry: &Entry) -> Result<Option<Bytes>, RecordError> {
        let Entry::Commit { change: Some(ChangeEntry { id, view: Some(new), .. }), .. } = entry
        else {
            return Ok(None);
        };
        let before = self.0.get(id).cloned().unwrap_or_default();
        let view = new.whole(&before)?;
        self.0.insert(*id, view.clone());
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
