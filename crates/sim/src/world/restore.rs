//! A machine that is lost, and an older copy of its store that takes over. The copy is what a backup holds: what was
//! durable at one moment. Starting it is the store's own way of beginning another life.
//!
//! The world forgets with the copy what it was told of the life before, but nothing of what the provider did: that is
//! what the copy must not do a second time.

use std::{collections::BTreeMap, sync::Arc};

use orderkeep_store::{
    MemoryStore,
    kv::{Direction, Kv, Space, Span},
};
use uuid::Uuid;

use super::{Act, Job, Life, Sold, World, disk, tuning};
use crate::{Twin, oracle::Told, plan::Millis};

/// What the world knows of copies of the store.
#[derive(Debug, Default)]
pub(crate) struct Restores {
    /// Copies, by the fault that puts them back.
    copies: BTreeMap<usize, (disk::Copy, Told)>,
    /// The copy that takes over when the engine is gone.
    next: Option<(disk::Copy, Told)>,
    /// How many took over.
    lives: u64,
    /// A person has not yet said that what was lost is accounted for.
    held: bool,
}

/// The name of a life of the store.
pub(super) fn life(seed: u64, number: u64) -> Uuid {
    Uuid::from_u128((u128::from(number) << 64) + u128::from(seed) + 1)
}

impl World {
    pub(super) fn copy_store(&mut self, fault: usize) {
        if self.life != Life::Finished {
            let copy = self.disk.copy();
            self.say("disk", || "is copied".to_owned());
            let told = self.watcher.told();
            self.restores.copies.insert(fault, (copy, told));
        }
    }

    /// The machine is gone, for good.
    pub(super) fn lose_machine(&mut self, fault: usize, down: Millis, lift_after: Millis) -> bool {
        let Some(copy) = self.restores.copies.remove(&fault) else { return false };
        if !self.ends(Life::Dead, down) {
            return false;
        }
        self.restores.next = Some(copy);
        self.plan_in(down + lift_after, Act::Lift);
        true
    }

    /// Before the next start, if the machine was lost.
    pub(super) fn put_copy_back(&mut self) {
        let Some((copy, told)) = self.restores.next.take() else { return };
        self.restores.lives += 1;
        self.disk.put_back(copy);
        if self.plan.twin == Some(Twin::ForgetRestore) {
            self.count("twin");
        } else {
            let name = life(self.plan.seed, self.restores.lives);
            match self.another_life(name) {
                Ok(copy) => self.disk.put_back(copy),
                Err(why) => self.violated("a copy of a store can be restored", why),
            }
            self.restores.held = true;
        }
        self.say("disk", || "is an older copy".to_owned());
        self.watcher.forget(told, self.now(), self.plan.twin != Some(Twin::ForgetRestore));
        for sale in 0..self.sales.len() {
            if self.sales[sale].forget() {
                // Its caller is told nothing, and asks again some time.
                let after = self.down + self.draw(0, 120_000);
                self.plan_in(after, Act::Submit(sale));
            }
        }
    }

    /// What is on the disk, as the life of the store with this name.
    fn another_life(&self, name: Uuid) -> Result<disk::Copy, String> {
        let kv: Arc<dyn Kv> = Arc::clone(&self.disk) as _;
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let before = life(self.plan.seed, self.restores.lives - 1);
        let store = MemoryStore::over(kv, before, tuning()).map_err(|error| text(&error))?;
        let copy = store.restored_copy(name).map_err(|error| text(&error))?;
        let kv = copy.engine_copy().map_err(|error| text(&error))?;
        let mut maps = disk::Copy::default();
        for space in Space::ALL {
            let pairs = kv.scan(space, &Span::ALL, Direction::Up, usize::MAX);
            for (key, value) in pairs.map_err(|error| text(&error))? {
                maps.put(space, key.to_vec(), value);
            }
        }
        Ok(maps)
    }

    /// Whether what the copy does not know may still come back by itself.
    pub(crate) const fn is_held(&self) -> bool {
        self.restores.held
    }

    /// A person lifts the hold, once all is accounted for: what a lost life has sent is known to this one.
    pub(super) fn lift(&mut self) -> Option<Job> {
        let lost = |sold: &Sold| {
            let sent = |lock: &String| {
                let ledger = self.model.ledger();
                let sent = ledger.locks.get(lock).is_some_and(|lock| lock.creates_seen > 0);
                sent || self.is_on_its_way(lock)
            };
            sold.is_forgotten() && sold.id().is_none() && sold.locks().iter().any(sent)
        };
        if self.life == Life::Up && !self.sales.iter().any(lost) {
            return Some(Job::Lift);
        }
        self.lift_later();
        None
    }

    pub(crate) fn lift_later(&mut self) {
        self.plan_in(10_000, Act::Lift);
    }

    /// It is lifted.
    pub(crate) fn lifted(&mut self) {
        self.restores.held = false;
        self.say("operator", || "lifts the hold".to_owned());
    }
}
