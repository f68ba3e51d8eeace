//! The writer's thread: takes what is queued as one group, commits it, answers, and writes rows when nobody asks.
//!
//! A thread of its own and not a task: it waits for the disk. It alone drives the [`Journal`]; a watchdog
//! ([`watchdog`]) halts the store when a group does not come back.

mod queue;
mod watchdog;

pub(crate) use queue::Queue;
pub(crate) use watchdog::{Busy, watch};

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::{
    CheckReport, CommitError, Committed, Health, ReadError, Retain, Retained,
    folder::panic_text,
    journal::{Halt, Journal, Shared, Step},
};

/// Rows are written this long after the last commit: an entity that moves on within it is written once.
const IDLE: Duration = Duration::from_millis(100);

/// How far the mark may be behind after a power cut; one more sync per quarter of a second is under two percent.
const MARK_EVERY: Duration = Duration::from_millis(250);

/// Something for the writer to do.
#[derive(Debug)]
pub(crate) enum Job {
    Step(Box<StepJob>),
    Check(oneshot::Sender<CheckReport>),
    Retain(Box<RetainJob>),
    Close(oneshot::Sender<()>),
}

/// A step of retention, and who waits for it.
#[derive(Debug)]
pub(crate) struct RetainJob {
    pub(crate) retain: Retain,
    pub(crate) reply: oneshot::Sender<Retained>,
}

/// A step, and who waits for it.
#[derive(Debug)]
pub(crate) struct StepJob {
    pub(crate) step: Step,
    pub(crate) bytes: usize,
    pub(crate) reply: oneshot::Sender<Result<Committed, CommitError>>,
    /// Its place in the bounded queue, given back with the answer.
    pub(crate) permit: OwnedSemaphorePermit,
}

/// How large a group may become.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupBounds {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

/// What the writer finds in its queue.
enum Next {
    Group(Vec<StepJob>),
    Check(oneshot::Sender<CheckReport>),
    Retain(Box<RetainJob>),
    Close(oneshot::Sender<()>),
    /// Nothing came for a while.
    Idle,
    /// Nothing can come any more.
    Gone,
}

/// The writer and what it holds while it runs.
pub(crate) struct Writer {
    pub(crate) journal: Journal,
    pub(crate) queue: Arc<Queue<Job>>,
    pub(crate) busy: Arc<Busy>,
    pub(crate) bounds: GroupBounds,
    /// Let go after the engine is closed: the folder's lock.
    pub(crate) keep: Box<dyn Any + Send>,
}

impl Writer {
    /// Runs until it is closed, dropped or halted; then releases the engine and the folder.
    pub(crate) fn run(mut self) {
        let shared = Arc::clone(self.journal.shared());
        let ended = catch_unwind(AssertUnwindSafe(|| self.serve(&shared)));
        let asked = match ended {
            Ok(Ok(asked)) => asked,
            Ok(Err(Halt(reason))) => {
                shared.halt(&reason);
                None
            }
            Err(panic) => {
                shared.halt(&format!("the writer panicked: {}", panic_text(&*panic)));
                None
            }
        };
        self.queue.close();
        // What is still queued is dropped with its senders; who waits sees the health.
        drop(self.queue.drain());
        let Self { journal, keep, busy, .. } = self;
        drop(journal);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| shared.kv.close())) {
            shared.halt(&format!("the engine panicked: {}", panic_text(&*panic)));
        }
        drop(keep);
        shared.health.send_if_modified(|health| match health {
            Health::Running | Health::Full(_) => {
                *health = Health::Closed;
                true
            }
            Health::Halted(_) | Health::Closed => false,
        });
        busy.end();
        if let Some(reply) = asked {
            // Who asked may have gone.
            let _ = reply.send(());
        }
    }

    /// Gives the one who asked for the end, if somebody did.
    fn serve(&mut self, shared: &Shared) -> Result<Option<oneshot::Sender<()>>, Halt> {
        let mut settled = Instant::now();
        let mut unsettled = false;
        // What an open has replayed is written when nobody comes.
        let mut patience = Some(IDLE);
        loop {
            let next = self.next(patience);
            let _working = self.busy.start();
            // A group that came back after the watchdog has given it up is not announced.
            still_running(shared)?;
            match next {
                Next::Group(jobs) => {
                    self.commit(jobs)?;
                    unsettled = true;
                    patience = Some(IDLE);
                }
                Next::Check(reply) => {
                    // Takes as long as it takes.
                    self.busy.pause();
                    let _ = reply.send(self.journal.check()?);
                    unsettled = false;
                    patience = Some(IDLE);
                }
                Next::Retain(job) => {
                    let RetainJob { retain, reply } = *job;
                    // Who asked may have gone; the step is done all the same.
                    let _ = reply.send(self.journal.retain(&retain)?);
                    // The index of what is sealed may have some work left.
                    patience = Some(IDLE);
                }
                Next::Close(reply) => {
                    // What was queued before is done; what comes now is refused.
                    self.queue.close();
                    self.journal.catch_up()?;
                    return Ok(Some(reply));
                }
                Next::Gone => {
                    self.journal.settle_mark()?;
                    return Ok(None);
                }
                Next::Idle => {
                    self.journal.probe_room()?;
                    let full = matches!(&*shared.health.borrow(), Health::Full(_));
                    if !full && self.journal.write_idly()? {
                        // On with the next one, unless somebody has come.
                        patience = Some(Duration::ZERO);
                    } else {
                        if unsettled {
                            self.journal.settle_mark()?;
                            unsettled = false;
                            settled = Instant::now();
                        }
                        patience = full.then_some(IDLE);
                    }
                }
            }
            if unsettled && settled.elapsed() >= MARK_EVERY {
                self.journal.settle_mark()?;
                unsettled = false;
                settled = Instant::now();
            }
        }
    }

    fn next(&self, patience: Option<Duration>) -> Next {
        let mut group = Vec::new();
        let mut bytes = 0;
        let mut control = None;
        let open = self.queue.take(patience, |job| match job {
            // What is queued behind something else comes after it.
            Job::Step(step) if control.is_some() => Err(Job::Step(step)),
            Job::Step(step) => {
                let fits = group.is_empty()
                    || (group.len() < self.bounds.entries
                        && bytes + step.bytes <= self.bounds.bytes);
                if fits {
                    bytes += step.bytes;
                    group.push(*step);
                    Ok(())
                } else {
                    Err(Job::Step(step))
                }
            }
            Job::Check(_) | Job::Retain(_) | Job::Close(_)
                if !group.is_empty() || control.is_some() =>
            {
                Err(job)
            }
            Job::Check(reply) => {
                control = Some(Next::Check(reply));
                Ok(())
            }
            Job::Retain(job) => {
                control = Some(Next::Retain(job));
                Ok(())
            }
            Job::Close(reply) => {
                control = Some(Next::Close(reply));
                Ok(())
            }
        });
        match control {
            Some(control) => control,
            None if !group.is_empty() => Next::Group(group),
            None if open => Next::Idle,
            None => Next::Gone,
        }
    }

    fn commit(&mut self, jobs: Vec<StepJob>) -> Result<(), Halt> {
        let mut steps = Vec::with_capacity(jobs.len());
        let mut waiting = Vec::with_capacity(jobs.len());
        for job in jobs {
            steps.push(job.step);
            waiting.push((job.reply, job.permit));
        }
        let outcomes = self.journal.append(steps)?;
        for ((reply, permit), outcome) in waiting.into_iter().zip(outcomes) {
            // Who asked may have gone; the step is done all the same.
            let _ = reply.send(outcome);
            drop(permit);
        }
        Ok(())
    }
}

fn still_running(shared: &Shared) -> Result<(), Halt> {
    match shared.stopped() {
        Ok(()) => Ok(()),
        Err(ReadError::Halted(reason) | ReadError::Damaged(reason)) => Err(Halt(reason)),
        Err(error @ (ReadError::Closed | ReadError::CursorGone { .. })) => {
            Err(Halt(error.to_string()))
        }
    }
}
