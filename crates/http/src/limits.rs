//! How much callers may ask for at once, and how long they may take.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Code, Problem};

/// Bounds on everything that callers can make the engine hold. What is beyond them is answered 413, 408 or 503.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests that are answered at once, event streams and waits aside.
    pub in_flight: usize,
    /// Event streams that are open at once.
    pub streams: usize,
    /// Waits for an order that are open at once; the engine takes no more than 4,096.
    pub waits: usize,
    /// The body of one request, in bytes.
    pub body_bytes: usize,
    /// The bodies of all requests together, in bytes: so much memory do they take, however many connections there are.
    pub bodies_bytes: usize,
    /// A body is here within this time.
    pub body_within: Duration,
    /// An answer begins within this time. Longer than any commit or call of the engine's; a wait ends before it.
    pub answer_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 512,
            streams: 64,
            waits: 4_096,
            body_bytes: 256 * 1024,
            bodies_bytes: 64 * 1024 * 1024,
            body_within: Duration::from_secs(15),
            answer_within: Duration::from_secs(60),
        }
    }
}

impl Limits {
    /// The longest wait: it is answered before the request is given up.
    pub(crate) fn wait_max(&self) -> Duration {
        self.answer_within * 5 / 6
    }
}

/// Places for what stays open.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    /// What is said to those who get none, and after how many seconds they may ask again.
    busy: (&'static str, u64),
}

impl Places {
    pub(crate) fn new(most: usize, busy: (&'static str, u64)) -> Self {
        Self { free: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))), busy }
    }

    /// One place, until it is dropped.
    pub(crate) fn take(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.free).try_acquire_owned().map_err(|_| {
            let (detail, seconds) = self.busy;
            Problem::new(Code::Busy, detail).retry_after(seconds)
        })
    }
}
