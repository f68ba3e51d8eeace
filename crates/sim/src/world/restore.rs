//! A machine that is lost, and an older backup of its store that takes over, made and restored by the engine's own code.
//!
//! The world forgets with the copy what it was told of the life before, but nothing of what the provider did: that is
//! what the copy must not do a second time.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::FutureExt as _;
use orderkeep_core::OrderId;
use orderkeep_store::{MemoryStore, Store as _, kv::Kv};
use uuid::Uuid;

use super::{Act, Job, Life, Sold, World, disk, tuning};
use crate::{Twin, oracle::Told, plan::Millis};

/// What the world knows of backups of the store.
#[derive(Debug, Default)]
pub(crate) struct Restores {
    /// Backups, by the fault that they are made for.
    backups: BTreeMap<usize, Kept>,
    /// The one that takes over when the engine is gone.
    next: Option<Kept>,
    /// How many took over.
    lives: u64,
    /// A person has not yet said that what was lost is accounted for.
    held: bool,
}

/// A backup that is kept elsewhere.
#[derive(Debug)]
struct Kept {
    file: Vec<u8>,
    /// A copy of the disk's files, for whoever takes that for a backup.
    files: disk::Copy,
    /// What had been told by the time it was begun.
    told: Told,
}

/// The name of a life of the store.
pub(super) fn life(seed: u64, number: u64) -> Uuid {
    Uuid::from_u128((u128::from(number) << 64) + u128::from(seed) + 1)
}

impl World {
    /// What has been told so far: all of it is in a backup that begins now.
    pub(crate) fn told_so_far(&self) -> Told {
        self.watcher.told()
    }

    /// A backup is made, for the loss of the machine that is this fault.
    pub(crate) fn keep_backup(&mut self, fault: usize, file: Vec<u8>, told: Told) {
        self.say("disk", || format!("a backup of {} bytes", file.len()));
        let files = if self.plan.twin == Some(Twin::ForgetRestore) {
            self.disk.copy()
        } else {
            disk::Copy::default()
        };
        self.restores.backups.insert(fault, Kept { file, files, told });
    }

    /// The engine could not be asked for one.
    pub(crate) fn backup_later(&mut self, fault: usize) {
        self.plan_in(1_000, Act::Backup(fault));
    }

    /// The machine is gone, for good.
    pub(super) fn lose_machine(&mut self, fault: usize, down: Millis, lift_after: Millis) -> bool {
        let Some(mut kept) = self.restores.backups.remove(&fault) else { return false };
        if !self.ends(Life::Dead, down) {
            return false;
        }
        if self.plan.twin == Some(Twin::StaleBackup) {
            kept.told = self.watcher.told();
            self.count("twin");
        }
        self.restores.next = Some(kept);
        self.plan_in(down + lift_after, Act::Lift);
        true
    }

    /// Before the next start, if the machine was lost.
    pub(super) fn put_copy_back(&mut self) {
        let Some(Kept { file, files, told }) = self.restores.next.take() else { return };
        self.restores.lives += 1;
        let forgets = self.plan.twin == Some(Twin::ForgetRestore);
        self.disk.put_back(files);
        if forgets {
            self.count("twin");
        } else {
            self.restores.held = true;
        }
        self.say("disk", || "is an older copy".to_owned());
        let copied = match self.another_life(if forgets { None } else { Some(&file) }) {
            Ok(copied) => copied,
            Err(why) => {
                self.violated("a backup can be restored", why);
                return;
            }
        };
        if let Some(missing) = self.watcher.forget(copied, &told, !forgets) {
            self.violated("a backup has all that was told before it was begun", missing);
        }
        for sale in 0..self.sales.len() {
            if self.sales[sale].forget() {
                // Its caller is told nothing, and asks again some time.
                let after = self.down + self.draw(0, 120_000);
                self.plan_in(after, Act::Submit(sale));
            }
        }
    }

    /// Restores a backup onto the disk, which is empty, or takes what is on it for the store. What is in it then.
    fn another_life(&self, backup: Option<&[u8]>) -> Result<Told, String> {
        let kv: Arc<dyn Kv> = Arc::clone(&self.disk) as _;
        let name = life(self.plan.seed, self.restores.lives);
        let store = match backup {
            Some(file) => {
                MemoryStore::restore(file, kv, name, tuning()).map_err(|error| error.to_string())
            }
            None => MemoryStore::over(kv, name, tuning()).map_err(|error| error.to_string()),
        }?;
        let page = store.feed(None, usize::MAX).now_or_never();
        let page = page.ok_or("it does not answer")?.map_err(|error| error.to_string())?;
        let mut told = Told::new();
        for entry in page.entries {
            told.insert(OrderId(entry.id.0), entry.version);
        }
        Ok(told)
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
