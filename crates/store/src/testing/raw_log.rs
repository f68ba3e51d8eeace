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
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::{
    Commit, CommitError, Committed, EntityId, InboxSeq, NewInboxItem, Position,
    journal::{Step, accept, pack},
    kv::Batch,
    record::{Chain, Entry, NewView},
    writer::Queue,
};

/// Written before the first group and overwritten in turn, so that no group has to grow the file.
const FILE_BYTES: u64 = 128 * 1024 * 1024;

/// See the module.
#[derive(Debug)]
pub struct RawLog {
    queue: Arc<Queue<Job>>,
    written: Arc<AtomicU64>,
    evidence: Arc<AtomicU64>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Job {
    step: Box<Step>,
    reply: oneshot::Sender<Result<Committed, CommitError>>,
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
        let log = Self {
            queue: Arc::new(Queue::new()),
            written: Arc::default(),
            evidence: Arc::default(),
            writer: Mutex::new(None),
        };
        let writer = Writer {
            file,
            queue: Arc::clone(&log.queue),
            written: Arc::clone(&log.written),
            evidence: Arc::clone(&log.evidence),
            group_entries,
            chain: Chain::default(),
            head: 0,
            views: HashMap::new(),
        };
        let thread =
            thread::Builder::new().name("raw-log".to_owned()).spawn(move || writer.run())?;
        *log.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(log)
    }

    /// Writes a commit as a store would.
    ///
    /// # Errors
    /// It is malformed, or the log has ended.
    pub async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        self.append(Step::Commit(commit)).await
    }

    /// Writes an inbox item as a store would.
    ///
    /// # Errors
    /// It is too large, or the log has ended.
    pub async fn append_inbox(&self, item: NewInboxItem) -> Result<InboxSeq, CommitError> {
        self.append(Step::Arrival(item)).await.map(|committed| InboxSeq(committed.position.0))
    }

    async fn append(&self, step: Step) -> Result<Committed, CommitError> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Job { step: Box::new(step), reply }).map_err(|_| CommitError::Closed)?;
        answer.await.unwrap_or(Err(CommitError::Closed))
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
        self.queue.close();
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic in it has told its callers by leaving them without an answer.
            let _ = thread.join();
        }
    }
}

impl Drop for RawLog {
    fn drop(&mut self) {
        self.close();
    }
}

struct Writer {
    file: File,
    queue: Arc<Queue<Job>>,
    written: Arc<AtomicU64>,
    evidence: Arc<AtomicU64>,
    group_entries: usize,
    chain: Chain,
    head: u64,
    /// The last view of every entity: a store writes the next one against it.
    views: HashMap<EntityId, Bytes>,
}

impl Writer {
    fn run(mut self) {
        loop {
            let mut group = Vec::new();
            let open = self.queue.take(None, |job| {
                if group.len() < self.group_entries {
                    group.push(job);
                    Ok(())
                } else {
                    Err(job)
                }
            });
            if group.is_empty() {
                if open {
                    continue;
                }
                return;
            }
            if let Err(error) = self.write(group) {
                // As a store does: a failed write ends it, and whoever waits is told so.
                self.queue.close();
                drop(self.queue.drain());
                drop(error);
                return;
            }
        }
    }

    fn patch(&mut self, entry: &mut Entry) {
        if let Entry::Commit { change: Some(change), .. } = entry
            && let Some(NewView::Whole(view)) = &change.view
        {
            let before = self.views.insert(change.id, view.clone());
            change.patch(&before.unwrap_or_default());
        }
    }

    fn write(&mut self, group: Vec<Job>) -> Result<(), CommitError> {
        let failed = |error: &dyn std::fmt::Display| CommitError::Halted(error.to_string());
        let mut entries = Vec::with_capacity(group.len());
        let mut waiting = Vec::with_capacity(group.len());
        for Job { step, reply } in group {
            let entry = match *step {
                Step::Arrival(item) => accept::arrival(item),
                Step::Commit(commit) => accept::commit(commit),
            };
            match entry {
                Ok(mut entry) => {
                    self.patch(&mut entry);
                    entries.push(entry);
                    waiting.push(reply);
                }
                // Who asked may have gone.
                Err(refused) => drop(reply.send(Err(refused))),
            }
        }
        let first = self.head + 1;
        self.head += entries.len() as u64;
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
        for (position, reply) in (first..).zip(waiting) {
            let _ = reply.send(Ok(Committed { version: 0, position: Position(position) }));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InboxDone, PartitionId};

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
