//! The whole check: every record of the chain, and every row against what the journal says.
//!
//! Folds the journal into a model of its own, in memory and without the code that writes rows, and compares. Takes time by
//! what is stored, and memory by how many entities there are: of each its keys, and of a view only a hash once it is the
//! last one. Commits wait while it runs.

mod kept;
mod model;
mod sealed;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::{
    Claim, EntityId, Version,
    kv::{
        Direction, Kv, KvError, Pager, Space, Span,
        wide::{self, WideIter},
    },
    record::{BaseRow, ClaimRow, HistoryRow, HistorySpan, InboxRow, Record, ViewRow, decode},
};

use super::{Halt, Journal, keys, pack, recover::read_counts};
use model::{Model, Print, print};
use sealed::AtRest;

/// More problems than this say nothing new.
const PROBLEMS: usize = 100;

/// What a check has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// Records of the journal.
    pub records: u64,
    /// Steps in them.
    pub entries: u64,
    /// Events in them.
    pub events: u64,
    /// Entities.
    pub entities: u64,
    /// What is wrong, the first hundred; empty: all is well.
    pub problems: Vec<String>,
}

impl CheckReport {
    fn problem(&mut self, what: String) {
        if self.problems.len() < PROBLEMS {
            self.problems.push(what);
        }
    }
}

impl Journal {
    /// Writes every row that is behind, and compares all of them with the journal.
    pub(crate) fn check(&mut self) -> Result<CheckReport, Halt> {
        self.catch_up()?;
        self.clear().map_err(|error| self.halt(&error))?;
        let mut report =
            CheckReport { records: 0, entries: 0, events: 0, entities: 0, problems: Vec::new() };
        if self.shared.overlay().watermark < self.head {
            report.problem(
                "there is no room to write the rows that are behind the journal, so that they cannot be compared; make \
                 room and check again"
                    .to_owned(),
            );
            return Ok(report);
        }
        let kv = &*self.shared.kv;
        let base = self.shared.overlay().base;
        let sealed = self.shared.overlay().sealed.clone();
        let outcome = AtRest::read(kv, &sealed, &mut report).and_then(|at_rest| {
            let last = |id| last_version(kv, &at_rest, id);
            let model = fold(kv, &base, self.head, &last, &mut report)?;
            report.entities = model.entities.len() as u64;
            compare(kv, &at_rest, &model, &mut report)
        });
        match outcome {
            Ok(()) => Ok(report),
            Err(KvError::Damaged(why)) => {
                report.problem(why);
                Ok(report)
            }
            Err(error @ (KvError::Full(_) | KvError::Failed(_) | KvError::Closed)) => {
                Err(self.halt(&error))
            }
        }
    }
}

/// At which version the rows say that an entity is. One that cannot be read is found later, and says nothing here.
fn last_version(kv: &dyn Kv, at_rest: &AtRest, id: EntityId) -> Version {
    match wide::get(kv, Space::Views, &keys::entity(id)) {
        Ok(Some((bytes, _))) => decode::<ViewRow>(&bytes).map_or(Version::MAX, |row| row.version),
        Ok(None) => at_rest.entities.get(&id).map_or(Version::MAX, |entity| entity.row.version),
        Err(_) => Version::MAX,
    }
}

fn fold(
    kv: &dyn Kv,
    base: &BaseRow,
    head: u64,
    last_version: &dyn Fn(EntityId) -> Version,
    report: &mut CheckReport,
) -> Result<Model, KvError> {
    let mut model = kept::model(kv, base, last_version, report)?;
    let (mut last, mut chain) = (base.seq, base.chain);
    for found in pack::records(kv, 0, u64::MAX) {
        let found = found?;
        found.follows(last, chain)?;
        last = found.record.last();
        chain = found.record.chain;
        report.records += 1;
        for (position, entry) in (found.record.first..).zip(&found.record.entries) {
            report.entries += 1;
            report.events += model.take(position, entry, last_version).map_err(KvError::Damaged)?;
        }
    }
    if last == head {
        Ok(model)
    } else {
        Err(KvError::Damaged(format!("the journal's last entry is {last}, it should be {head}")))
    }
}

fn compare(
    kv: &dyn Kv,
    sealed: &AtRest,
    model: &Model,
    report: &mut CheckReport,
) -> Result<(), KvError> {
    let at_rest = compare_views(kv, sealed, model, report)?;
    compare_keys(kv, Space::Labels, &model.label_keys(&at_rest), report)?;
    compare_keys(kv, Space::WakeUps, &model.wake_up_keys(), report)?;
    compare_claims(kv, sealed, model, report)?;
    compare_inbox(kv, model, report)?;
    compare_history(kv, sealed, model, report)?;
    let mut counts = read_counts(kv)?;
    counts.retain(|_, entities| *entities > 0);
    if counts != model.counts() {
        report.problem("counts: the kept numbers are not those of the labels".to_owned());
    }
    Ok(())
}

/// A row that does not decode is a problem of its own, and no reason to stop looking.
fn read<R: Record>(bytes: &[u8], report: &mut CheckReport) -> Option<R> {
    decode(bytes).map_err(|error| report.problem(error.to_string())).ok()
}

/// Gives the entities that are sealed and have no row.
fn compare_views(
    kv: &dyn Kv,
    sealed: &AtRest,
    model: &Model,
    report: &mut CheckReport,
) -> Result<BTreeSet<EntityId>, KvError> {
    let mut at_rest: BTreeSet<EntityId> = sealed.entities.keys().copied().collect();
    let mut seen = 0;
    for item in WideIter::new(kv, Space::Views, Span::ALL) {
        let (key, bytes, _) = item?;
        let id = keys::trailing_id(Space::Views, &key)?;
        let Some(row) = read::<ViewRow>(&bytes, report) else {
            continue;
        };
        seen += 1;
        at_rest.remove(&id);
        if sealed.moved.contains(&id) {
            report.problem(format!("moved: {id:?} has a row of its own"));
        }
        compare_view("views", model, id, &row, print(&row.view), report);
    }
    for (id, entity) in &sealed.entities {
        if at_rest.contains(id) {
            compare_view("sealed", model, *id, &entity.row, sealed.views[id], report);
        }
    }
    seen += at_rest.len();
    if seen != model.entities.len() {
        report.problem(format!(
            "views: {seen} rows and sealed entities for {} entities",
            model.entities.len()
        ));
    }
    Ok(at_rest)
}

fn compare_view(
    place: &str,
    model: &Model,
    id: EntityId,
    row: &ViewRow,
    view: Print,
    report: &mut CheckReport,
) {
    match model.entities.get(&id) {
        None => report.problem(format!("{place}: {id:?} is not in the journal")),
        Some(entity) => {
            if let Some(difference) = entity.difference(row, view) {
                report.problem(format!("{place}: {id:?} {difference}"));
            }
        }
    }
    for claim in row.claims.iter() {
        if model.claims.get(&claim.0) != Some(&id) {
            report.problem(format!("{place}: {id:?} names {claim:?}, which is not its own"));
        }
    }
}

fn compare_keys(
    kv: &dyn Kv,
    space: Space,
    expected: &BTreeSet<Vec<u8>>,
    report: &mut CheckReport,
) -> Result<(), KvError> {
    let mut seen = 0;
    for pair in Pager::new(kv, space, Span::ALL, Direction::Up) {
        let (key, _) = pair?;
        seen += 1;
        if !expected.contains(&key[..]) {
            report.problem(format!(
                "{}: {} belongs to no entity's state",
                space.name(),
                key.escape_ascii()
            ));
        }
    }
    if seen != expected.len() {
        report.problem(format!("{}: {seen} rows instead of {}", space.name(), expected.len()));
    }
    Ok(())
}

fn compare_claims(
    kv: &dyn Kv,
    sealed: &AtRest,
    model: &Model,
    report: &mut CheckReport,
) -> Result<(), KvError> {
    let mut seen = 0;
    for claim in model.claims.keys() {
        if kv.get(Space::Left, &keys::left_claim(&Claim(claim.clone())))?.is_some() {
            report.problem(format!("left: {} is held", claim.escape_ascii()));
        }
    }
    for claim in sealed.entities.values().flat_map(|entity| entity.row.claims.iter()) {
        // Whose they are was compared with the views.
        seen += usize::from(model.claims.contains_key(&claim.0));
        if kv.get(Space::Claims, &claim.0)?.is_some() {
            report.problem(format!("claims: {claim:?} is sealed and has a row"));
        }
    }
    for pair in Pager::new(kv, Space::Claims, Span::ALL, Direction::Up) {
        let (key, bytes) = pair?;
        seen += 1;
        let holder = read::<ClaimRow>(&bytes, report).map(|row| row.holder);
        if holder.is_some() && holder.as_ref() != model.claims.get(&key[..]) {
            report.problem(format!(
                "claims: {} points to {holder:?}, in the journal to {:?}",
                key.escape_ascii(),
                model.claims.get(&key[..])
            ));
        }
    }
    if seen != model.claims.len() {
        report.problem(format!(
            "claims: {seen} rows and sealed ones instead of {}",
            model.claims.len()
        ));
    }
    Ok(())
}

fn compare_inbox(kv: &dyn Kv, model: &Model, report: &mut CheckReport) -> Result<(), KvError> {
    let mut seen = 0;
    for item in WideIter::new(kv, Space::Inbox, Span::ALL) {
        let (key, bytes, _) = item?;
        let seq = keys::seq_of(Space::Inbox, &key)?;
        let Some(row) = read::<InboxRow>(&bytes, report) else {
            continue;
        };
        seen += 1;
        if model.items.get(&seq) != Some(&model::Item::of(&row)) {
            report.problem(format!("inbox: item {seq} is not what the journal says"));
        }
    }
    if seen != model.items.len() {
        report.problem(format!("inbox: {seen} rows instead of {}", model.items.len()));
    }
    Ok(())
}

fn compare_history(
    kv: &dyn Kv,
    sealed: &AtRest,
    model: &Model,
    report: &mut CheckReport,
) -> Result<(), KvError> {
    let mut found: BTreeMap<EntityId, Vec<HistorySpan>> =
        sealed.entities.iter().map(|(id, entity)| (*id, entity.spans.clone())).collect();
    for pair in Pager::new(kv, Space::History, Span::ALL, Direction::Up) {
        let (key, bytes) = pair?;
        let id = history_id(&key)?;
        let Some(row) = read::<HistoryRow>(&bytes, report) else {
            continue;
        };
        if row.spans.first().map(|span| keys::history(id, span.first)).as_deref() != Some(&key) {
            report.problem(format!("history: a row of {id:?} is not under its first event"));
        }
        found.entry(id).or_default().extend(row.spans);
    }
    // What was before the base is there no more, and nobody looks for it.
    for spans in found.values_mut() {
        spans.retain(|span| span.seq > model.base);
    }
    found.retain(|id, spans| !spans.is_empty() || model.entities.contains_key(id));
    for (id, spans) in &found {
        if model.entities.get(id).map(|entity| &entity.spans) != Some(spans) {
            report.problem(format!("history: of {id:?} is not what the journal says"));
        }
    }
    let expected = model.entities.iter().filter(|(_, entity)| !entity.spans.is_empty());
    let missing = expected.filter(|(id, _)| !found.contains_key(id)).count();
    if missing > 0 {
        report.problem(format!("history: of {missing} entities there is none"));
    }
    Ok(())
}

fn history_id(key: &Bytes) -> Result<EntityId, KvError> {
    let id = key.slice(..key.len().min(keys::ID_BYTES));
    keys::trailing_id(Space::History, &id)
}
