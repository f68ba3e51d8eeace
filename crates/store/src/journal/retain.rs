//! Retention: lets the beginning of the journal go, one small step at a time.
//!
//! A step is two batches. The first moves the base over the oldest records, with everything that follows: what stays of
//! them, who leaves, what is known of those. The second removes the records, and blocks that nobody needs; readers that
//! hold the state of before may still be in them until the first one is published. A crash between the two leaves rows
//! that nobody reads, and the next step removes them.
//!
//! Entries carry no time; so it is noted now and then how far the journal was when ([`TimesRow`]), and what is older than
//! the oldest note that is old enough goes.

use std::{collections::HashSet, sync::Arc};

use crate::{
    Health, Micros, Position, Retain, Retained,
    kv::{Batch, Direction, KvError, Pager, Space},
    record::{BaseRow, CountRow, TimesRow, decode, encode},
};

use super::{
    Halt, Journal,
    base::{self, Leaving, Stretch},
    keys,
    sealed::{self, Pace},
};

/// Notes of the time within the span that is kept: what goes is older by a part of this at most.
const NOTES: Micros = 64;

/// Rows that are removed with one batch.
const REMOVED: usize = 256;

/// Keys of those that have left that are looked at in one step.
const LOOKED_AT: usize = 256;

/// Keys of the index that are written anew for each entity that leaves: about twice as many as lead to it.
const KEYS_PER_ENTITY: usize = 16;

/// What the writer knows between two steps.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Where to go on looking for what may be forgotten.
    forgetting: Option<Vec<u8>>,
}

impl Journal {
    /// One step; see the module.
    pub(crate) fn retain(&mut self, retain: &Retain) -> Result<Retained, Halt> {
        self.probe_room()?;
        let shared = Arc::clone(&self.shared);
        let idle = |base: BaseRow| Retained { base: Position(base.seq), left: 0, more: false };
        // A copy is made of a base that stands still.
        let copies = shared.copies();
        let full = !matches!(&*shared.health.borrow(), Health::Running);
        if full || *copies > 0 {
            return Ok(idle(shared.overlay().base));
        }
        match self.step(retain) {
            Ok(done) => Ok(done),
            Err(KvError::Full(why)) => {
                self.upkeep.abandon();
                self.say_full(&why);
                Ok(idle(shared.overlay().base))
            }
            Err(error @ (KvError::Damaged(_) | KvError::Failed(_) | KvError::Closed)) => {
                Err(self.halt(&error))
            }
        }
    }

    fn step(&mut self, retain: &Retain) -> Result<Retained, KvError> {
        if self.clear()? {
            return Ok(Retained { more: true, ..self.retained(0) });
        }
        let Retain { retention, read, needed, .. } = retain;
        let now = self.note_time(retain.now, retention.keep)?;
        let old = self.old(now.saturating_sub(retention.keep))?;
        let (base, watermark) = {
            let overlay = self.shared.overlay();
            (overlay.base, overlay.watermark)
        };
        let read = read.filter(|read| read.incarnation == self.shared.incarnation.id);
        let kv = Arc::clone(&self.shared.kv);
        let found = base::stretch(&*kv, &base, old.min(watermark), read, needed)?;
        let Some(stretch) = found else {
            self.forget(now, retention.tombstones)?;
            // What is old and not in the rows yet is written now, however little it is.
            let more = old > watermark && self.write_slice(false).map_err(halted)?;
            return Ok(Retained { more, ..self.retained(0) });
        };
        // Nothing may be gone that the mark does not know.
        self.settle_mark().map_err(halted)?;
        let left = self.move_base(base, &stretch, now, retain)?;
        self.clear()?;
        Ok(Retained { more: true, ..self.retained(left) })
    }

    fn retained(&self, left: u64) -> Retained {
        Retained { base: Position(self.shared.overlay().base.seq), left, more: false }
    }

    /// Moves the base over a stretch; gives how many entities leave.
    fn move_base(
        &mut self,
        mut base: BaseRow,
        stretch: &Stretch,
        now: Micros,
        retain: &Retain,
    ) -> Result<u64, KvError> {
        let shared = Arc::clone(&self.shared);
        let kv = &*shared.kv;
        let (mut leaving, mut sealed) = {
            let overlay = shared.overlay();
            let leaving = Leaving::find(kv, &overlay, stretch, &retain.retention)?;
            (leaving, overlay.sealed.clone())
        };
        let mut batch = kv.batch();
        base::fold(kv, stretch, &leaving.ids, &mut base, &mut batch)?;
        leaving.leave(kv, now, &mut base, &mut sealed, &mut batch)?;
        let mut counts = Vec::new();
        for ((kind, label), left) in &leaving.counts {
            let stored = self.stored_counts.get(&(*kind, label.clone())).copied().unwrap_or(0);
            let entities = stored.saturating_sub(*left);
            batch.put(Space::Meta, keys::count(*kind, label), encode(&CountRow { entities })?);
            counts.push(((*kind, label.clone()), entities));
        }
        // Whoever leaves pays for what the index still says of it.
        let renewed = leaving.ids.len() * KEYS_PER_ENTITY + self.tuning.merge_keys;
        let pace = Pace { tables: self.tuning.merge_tables, keys: renewed };
        self.upkeep.step(kv, &mut sealed, pace, &mut batch)?;
        batch.put(Space::Meta, keys::BASE.to_vec(), encode(&base)?);
        batch.put(Space::Meta, keys::SEALED.to_vec(), sealed.row()?);
        // From here on nobody sees those who leave: their rows may be half gone while a reader looks.
        shared.overlay_mut().leaving.clone_from(&leaving.ids);
        if let Err(error) = self.write(batch) {
            shared.overlay_mut().leaving = HashSet::new();
            return Err(error);
        }
        let mut overlay = shared.overlay_mut();
        for ((kind, label), left) in leaving.counts {
            if let Some(count) = overlay.counts.get_mut(&(kind, label)) {
                *count = count.saturating_sub(left);
            }
        }
        overlay.leaving = HashSet::new();
        overlay.base = base;
        overlay.sealed = sealed;
        self.upkeep.settle(&overlay.sealed);
        drop(overlay);
        self.stored_counts.extend(counts);
        Ok(leaving.ids.len() as u64)
    }

    /// Removes what nobody reads any more; false: there is nothing.
    pub(super) fn clear(&mut self) -> Result<bool, KvError> {
        let shared = Arc::clone(&self.shared);
        let kv = &*shared.kv;
        let mut cleared = false;
        loop {
            let (base, blocks) = {
                let overlay = shared.overlay();
                (overlay.base.seq, overlay.sealed.uncleared(kv, REMOVED / 64)?)
            };
            let mut batch = kv.batch();
            if base > 0 {
                let span = keys::seq_span(0, base);
                for pair in Pager::new(kv, Space::Journal, span, Direction::Up).take(REMOVED) {
                    batch.remove(Space::Journal, pair?.0.to_vec());
                }
            }
            for block in blocks {
                sealed::clear(kv, block, &mut batch)?;
            }
            if batch.is_empty() {
                return Ok(cleared);
            }
            self.write(batch)?;
            cleared = true;
        }
    }

    /// Notes the time if it is time to; gives it. It never runs back.
    fn note_time(&self, now: Micros, keep: Micros) -> Result<Micros, KvError> {
        let mut times = self.times()?;
        let last = times.marks.last().copied();
        let now = last.map_or(now, |(at, _)| now.max(at));
        let head = self.head;
        let due = match last {
            Some((at, seq)) => head > seq && now.saturating_sub(at) >= keep / NOTES,
            None => true,
        };
        if due {
            times.marks.push((now, head));
            // One of those that are old enough is needed, the newest.
            let old = times.marks.iter().filter(|(at, _)| *at <= now.saturating_sub(keep)).count();
            times.marks.drain(..old.saturating_sub(1));
            let mut batch = Batch::default();
            batch.put(Space::Meta, keys::TIMES.to_vec(), encode(&times)?);
            self.write(batch)?;
        }
        Ok(now)
    }

    /// The last entry that is known to be at least as old as that.
    fn old(&self, at: Micros) -> Result<u64, KvError> {
        let marks = self.times()?.marks;
        Ok(marks.iter().rev().find(|(noted, _)| *noted <= at).map_or(0, |(_, seq)| *seq))
    }

    fn times(&self) -> Result<TimesRow, KvError> {
        match self.shared.kv.get(Space::Meta, keys::TIMES)? {
            Some(bytes) => Ok(decode(&bytes)?),
            None => Ok(TimesRow::default()),
        }
    }

    /// Forgets some of those who left long ago.
    fn forget(&mut self, now: Micros, tombstones: Option<Micros>) -> Result<(), KvError> {
        let mut base = self.shared.overlay().base;
        let Some(known) = tombstones.filter(|_| base.left > 0) else {
            return Ok(());
        };
        let mut batch = Batch::default();
        let after = self.progress.forgetting.take();
        let before = now.saturating_sub(known);
        let (forgotten, next) =
            base::forget(&*self.shared.kv, before, after, LOOKED_AT, &mut batch)?;
        if forgotten > 0 {
            base.left = base.left.saturating_sub(forgotten);
            batch.put(Space::Meta, keys::BASE.to_vec(), encode(&base)?);
            self.write(batch)?;
            self.shared.overlay_mut().base = base;
        }
        self.progress.forgetting = next;
        Ok(())
    }
}

/// The store has halted, and knows why.
fn halted(Halt(why): Halt) -> KvError {
    KvError::Failed(why)
}
