//! The physical limit: a log without an engine, to measure a store against.
//!
//! Takes the steps of the same callers in the same groups as a store, encodes the same journal records, writes them to a
//! file that lies on the disk already, and answers after one `fdatasync` per group. It checks nothing, keeps no rows and
//! cannot be read: no store that does its work can be faster on the same disk.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;

use crate::{
    Commit, CommitError, Committed, EntityId, InboxSeq, NewInboxItem,
    journal::pack,
    kv::Batch,
    record::{Chain, Entry, NewView},
};

use super::grouped::{Grouped, Sink};

/// Written before the first group and overwritten in turn, so that no group has to grow the file.
const FILE_BYTES: u64 = 128 * 1024 * 1024;

/// See the module.
#[derive(Debug)]
pub struct RawLog {
    log: Grouped,
    written: Arc<AtomicU64>,
    evidence: Arc<AtomicU64>,
}

impl RawLog {
    /// Makes the file in `folder` and starts the thread that writes it. A group has at most `group_entries` steps.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(folder: &Path, group_entries: usize) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .open(folder.join("raw-log"))?;
        let zeros = vec![0; 1024 * 1024];
        for at in (0..FILE_BYTES).step_by(zeros.len()) {
            file.write_all_at(&zeros, at)?;
        }
        file.sync_all()?;
        let (written, evidence) = (Arc::default(), Arc::default());
        let writer = Writer {
            file,
            written: Arc::clone(&written),
            evidence: Arc::clone(&evidence),
            chain: Chain::default(),
            views: HashMap::new(),
        };
        let log = Grouped::start("raw-log", group_entries, writer)?;
        Ok(Self { log, written, evidence })
    }

    /// Writes a commit as a store would.
    ///
    /// # Errors
    /// It is malformed, or the log has ended.
    pub async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        self.log.commit(commit).await
    }

    /// Writes an inbox item as a store would.
    ///
    /// # Errors
    /// It is too large, or the log has ended.
    pub async fn append_inbox(&self, item: NewInboxItem) -> Result<InboxSeq, CommitError> {
        self.log.append_inbox(item).await
    }

    /// Bytes written so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// How many of them are bodies of inbox items.
    #[must_use]
    pub fn evidence(&self) -> u64 {
        self.evidence.load(Ordering::Relaxed)
    }

    /// Ends the thread.
    pub fn close(&self) {
        self.log.close();
    }
}

struct Writer {
    file: File,
    written: Arc<AtomicU64>,
    evidence: Arc<AtomicU64>,
    chain: Chain,
    /// The last view of every entity: a store writes the next one against it.
    views: HashMap<EntityId, Bytes>,
}

impl Writer {
    fn patch(&mut self, entry: &mut Entry) {
        if let Entry::Commit { change: Some(change), .. } = entry
            && let Some(NewView::Whole(view)) = &change.view
        {
            // One that is listed under its state alone has ended: no store keeps it in memory either.
            let before = if change.labels.len() > 1 {
                self.views.insert(change.id, view.clone())
            } else {
                self.views.remove(&change.id)
            };
            change.patch(&before.unwrap_or_default());
        }
    }
}

impl Sink for Writer {
    fn write(&mut self, first: u64, mut entries: Vec<Entry>) -> Result<(), CommitError> {
        let failed = |error: &dyn std::fmt::Display| CommitError::Halted(error.to_string());
        entries.iter_mut().for_each(|entry| self.patch(entry));
        let mut batch = Batch::default();
        let packed =
            pack::append(&mut batch, self.chain, first, entries).map_err(|error| failed(&error))?;
        self.chain = packed.chain;
        self.evidence.fetch_add(packed.evidence, Ordering::Relaxed);
        let mut bytes = Vec::new();
        for write in batch.into_writes() {
            bytes.extend_from_slice(&write.key);
            bytes.extend_from_slice(write.value.as_deref().unwrap_or_default());
        }
        let at = self.written.load(Ordering::Relaxed) % FILE_BYTES;
        let at = if at + bytes.len() as u64 > FILE_BYTES { 0 } else { at };
        self.file.write_all_at(&bytes, at).map_err(|error| failed(&error))?;
        self.file.sync_data().map_err(|error| failed(&error))?;
        self.written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InboxDone, PartitionId, Position};

    #[tokio::test]
    async fn it_numbers_steps_as_a_store_does_and_writes_what_it_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let log = RawLog::create(folder.path(), 4).unwrap();
        let item = NewInboxItem {
            account: "default".to_owned(),
            received_at: 1,
            body: bytes::Bytes::from_static(b"a body that is found again"),
        };
        assert_eq!(log.append_inbox(item).await, Ok(InboxSeq(1)));
        let done = InboxDone::Finished { seq: InboxSeq(1), disposition: "applied".to_owned() };
        let commit = Commit { partition: PartitionId::ONLY, change: None, inbox: vec![done] };
        assert_eq!(log.commit(commit.clone()).await.unwrap().position, Position(2));
        let nothing = Commit { inbox: Vec::new(), ..commit.clone() };
        assert!(matches!(log.commit(nothing).await, Err(CommitError::Invalid(_))));
        log.close();
        assert_eq!(log.commit(commit).await, Err(CommitError::Closed));
        let written = usize::try_from(log.written()).unwrap();
        let file = std::fs::read(folder.path().join("raw-log")).unwrap();
        assert!(file[written..].iter().all(|byte| *byte == 0));
        let found = file[..written].windows(26).any(|bytes| bytes == b"a body that is found again");
        assert!(found);
    }
}
