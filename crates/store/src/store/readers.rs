//! Threads that read the engine, so that a task never waits for a disk or a stuck engine.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};

use tokio::sync::{Semaphore, oneshot};

use crate::{ReadError, folder::panic_text, journal::Shared, writer::Queue};

/// Readers at work: two keep a slow scan from holding up every look-up.
const THREADS: usize = 2;

/// Reads that wait; more wait for a permit.
const WAITING: usize = 1_024;

type Read = Box<dyn FnOnce(&Shared) + Send>;

/// See the module.
#[derive(Debug)]
pub(crate) struct Readers {
    queue: Arc<Queue<Boxed>>,
    permits: Arc<Semaphore>,
}

struct Boxed(Read);

impl std::fmt::Debug for Boxed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Read")
    }
}

impl Readers {
    pub(crate) fn start(shared: &Arc<Shared>) -> std::io::Result<Self> {
        let readers =
            Self { queue: Arc::new(Queue::new()), permits: Arc::new(Semaphore::new(WAITING)) };
        for number in 0..THREADS {
            let queue = Arc::clone(&readers.queue);
            let shared = Arc::clone(shared);
            thread::Builder::new()
                .name(format!("store-read-{number}"))
                .spawn(move || serve(&queue, &shared))?;
        }
        Ok(readers)
    }

    /// Runs a read on one of the threads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        shared: &Shared,
        read: impl FnOnce(&Shared) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        shared.stopped()?;
        let permit =
            Arc::clone(&self.permits).acquire_owned().await.map_err(|_| ReadError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let boxed = Boxed(Box::new(move |shared| {
            // Who asked may have gone.
            let _ = reply.send(read(shared));
            drop(permit);
        }));
        if self.queue.push(boxed).is_err() {
            return Err(ReadError::Closed);
        }
        match super::threaded::answer_or_halt(shared, answer).await {
            Some(answer) => answer,
            None => Err(super::threaded::ended(shared).await),
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn serve(queue: &Queue<Boxed>, shared: &Shared) {
    loop {
        let mut next = None;
        let open = queue.take(None, |read| {
            if next.is_some() {
                return Err(read);
            }
            next = Some(read);
            Ok(())
        });
        let Some(Boxed(read)) = next else {
            if open {
                continue;
            }
            return;
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| read(shared))) {
            shared.halt(&format!(
                "the engine panicked in a read, its files are damaged: {}",
                panic_text(&*panic)
            ));
        }
    }
}
