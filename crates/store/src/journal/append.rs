//! The writer's side: groups into the journal, slices of rows behind it.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    CommitError, Committed, Health, Kind, Label,
    kv::{Batch, KvError},
    record::{Chain, Entry, MarkRecord},
};

use super::{
    Halt, Mark, RoomPolicy, Shared, Step, Tuning,
    behind::{self, Before, Portion, Slice},
    overlay::Overlay,
    pack::{self, Packed},
    sealed::Upkeep,
    stage::{Changes, Stage},
};

/// The one writer of a store.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(super) shared: Arc<Shared>,
    pub(super) tuning: Tuning,
    /// The last entry that is in the journal.
    pub(super) head: u64,
    pub(super) chain: Chain,
    /// The counts as the rows have them.
    pub(super) stored_counts: BTreeMap<(Kind, Label), u64>,
    /// What is left to do on the index of what is sealed.
    pub(super) upkeep: Upkeep,
    pub(super) mark: Option<Box<dyn Mark>>,
    /// Grows with every note of the mark.
    pub(super) mark_generation: u64,
    pub(super) room: Option<RoomPolicy>,
    /// Where retention goes on.
    pub(super) progress: super::retain::Progress,
}

/// What happened to each step of a group, in its order.
pub(crate) type Outcomes = Vec<Result<Committed, CommitError>>;

impl Journal {
    /// What readers hold.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The last entry.
    #[cfg(feature = "embedded")]
    pub(crate) fn head(&self) -> u64 {
        self.head
    }

    /// Appends a group; when it returns, what it accepted is durable and published.
    ///
    /// The answers to refused steps wait for the group as well: what they were refused for may be a step before them.
    pub(crate) fn append(&mut self, steps: Vec<Step>) -> Result<Outcomes, Halt> {
        let room = self.probe_room()?;
        // Without room nothing is accepted either, so that nothing lags more.
        if !matches!(room, Admission::Nothing(_)) {
            self.stop_for_lag()?;
        }
        let shared = Arc::clone(&self.shared);
        let mut outcomes = Outcomes::with_capacity(steps.len());
        let mut batch = shared.kv.batch();
        let (entries, mut changes, slice) = {
            let overlay = shared.overlay();
            let mut stage = Stage::new(&overlay, &*shared.kv, self.head + 1);
            for step in steps {
                let outcome = match refusal(&room, &step) {
                    Some(full) => Err(CommitError::Full(full)),
                    None => stage.accept(step).map_err(|error| self.halt(&error))?,
                };
                outcomes.push(outcome);
            }
            let (entries, changes) = stage.finish();
            let slice = if entries.is_empty() {
                None
            } else {
                self.ride_along(&overlay, entries.len(), &mut batch)?
            };
            (entries, changes, slice)
        };
        if entries.is_empty() {
            return Ok(outcomes);
        }
        let head = self.head + entries.len() as u64;
        let packed = self.pack(&mut batch, entries)?;
        match self.write(batch) {
            Ok(()) => {}
            Err(KvError::Full(why)) => {
                self.upkeep.abandon();
                self.say_full(&why);
                refuse_accepted(&mut outcomes, &why);
                return Ok(outcomes);
            }
            Err(error @ (KvError::Damaged(_) | KvError::Failed(_) | KvError::Closed)) => {
                return Err(self.halt(&error));
            }
        }
        // Given up meanwhile: who waited was told so, and nothing more is announced.
        if let Err(stopped) = shared.stopped() {
            return Err(Halt(stopped.to_string()));
        }
        self.head = head;
        self.chain = packed.chain;
        shared.add_evidence(packed.evidence);
        self.note_mark()?;
        self.publish(slice, &mut changes);
        Ok(outcomes)
    }

    fn pack(&self, batch: &mut Batch, entries: Vec<Entry>) -> Result<Packed, Halt> {
        pack::append(batch, self.chain, self.head + 1, entries)
            .map_err(|error| self.halt(&error.into()))
    }

    /// One batch, one sync.
    pub(super) fn write(&self, batch: Batch) -> Result<(), KvError> {
        self.shared.kv.apply(batch)?;
        self.shared.kv.sync().map_err(|error| match error {
            // After a failed sync nothing is known of what was applied, whatever the reason.
            KvError::Full(why) => KvError::Failed(format!("a sync failed: {why}")),
            KvError::Damaged(_) | KvError::Failed(_) | KvError::Closed => error,
        })
    }

    fn publish(&mut self, slice: Option<Slice>, changes: &mut Changes) {
        let mut overlay = self.shared.overlay_mut();
        if let Some(slice) = slice {
            for (id, stored) in &slice.entities {
                changes.rebase_entity(*id, stored);
            }
            for (seq, parts) in &slice.items {
                changes.rebase_item(*seq, *parts);
            }
            settle(&mut overlay, &mut self.stored_counts, &mut self.upkeep, slice);
        }
        overlay.publish(std::mem::take(changes), self.head);
        let inbox_len = overlay.inbox_len;
        drop(overlay);
        self.shared.announce(self.head, inbox_len);
    }

    /// A slice for the batch of a group, when enough waits: as many rows as the group may add and some more, so that
    /// the rows keep up whatever the load is.
    fn ride_along(
        &mut self,
        overlay: &Overlay,
        group: usize,
        batch: &mut Batch,
    ) -> Result<Option<Slice>, Halt> {
        if !self.lags(overlay, 1) {
            return Ok(None);
        }
        let portion = Portion { rows: self.tuning.slice_rows.max(group * 2), ..self.portion() };
        self.slice(overlay, portion, batch).map(Some)
    }

    /// What a slice may write when it is alone.
    fn portion(&self) -> Portion {
        Portion {
            rows: self.tuning.slice_rows.max(1) * 4,
            bytes: self.tuning.slice_bytes,
            sealed: self.tuning.seal_entities.max(1),
            merge_tables: self.tuning.merge_tables,
            merge_keys: self.tuning.merge_keys,
            unhurried: false,
        }
    }

    fn slice(
        &mut self,
        overlay: &Overlay,
        portion: Portion,
        batch: &mut Batch,
    ) -> Result<Slice, Halt> {
        let kv = Arc::clone(&self.shared.kv);
        let before = Before { overlay, kv: &*kv, counts: &self.stored_counts };
        behind::slice(before, &mut self.upkeep, portion, batch).map_err(|error| self.halt(&error))
    }

    /// Whether the rows lag by more than the bounds, times `factor`.
    fn lags(&self, overlay: &Overlay, factor: usize) -> bool {
        let Tuning { lag_rows, lag_bytes, lag_entries, .. } = self.tuning;
        overlay.dirty.len() > lag_rows.saturating_mul(factor)
            || overlay.bytes > lag_bytes.saturating_mul(factor)
            || self.head - overlay.watermark > lag_entries.saturating_mul(factor as u64)
    }

    /// Back-pressure: no group before the rows are within their bounds again.
    pub(super) fn stop_for_lag(&mut self) -> Result<(), Halt> {
        while self.lags(&self.shared.overlay(), self.tuning.stop_factor.max(1)) {
            // Ends: each slice takes at least one row out, and with no row waiting there is no lag.
            if !self.write_slice(false)? {
                break;
            }
        }
        Ok(())
    }

    /// Writes what may be written when nobody asks for anything; false when there was nothing.
    pub(crate) fn write_idly(&mut self) -> Result<bool, Halt> {
        self.write_slice(true)
    }

    /// Writes one slice on its own; false when there was nothing to write.
    pub(super) fn write_slice(&mut self, unhurried: bool) -> Result<bool, Halt> {
        let shared = Arc::clone(&self.shared);
        let mut batch = shared.kv.batch();
        let slice = {
            let overlay = shared.overlay();
            let portion = Portion { unhurried, ..self.portion() };
            let slice = self.slice(&overlay, portion, &mut batch)?;
            if slice.is_empty(&overlay) {
                return Ok(false);
            }
            slice
        };
        match self.write(batch) {
            Ok(()) => {
                let mut overlay = shared.overlay_mut();
                settle(&mut overlay, &mut self.stored_counts, &mut self.upkeep, slice);
                Ok(true)
            }
            Err(KvError::Full(why)) => {
                self.upkeep.abandon();
                self.say_full(&why);
                Ok(false)
            }
            Err(error @ (KvError::Damaged(_) | KvError::Failed(_) | KvError::Closed)) => {
                Err(self.halt(&error))
            }
        }
    }

    /// Writes every row that is behind, as far as there is room, and settles the mark.
    pub(crate) fn catch_up(&mut self) -> Result<(), Halt> {
        // Ends: every slice takes rows out, and nobody adds any meanwhile. No engine survives a write that fails for want
        // of room, and what stays behind is replayed by the next open.
        while !matches!(self.probe_room()?, Admission::Nothing(_)) && self.write_slice(false)? {}
        self.settle_mark()
    }

    /// Makes the mark survive a power cut.
    pub(crate) fn settle_mark(&mut self) -> Result<(), Halt> {
        let settled = match &mut self.mark {
            Some(mark) => mark.settle(),
            None => Ok(()),
        };
        settled.map_err(|error| self.halt_for(&format!("the mark cannot be synced: {error}")))
    }

    pub(super) fn note_mark(&mut self) -> Result<(), Halt> {
        let Some(mark) = &mut self.mark else {
            return Ok(());
        };
        self.mark_generation += 1;
        let noted = mark.note(MarkRecord {
            generation: self.mark_generation,
            incarnation: self.shared.incarnation.id,
            seq: self.head,
            chain: self.chain,
        });
        noted.map_err(|error| self.halt_for(&format!("the mark cannot be written: {error}")))
    }

    /// Looks at the room, and says so when it changes what is accepted.
    pub(crate) fn probe_room(&mut self) -> Result<Admission, Halt> {
        let Some(policy) = &mut self.room else {
            self.say_room();
            return Ok(Admission::All);
        };
        let free = match policy.room.available() {
            Ok(free) => free,
            Err(error) => {
                let reason = format!("the disk's free space cannot be read: {error}");
                return Err(self.halt_for(&reason));
            }
        };
        let admission = if free < policy.everything {
            Admission::Nothing(format!(
                "{free} bytes are free, {} are needed to store anything",
                policy.everything
            ))
        } else if free < policy.new_entities {
            Admission::NothingNew(format!(
                "{free} bytes are free, {} are needed to take new entities",
                policy.new_entities
            ))
        } else {
            Admission::All
        };
        match &admission {
            Admission::All => self.say_room(),
            Admission::NothingNew(why) | Admission::Nothing(why) => self.say_full(why),
        }
        Ok(admission)
    }

    pub(super) fn say_full(&self, why: &str) {
        self.shared.health.send_if_modified(|health| match health {
            Health::Running => {
                *health = Health::Full(why.to_owned());
                true
            }
            Health::Full(_) | Health::Halted(_) | Health::Closed => false,
        });
    }

    fn say_room(&self) {
        self.shared.health.send_if_modified(|health| match health {
            Health::Full(_) => {
                *health = Health::Running;
                true
            }
            Health::Running | Health::Halted(_) | Health::Closed => false,
        });
    }

    pub(super) fn halt(&self, error: &KvError) -> Halt {
        self.halt_for(&error.to_string())
    }

    fn halt_for(&self, reason: &str) -> Halt {
        self.shared.halt(reason);
        Halt(reason.to_owned())
    }
}

/// What there is room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admission {
    All,
    /// No new entities, and why.
    NothingNew(String),
    /// Nothing at all, and why.
    Nothing(String),
}

fn refusal(admission: &Admission, step: &Step) -> Option<String> {
    match admission {
        Admission::All => None,
        Admission::Nothing(why) => Some(why.clone()),
        Admission::NothingNew(why) => match step {
            Step::Arrival(_) => None,
            Step::Commit(commit) => commit
                .change
                .as_ref()
                .is_some_and(|change| change.expected == 0)
                .then(|| why.clone()),
        },
    }
}

/// The group was not written: no step of it happened, and who was refused for the sake of one of its steps may come
/// again as well.
fn refuse_accepted(outcomes: &mut Outcomes, why: &str) {
    for outcome in outcomes {
        let malformed = matches!(outcome, Err(CommitError::Invalid(_) | CommitError::TooLarge(_)));
        if !malformed {
            *outcome = Err(CommitError::Full(why.to_owned()));
        }
    }
}

fn settle(
    overlay: &mut Overlay,
    stored_counts: &mut BTreeMap<(Kind, Label), u64>,
    upkeep: &mut Upkeep,
    slice: Slice,
) {
    for (id, _) in slice.entities {
        overlay.settle_entity(id);
    }
    for (seq, _) in slice.items {
        overlay.settle_item(seq);
    }
    overlay.watermark = slice.watermark;
    overlay.sealed = slice.sealed;
    upkeep.settle(&overlay.sealed);
    stored_counts.extend(slice.counts);
}

#[cfg(test)]
mod tests;
