//! A disk in memory under the real journal. What was written and not synced is lost when the power goes, or part of it
//! is there.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use orderkeep_store::kv::{Batch, Direction, Kv, KvError, Pair, Space, Span, Write};

use crate::Twin;

type Map = BTreeMap<Vec<u8>, Bytes>;

/// What a disk held at one moment.
#[derive(Debug, Default)]
pub(crate) struct Copy([Map; Space::ALL.len()]);

/// See the module.
#[derive(Debug)]
pub(crate) struct Disk {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    maps: [Map; Space::ALL.len()],
    /// How to take back the batches that are not durable yet, oldest first.
    unsynced: Vec<Undo>,
    full: bool,
    power_cut: Option<PowerCut>,
    dead: bool,
    lies: Lies,
    /// The next sync is about an intent.
    intent: bool,
}

/// What each changed key held before.
type Undo = Vec<(Space, Vec<u8>, Option<Bytes>)>;

/// At which operation the power goes.
#[derive(Debug, Clone, Copy)]
struct PowerCut {
    operations_left: u32,
    after: bool,
    keep: usize,
}

/// Which syncs do nothing.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Lies {
    #[default]
    None,
    /// The newest batches stay in memory for a while.
    Late,
    /// Intents stay in memory.
    Intents,
}

/// How many batches stay in memory where syncs are late.
const LATE: usize = 3;

impl Disk {
    pub(crate) fn new(twin: Option<Twin>) -> Self {
        let lies = match twin {
            Some(Twin::EffectFirst) => Lies::Late,
            Some(Twin::NoIntent) => Lies::Intents,
            Some(
                Twin::NoDedupe
                | Twin::Resend
                | Twin::LocalVerdict
                | Twin::TrustBinding
                | Twin::ForgetRestore
                | Twin::StaleBackup
                | Twin::IgnoreBound,
            )
            | None => Lies::None,
        };
        Self { state: Mutex::new(State { lies, ..State::default() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_full(&self, full: bool) {
        self.state().full = full;
    }

    /// The power goes at an operation from now on, counted from 0.
    pub(crate) fn cut_power_at(&self, operations_left: u32, after: bool, keep: usize) {
        self.state().power_cut = Some(PowerCut { operations_left, after, keep });
    }

    /// Whether the power is gone.
    pub(crate) fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// What is committed next is the intent of a create.
    pub(crate) fn expect_intent(&self) {
        self.state().intent = true;
    }

    /// The process ends without warning: the operating system still writes what it was given.
    pub(crate) fn kill(&self) {
        let mut state = self.state();
        if state.lies == Lies::None {
            state.unsynced.clear();
        } else {
            // Where a write only seems done, it goes with the process.
            state.lose(0);
        }
        state.power_cut = None;
    }

    /// What is durable now.
    pub(crate) fn copy(&self) -> Copy {
        let state = self.state();
        let mut copy = State { maps: state.maps.clone(), ..State::default() };
        copy.unsynced = state.unsynced.clone();
        copy.lose(0);
        Copy(copy.maps)
    }

    /// Another disk in its place, with an older content.
    pub(crate) fn put_back(&self, Copy(maps): Copy) {
        let mut state = self.state();
        *state = State { maps, lies: state.lies, ..State::default() };
    }

    /// The power comes back.
    pub(crate) fn revive(&self) {
        let mut state = self.state();
        let keep = state.power_cut.take().map_or(0, |cut| cut.keep);
        state.lose(keep);
        state.dead = false;
    }
}

impl State {
    /// Takes back what is not durable, but for the oldest `keep` batches.
    fn lose(&mut self, keep: usize) {
        while self.unsynced.len() > keep {
            for (space, key, before) in self.unsynced.pop().into_iter().flatten().rev() {
                let map = &mut self.maps[space.index()];
                match before {
                    Some(value) => drop(map.insert(key, value)),
                    None => drop(map.remove(&key)),
                }
            }
        }
        self.unsynced.clear();
    }

    fn alive(&self) -> Result<(), KvError> {
        if self.dead { Err(KvError::Failed("the power is gone".to_owned())) } else { Ok(()) }
    }

    /// Counts an operation. Whether the power goes at it, and then whether it has its effect before.
    fn operate(&mut self) -> Option<bool> {
        let cut = self.power_cut.as_mut()?;
        if cut.operations_left > 0 {
            cut.operations_left -= 1;
            return None;
        }
        self.dead = true;
        Some(cut.after)
    }

    fn write(&mut self, batch: Batch) {
        let mut undo = Undo::new();
        for Write { space, key, value } in batch.into_writes() {
            let map = &mut self.maps[space.index()];
            let before = match value {
                Some(value) => map.insert(key.clone(), Bytes::from(value)),
                None => map.remove(&key),
            };
            undo.push((space, key, before));
        }
        self.unsynced.push(undo);
    }

    fn settle(&mut self) {
        let intent = std::mem::take(&mut self.intent);
        match self.lies {
            Lies::None => self.unsynced.clear(),
            Lies::Late => {
                let settled = self.unsynced.len().saturating_sub(LATE);
                self.unsynced.drain(..settled);
            }
            Lies::Intents if intent => {}
            Lies::Intents => self.unsynced.clear(),
        }
    }
}

fn went() -> KvError {
    KvError::Failed("the power went".to_owned())
}

impl Kv for Disk {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        let state = self.state();
        state.alive()?;
        Ok(state.maps[space.index()].get(key).cloned())
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
        if span.is_empty() {
            return Ok(Vec::new());
        }
        let bounds: (Bound<&[u8]>, Bound<&[u8]>) =
            (span.lower.as_ref().map(Vec::as_slice), span.upper.as_ref().map(Vec::as_slice));
        let range = state.maps[space.index()].range::<[u8], _>(bounds);
        let pair = |(key, value): (&Vec<u8>, &Bytes)| (Bytes::copy_from_slice(key), value.clone());
        Ok(match direction {
            Direction::Up => range.take(limit).map(pair).collect(),
            Direction::Down => range.rev().take(limit).map(pair).collect(),
        })
    }

    fn apply(&self, batch: Batch) -> Result<(), KvError> {
        let mut state = self.state();
        state.alive()?;
        match state.operate() {
            Some(true) => state.write(batch),
            Some(false) => {}
            None if state.full => return Err(KvError::Full("no byte is free".to_owned())),
            None => {
                state.write(batch);
                return Ok(());
            }
        }
        Err(went())
    }

    fn sync(&self) -> Result<(), KvError> {
        let mut state = self.state();
        state.alive()?;
        match state.operate() {
            Some(true) => state.settle(),
            Some(false) => {}
            None => {
                state.settle();
                return Ok(());
            }
        }
        Err(went())
    }

    fn size(&self) -> Result<u64, KvError> {
        Ok(0)
    }

    fn close(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(disk: &Disk, key: u8) -> Result<(), KvError> {
        let mut batch = Batch::default();
        batch.put(Space::Meta, vec![key], vec![key]);
        disk.apply(batch)?;
        disk.sync()
    }

    fn has(disk: &Disk, key: u8) -> bool {
        disk.get(Space::Meta, &[key]).unwrap().is_some()
    }

    /// Operations are numbered: each `put` is a write and a sync.
    fn cut_at(operation: u32, after: bool, keep: usize) -> [bool; 2] {
        let disk = Disk::new(None);
        disk.cut_power_at(operation, after, keep);
        let lived = [put(&disk, 1), put(&disk, 2)].iter().all(Result::is_ok);
        assert_eq!(lived, operation > 3);
        disk.revive();
        [has(&disk, 1), has(&disk, 2)]
    }

    #[test]
    fn a_power_cut_loses_what_was_not_synced() {
        assert_eq!(cut_at(0, false, 0), [false, false]);
        assert_eq!(cut_at(0, true, 0), [false, false]);
        assert_eq!(cut_at(0, true, 1), [true, false]);
        assert_eq!(cut_at(1, false, 0), [false, false]);
        assert_eq!(cut_at(1, true, 0), [true, false]);
        assert_eq!(cut_at(3, false, 0), [true, false]);
        assert_eq!(cut_at(3, true, 0), [true, true]);
    }

    #[test]
    fn a_killed_process_loses_nothing_that_was_written_unless_the_disk_lies() {
        for (twin, kept) in [(None, true), (Some(Twin::EffectFirst), false)] {
            let disk = Disk::new(twin);
            put(&disk, 1).unwrap();
            disk.kill();
            assert_eq!(has(&disk, 1), kept);
        }
    }

    #[test]
    fn a_full_disk_refuses_and_goes_on() {
        let disk = Disk::new(None);
        disk.set_full(true);
        assert!(matches!(put(&disk, 1), Err(KvError::Full(_))));
        disk.set_full(false);
        put(&disk, 1).unwrap();
        assert!(has(&disk, 1));
    }
}
