//! Opening a journal: is it whole, is it all there, and what is not in the rows yet.
//!
//! Checked at every open: the end of the chain of checksums, that the rows are not ahead of the journal, and that the
//! journal is not behind its mark. The rest of the chain is for [`super::check`]. A store that has lost something is not
//! opened; nothing is ever cut off or repaired here.

use std::{collections::BTreeMap, sync::Arc};

use uuid::Uuid;

use crate::{
    Incarnation, Kind, Label,
    kv::{Batch, Direction, Kv, KvError, Pager, Space, Span, wide},
    record::{BaseRow, Chain, CountRow, MarkRecord, MetaRow, WatermarkRow, decode, encode},
};

use super::{
    Halt, Journal, Mark, RoomPolicy, Shared, Tuning, base, keys, overlay::Overlay, pack,
    sealed::Sealed, stage::Stage,
};

/// What an open needs besides the engine.
#[derive(Debug)]
pub(crate) struct OpenOptions {
    pub(crate) tuning: Tuning,
    /// The life of a new store, or of one whose loss is accepted.
    pub(crate) new_incarnation: Uuid,
    /// The life that a new store is an older copy of.
    pub(crate) restored_from: Option<Uuid>,
    /// `None`: nobody notices a loss (a store in memory).
    pub(crate) guard: Option<Guard>,
    pub(crate) room: Option<RoomPolicy>,
}

/// The mark that an open is held against.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) mark: Box<dyn Mark>,
    /// What it says.
    pub(crate) found: Option<MarkRecord>,
    /// Open even if something is missing, as a new incarnation.
    pub(crate) accept_older: bool,
}

/// Why a journal was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecoverError {
    #[error(transparent)]
    Kv(#[from] KvError),
    #[error(transparent)]
    Halted(#[from] Halt),
    /// Behind its mark.
    #[error("the journal ends at entry {found}, the mark says that it had reached {marked}")]
    Lost { found: u64, marked: u64 },
    /// Not the journal that the mark belongs to.
    #[error("the mark is of {marked}, the store is {found}")]
    OtherStore { found: Uuid, marked: Uuid },
    /// There is a journal and no mark.
    #[error("the journal has {found} entries, and there is no mark")]
    MarkMissing { found: u64 },
}

impl Journal {
    /// Opens what is in `kv`, or makes a new store of it when it is empty.
    pub(crate) fn open(kv: Arc<dyn Kv>, options: OpenOptions) -> Result<Self, RecoverError> {
        let end = pack::containing(&*kv, u64::MAX)?;
        let base = base::open(&*kv)?;
        let head = end.as_ref().map_or(0, |found| found.record.last()).max(base.seq);
        let meta = read_meta(&*kv, head)?;
        let verdict = match &options.guard {
            None => Ok(()),
            Some(guard) => check_mark(&*kv, meta.as_ref(), &base, head, guard.found),
        };
        let accept_older = options.guard.as_ref().is_some_and(|guard| guard.accept_older);
        let incarnation = match (verdict, meta) {
            (Ok(()), Some(meta)) => meta.incarnation,
            (Ok(()), None) => {
                let (id, restored_from) = (options.new_incarnation, options.restored_from);
                begin_life(&*kv, Incarnation { id, restored_from })?
            }
            (Err(_), meta) if accept_older => {
                // The store was there before, or its mark was, or there would be nothing to accept.
                let marked = || options.guard.as_ref()?.found.map(|mark| mark.incarnation);
                let before = meta.map(|meta| meta.incarnation.id).or_else(marked);
                let restored_from = before.or(Some(Uuid::nil()));
                begin_life(&*kv, Incarnation { id: options.new_incarnation, restored_from })?
            }
            (Err(error), _) => return Err(error),
        };
        let watermark = read_watermark(&*kv)?;
        if watermark > head {
            return Err(KvError::Damaged(format!(
                "the rows are complete up to entry {watermark}, but the journal ends at {head}"
            ))
            .into());
        }
        if watermark < base.seq {
            return Err(KvError::Damaged(format!(
                "the journal begins after entry {}, but the rows are complete only up to {watermark}",
                base.seq
            ))
            .into());
        }
        let counts = read_counts(&*kv)?;
        let (sealed, upkeep) = Sealed::open(&*kv)?;
        let overlay = Overlay::new(watermark, counts.clone(), count_inbox(&*kv)?, sealed, base);
        let mut journal = Self {
            shared: Arc::new(Shared::new(kv, overlay, incarnation)),
            tuning: options.tuning,
            head: watermark,
            chain: Chain::default(),
            stored_counts: counts,
            upkeep,
            mark_generation: options
                .guard
                .as_ref()
                .and_then(|guard| guard.found)
                .map_or(0, |mark| mark.generation),
            mark: options.guard.map(|guard| guard.mark),
            room: options.room,
            progress: super::retain::Progress::default(),
        };
        journal.replay(watermark, head)?;
        journal.begin_mark()?;
        Ok(journal)
    }

    /// Checks the end of the chain and takes everything after the watermark into the overlay.
    fn replay(&mut self, watermark: u64, head: u64) -> Result<(), RecoverError> {
        let shared = Arc::clone(&self.shared);
        let kv = &*shared.kv;
        let base = shared.overlay().base;
        (self.head, self.chain) = (base.seq, base.chain);
        let Some(tail) = pack::tail_start(kv, self.tuning.tail_records)? else {
            return Ok(());
        };
        // The record with that entry may start before it; the chain is checked against the record before that one.
        let from = match pack::containing(kv, tail.min(watermark + 1))? {
            Some(found) => found.record.first,
            None => 1,
        };
        // Records up to the base may still be there, for nobody.
        let before = if from <= base.seq + 1 { None } else { pack::containing(kv, from - 1)? };
        let (mut last, mut chain) = match before {
            Some(found) => (found.record.last(), found.record.chain),
            None => (base.seq, base.chain),
        };
        for found in pack::records(kv, last + 1, head) {
            let found = found?;
            found.follows(last, chain)?;
            last = found.record.last();
            chain = found.record.chain;
            if last > watermark {
                self.take_in(watermark, found.record.first, &found.record.entries)?;
            }
        }
        if last != head {
            return Err(KvError::Damaged(format!(
                "the journal's entries {} to {head} are missing",
                last + 1
            ))
            .into());
        }
        self.head = head;
        self.chain = chain;
        Ok(())
    }

    /// Appends records of another journal as they are, with everything that follows from them. For making a store of a
    /// copy: they must follow what is there. One batch, one sync.
    pub(crate) fn take_over(&mut self, records: &[pack::Found]) -> Result<(), Halt> {
        let before = self.head;
        let mut batch = self.shared.kv.batch();
        for found in records {
            found.follows(self.head, self.chain).map_err(|error| self.halt(&error))?;
            let key = keys::seq(found.record.first);
            wide::put(&mut batch, Space::Journal, &key, &found.bytes);
            self.head = found.record.last();
            self.chain = found.record.chain;
        }
        self.write(batch).map_err(|error| self.halt(&error))?;
        for found in records {
            self.take_in(before, found.record.first, &found.record.entries)
                .map_err(|error| self.halt(&error))?;
        }
        self.note_mark()?;
        self.stop_for_lag()
    }

    fn take_in(
        &mut self,
        watermark: u64,
        first: u64,
        entries: &[crate::record::Entry],
    ) -> Result<(), KvError> {
        let mut position = first;
        let changes = {
            let overlay = self.shared.overlay();
            let mut stage = Stage::replaying(&overlay, &*self.shared.kv);
            for entry in entries {
                if position > watermark {
                    stage.replay(entry, position)?;
                }
                position += 1;
            }
            stage.finish().1
        };
        let durable = position - 1;
        let mut overlay = self.shared.overlay_mut();
        overlay.publish(changes, durable);
        let inbox_len = overlay.inbox_len;
        drop(overlay);
        self.shared.announce(durable, inbox_len);
        Ok(())
    }

    /// The mark says where this open starts from: at a new store, and after an accepted loss, at once.
    fn begin_mark(&mut self) -> Result<(), Halt> {
        self.note_mark()?;
        self.settle_mark()
    }
}

fn read_meta(kv: &dyn Kv, head: u64) -> Result<Option<MetaRow>, KvError> {
    if let Some(bytes) = kv.get(Space::Meta, keys::META)? {
        return Ok(Some(decode(&bytes)?));
    }
    if head > 0 {
        return Err(KvError::Damaged(format!(
            "the journal has {head} entries, but the store's identity is missing"
        )));
    }
    for space in Space::ALL {
        if !kv.scan(space, &Span::ALL, Direction::Up, 1)?.is_empty() {
            return Err(KvError::Damaged(format!(
                "{} has rows, but the journal and the store's identity are missing",
                space.name()
            )));
        }
    }
    Ok(None)
}

fn check_mark(
    kv: &dyn Kv,
    meta: Option<&MetaRow>,
    base: &BaseRow,
    head: u64,
    marked: Option<MarkRecord>,
) -> Result<(), RecoverError> {
    let Some(mark) = marked else {
        // A crash between the creation of the store and of its mark leaves an empty store behind.
        return if head == 0 { Ok(()) } else { Err(RecoverError::MarkMissing { found: head }) };
    };
    let lost = RecoverError::Lost { found: head, marked: mark.seq };
    if head == 0 {
        return if mark.seq == 0 { Ok(()) } else { Err(lost) };
    }
    if let Some(meta) = meta
        && mark.incarnation != meta.incarnation.id
    {
        let found = meta.incarnation.id;
        return Err(RecoverError::OtherStore { found, marked: mark.incarnation });
    }
    if head < mark.seq {
        return Err(lost);
    }
    if mark.seq == 0 {
        return Ok(());
    }
    if mark.seq == base.seq && mark.chain == base.chain {
        return Ok(());
    }
    match pack::containing(kv, mark.seq)? {
        Some(found) if found.record.last() == mark.seq && found.record.chain == mark.chain => {
            Ok(())
        }
        Some(_) | None => Err(KvError::Damaged(format!(
            "the journal at entry {} is not what the mark has noted; it is another history of this \
             store",
            mark.seq
        ))
        .into()),
    }
}

/// Gives a store (a new one, a restored one, or one whose loss is accepted) its identity.
pub(crate) fn begin_life(kv: &dyn Kv, incarnation: Incarnation) -> Result<Incarnation, KvError> {
    let mut batch = Batch::default();
    let row = encode(&MetaRow { incarnation })?;
    batch.put(Space::Meta, keys::META.to_vec(), row);
    kv.apply(batch)?;
    kv.sync()?;
    Ok(incarnation)
}

fn read_watermark(kv: &dyn Kv) -> Result<u64, KvError> {
    match kv.get(Space::Meta, keys::WATERMARK)? {
        Some(bytes) => Ok(decode::<WatermarkRow>(&bytes)?.seq),
        None => Ok(0),
    }
}

/// The counts of the rows as they are written.
pub(super) fn read_counts(kv: &dyn Kv) -> Result<BTreeMap<(Kind, Label), u64>, KvError> {
    let mut counts = BTreeMap::new();
    for pair in Pager::new(kv, Space::Meta, keys::count_span(), Direction::Up) {
        let (key, bytes) = pair?;
        let row: CountRow = decode(&bytes)?;
        counts.insert(keys::count_of(&key)?, row.entities);
    }
    Ok(counts)
}

/// How many items have rows. What waits is little, so it is counted and not kept.
fn count_inbox(kv: &dyn Kv) -> Result<u64, KvError> {
    let mut items = 0;
    for pair in Pager::new(kv, Space::Inbox, Span::ALL, Direction::Up) {
        if wide::split_key(Space::Inbox, &pair?.0)?.1 == 0 {
            items += 1;
        }
    }
    Ok(items)
}
