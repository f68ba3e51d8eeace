//! A queue between tasks and a thread. Its bound is kept by the callers, who wait for a permit without blocking a thread.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// See the module.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State { items: VecDeque::new(), closed: false }),
            ready: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item; gives it back when the queue is closed.
    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        let mut state = self.state();
        if state.closed {
            return Err(item);
        }
        state.items.push_back(item);
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    /// Nothing more comes in; what is in can still be taken.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.ready.notify_all();
    }

    /// Everything that is in.
    pub(crate) fn drain(&self) -> Vec<T> {
        self.state().items.drain(..).collect()
    }

    /// Waits for an item (for ever without `patience`), then offers items in order until one is given back. False when
    /// the queue is closed and empty.
    pub(crate) fn take(
        &self,
        patience: Option<Duration>,
        mut offer: impl FnMut(T) -> Result<(), T>,
    ) -> bool {
        let empty = |state: &mut State<T>| state.items.is_empty() && !state.closed;
        let mut state = match patience {
            None => {
                self.ready.wait_while(self.state(), empty).unwrap_or_else(PoisonError::into_inner)
            }
            Some(patience) => {
                self.ready
                    .wait_timeout_while(self.state(), patience, empty)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        };
        let open = !state.closed || !state.items.is_empty();
        while let Some(item) = state.items.pop_front() {
            if let Err(item) = offer(item) {
                state.items.push_front(item);
                break;
            }
        }
        open
    }
}
