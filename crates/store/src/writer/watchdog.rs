//! Halts a store whose writer does not come back.
//!
//! A deadlock inside an engine, or a disk that never answers, must not look like patience: after the configured time
//! everybody who waits is told, and the host decides. The stuck thread is left where it is; nothing can end it.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::journal::Shared;

/// Looked at so many times within the allowed time, so the halt comes at most a quarter late.
const LOOKS: u32 = 4;

/// What the writer is doing.
#[derive(Debug)]
pub(crate) struct Busy {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    since: Option<Instant>,
    ended: bool,
}

/// The writer is at work as long as this lives.
#[derive(Debug)]
pub(crate) struct Working(std::sync::Arc<Busy>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.pause();
    }
}

impl Busy {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State { since: None, ended: false }), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn start(self: &std::sync::Arc<Self>) -> Working {
        self.state().since = Some(Instant::now());
        Working(std::sync::Arc::clone(self))
    }

    /// Work that may take any time, or none at all.
    pub(crate) fn pause(&self) {
        self.state().since = None;
    }

    /// The writer has ended.
    pub(crate) fn end(&self) {
        self.state().ended = true;
        self.changed.notify_all();
    }

    /// Waits for the writer to end, as long as it is not stuck; true when it has ended.
    pub(crate) fn wait_ended(&self, patience: Duration) -> bool {
        self.changed
            .wait_timeout_while(self.state(), patience, |state| !state.ended)
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .ended
    }
}

/// The watchdog's thread: runs until the writer has ended, or halts the store.
pub(crate) fn watch(busy: &Busy, shared: &Shared, allowed: Duration) {
    let look = (allowed / LOOKS).max(Duration::from_millis(1));
    while !busy.wait_ended(look) {
        let stuck = busy.state().since.is_some_and(|since| since.elapsed() > allowed);
        if stuck {
            shared.halt(&format!(
                "a commit has not come back within {allowed:?}: the disk does not answer, or the \
                 engine is deadlocked; end the process and start it again"
            ));
            return;
        }
    }
}
