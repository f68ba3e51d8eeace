//! An engine in memory that loses power at a chosen operation.
//!
//! It keeps two images: what a reader sees now, and what would be found after a power cut. A batch is in the first one at
//! once and reaches the second with a sync. At its death batches that were never synced are gone, or the first few of
//! them are there, whole: a disk may have written more than it was asked to.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::kv::{Batch, Direction, Image, Kv, KvError, Pair, Space, Span};

/// When the power goes, seen from the operation at which it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The operation has no effect.
    Before,
    /// It has its effect, and nobody hears of it.
    After,
}

/// When the power goes, and what is found then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// At which operation (a batch or a sync), counted from 0.
    pub at: u64,
    /// Before or after it.
    pub moment: Moment,
    /// How many of the batches that were not synced are found all the same.
    pub keep: usize,
}

/// What a sync does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syncs {
    Honest,
    /// Says yes and does nothing, for proving that a test would notice.
    Lying,
}

/// See the module.
#[derive(Debug)]
pub struct DyingKv {
    state: Mutex<State>,
    released: Condvar,
    syncs: Syncs,
}

#[derive(Debug)]
struct State {
    live: Image,
    durable: Image,
    unsynced: Vec<Batch>,
    operations: u64,
    death: Option<Death>,
    dead: bool,
    /// Syncs wait until this is off again.
    stalled: bool,
    /// A batch that would make it larger is refused cleanly.
    capacity: u64,
}

impl Default for DyingKv {
    fn default() -> Self {
        Self::new()
    }
}

impl DyingKv {
    /// An empty one that keeps its word until it is told to die.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Image::default(), Syncs::Honest)
    }

    /// An empty one whose syncs do nothing.
    #[must_use]
    pub fn lying() -> Self {
        Self::with(Image::default(), Syncs::Lying)
    }

    fn with(image: Image, syncs: Syncs) -> Self {
        Self {
            state: Mutex::new(State {
                live: image.clone(),
                durable: image,
                unsynced: Vec::new(),
                operations: 0,
                death: None,
                dead: false,
                stalled: false,
                capacity: u64::MAX,
            }),
            released: Condvar::new(),
            syncs,
        }
    }

    /// Chooses the death.
    pub fn die(&self, death: Death) {
        self.state().death = Some(death);
    }

    /// How many batches and syncs there were.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Lets every sync from now on wait until [`DyingKv::release`].
    pub fn stall(&self) {
        self.state().stalled = true;
    }

    /// Lets syncs return again.
    pub fn release(&self) {
        self.state().stalled = false;
        self.released.notify_all();
    }

    /// From now on at most so many bytes fit in.
    pub fn limit(&self, bytes: u64) {
        self.state().capacity = bytes;
    }

    /// What is found when the power is back.
    #[must_use]
    pub fn revive(&self) -> Self {
        let state = self.state();
        let mut image = state.durable.clone();
        let keep = state.death.map_or(0, |death| death.keep);
        for batch in state.unsynced.iter().take(keep) {
            image.apply(batch.clone());
        }
        Self::with(image, self.syncs)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn alive(&self) -> Result<(), KvError> {
        if self.dead {
            return Err(KvError::Failed("the power is gone".to_owned()));
        }
        Ok(())
    }

    /// Counts an operation; gives the moment of death if it is this one's.
    fn operate(&mut self) -> Option<Moment> {
        let now = self.operations;
        self.operations += 1;
        self.death.filter(|death| death.at == now).map(|death| death.moment)
    }

    fn die(&mut self) -> KvError {
        self.dead = true;
        KvError::Failed("the power went".to_owned())
    }
}

impl Kv for DyingKv {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        let state = self.state();
        state.alive()?;
        Ok(state.live.get(space, key))
    }

    fn scan(
        &self,
        space: Space,
        span: &Span,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Pair>, KvError> {
        let state = self.state();
        state.alive()?;
        Ok(state.live.scan(space, span, direction, limit))
    }

    fn apply(&self, batch: Batch) -> Result<(), KvError> {
        let mut state = self.state();
        state.alive()?;
        let moment = state.operate();
        if moment == Some(Moment::Before) {
            return Err(state.die());
        }
        if state.capacity < u64::MAX {
            let mut grown = state.live.clone();
            grown.apply(batch.clone());
            if grown.size() > state.capacity {
                return Err(KvError::Full(format!("{} bytes fit in", state.capacity)));
            }
        }
        state.live.apply(batch.clone());
        state.unsynced.push(batch);
        match moment {
            Some(Moment::Before | Moment::After) => Err(state.die()),
            None => Ok(()),
        }
    }

    fn sync(&self) -> Result<(), KvError> {
        let mut state = self
            .released
            .wait_while(self.state(), |state| state.stalled)
            .unwrap_or_else(PoisonError::into_inner);
        state.alive()?;
        let moment = state.operate();
        if moment == Some(Moment::Before) {
            return Err(state.die());
        }
        if self.syncs == Syncs::Honest {
            for batch in std::mem::take(&mut state.unsynced) {
                state.durable.apply(batch);
            }
        }
        match moment {
            Some(Moment::Before | Moment::After) => Err(state.die()),
            None => Ok(()),
        }
    }

    fn size(&self) -> Result<u64, KvError> {
        let state = self.state();
        state.alive()?;
        Ok(state.live.size())
    }

    /// Keeps the content, so that a store can be opened over it again.
    fn close(&self) {}
}
