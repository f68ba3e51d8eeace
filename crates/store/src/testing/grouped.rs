//! The callers' side of what a store is measured against: steps are queued and written in the groups that a store makes.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use tokio::sync::oneshot;

use crate::{
    Commit, CommitError, Committed, InboxSeq, NewInboxItem, Position,
    journal::{Step, accept},
    record::Entry,
    writer::Queue,
};

/// Where groups go.
pub(super) trait Sink: Send + 'static {
    /// Writes entries, the first with the sequence `first`; durable when it returns.
    fn write(&mut self, first: u64, entries: Vec<Entry>) -> Result<(), CommitError>;
}

/// A queue, and a thread that writes what is in it.
#[derive(Debug)]
pub(super) struct Grouped {
    queue: Arc<Queue<Job>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Job {
    step: Box<Step>,
    reply: oneshot::Sender<Result<Committed, CommitError>>,
}

impl Grouped {
    /// Starts the thread. A group has at most `most` steps.
    pub(super) fn start(name: &str, most: usize, sink: impl Sink) -> io::Result<Self> {
        let queue = Arc::new(Queue::new());
        let writer = Writer { sink, queue: Arc::clone(&queue), most, head: 0 };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || writer.run())?;
        Ok(Self { queue, writer: Mutex::new(Some(thread)) })
    }

    pub(super) async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        self.append(Step::Commit(commit)).await
    }

    pub(super) async fn append_inbox(&self, item: NewInboxItem) -> Result<InboxSeq, CommitError> {
        self.append(Step::Arrival(item)).await.map(|committed| InboxSeq(committed.position.0))
    }

    async fn append(&self, step: Step) -> Result<Committed, CommitError> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Job { step: Box::new(step), reply }).map_err(|_| CommitError::Closed)?;
        answer.await.unwrap_or(Err(CommitError::Closed))
    }

    /// Ends the thread.
    pub(super) fn close(&self) {
        self.queue.close();
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic in it has told its callers by leaving them without an answer.
            let _ = thread.join();
        }
    }
}

impl Drop for Grouped {
    fn drop(&mut self) {
        self.close();
    }
}

struct Writer<S> {
    sink: S,
    queue: Arc<Queue<Job>>,
    most: usize,
    head: u64,
}

impl<S: Sink> Writer<S> {
    fn run(mut self) {
        loop {
            let mut group = Vec::new();
            let open = self.queue.take(None, |job| {
                if group.len() < self.most {
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

    fn write(&mut self, group: Vec<Job>) -> Result<(), CommitError> {
        let mut entries = Vec::with_capacity(group.len());
        let mut waiting = Vec::with_capacity(group.len());
        for Job { step, reply } in group {
            let entry = match *step {
                Step::Arrival(item) => accept::arrival(item),
                Step::Commit(commit) => accept::commit(commit),
            };
            match entry {
                Ok(entry) => {
                    entries.push(entry);
                    waiting.push(reply);
                }
                // Who asked may have gone.
                Err(refused) => drop(reply.send(Err(refused))),
            }
        }
        let first = self.head + 1;
        self.head += entries.len() as u64;
        self.sink.write(first, entries)?;
        for (position, reply) in (first..).zip(waiting) {
            let _ = reply.send(Ok(Committed { version: 0, position: Position(position) }));
        }
        Ok(())
    }
}
