//! The whole check: every record of the chain, and every row against what the journal says.
//!
//! Folds the journal into a model of its own, in memory and without the code that writes rows, and compares. Takes time
//! and memory by what is stored; commits wait while it runs.

mod model;

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::{
    EntityId,
    kv::{Direction, Kv, KvError, Pager, Space, Span, wide::WideIter},
    record::{Chain, ClaimRow, HistoryRow, HistorySpan, InboxRow, Record, ViewRow, decode},
};

use super::{Halt, Journal, keys, pack, recover::read_counts};
use model::Model;

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
        let outcome = fold(kv, self.head, &mut report).and_then(|model| {
            report.entities = model.entities.len() as u64;
            compare(kv, &model, &mut report)
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

fn fold(kv: &dyn Kv, head: u64, report: &mut CheckReport) -> Result<Model, KvError> {
    let mut model = Model::default();
    let mut last = 0;
    let mut chain = Chain::default();
    for found in pack::records(kv, 0, u64::MAX) {
        let found = found?;
        found.follows(last, chain)?;
        last = found.record.last();
        chain = found.record.chain;
        report.records += 1;
        for (position, entry) in (found.record.first..).zip(&found.record.entries) {
            report.entries += 1;
            report.events += model.take(position, entry).map_err(KvError::Damaged)?;
        }
    }
    if last == head {
        Ok(model)
    } else {
        Err(KvError::Damaged(format!("the journal's last entry is {last}, it should be {head}")))
    }
}

fn compare(kv: &dyn Kv, model: &Model, report: &mut CheckReport) -> Result<(), KvError> {
    compare_views(kv, model, report)?;
    compare_keys(kv, Space::Labels, &model.label_keys(), report)?;
    compare_keys(kv, Space::WakeUps, &model.wake_up_keys(), report)?;
    compare_claims(kv, model, report)?;
    compare_inbox(kv, model, report)?;
    compare_history(kv, model, report)?;
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

fn compare_views(kv: &dyn Kv, model: &Model, report: &mut CheckReport) -> Result<(), KvError> {
    let mut seen = 0;
    for item in WideIter::new(kv, Space::Views, Span::ALL) {
        let (key, bytes, _) = item?;
        let id = keys::trailing_id(Space::Views, &key)?;
        let Some(row) = read::<ViewRow>(&bytes, report) else {
            continue;
        };
        seen += 1;
        match model.entities.get(&id) {
            None => report.problem(format!("views: {id:?} is not in the journal")),
            Some(entity) => {
                if let Some(difference) = entity.difference(&row) {
                    report.problem(format!("views: {id:?} {difference}"));
                }
            }
        }
    }
    if seen != model.entities.len() {
        report.problem(format!("views: {seen} rows for {} entities", model.entities.len()));
    }
    Ok(())
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

fn compare_claims(kv: &dyn Kv, model: &Model, report: &mut CheckReport) -> Result<(), KvError> {
    let mut seen = 0;
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
        report.problem(format!("claims: {seen} rows instead of {}", model.claims.len()));
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

fn compare_history(kv: &dyn Kv, model: &Model, report: &mut CheckReport) -> Result<(), KvError> {
    let mut of: Option<(EntityId, Vec<HistorySpan>)> = None;
    let mut seen = 0;
    let mut settle = |of: Option<(EntityId, Vec<HistorySpan>)>, report: &mut CheckReport| {
        let Some((id, spans)) = of else { return };
        seen += 1;
        let expected = model.entities.get(&id).map(|entity| &entity.spans);
        if expected != Some(&spans) {
            report.problem(format!("history: of {id:?} is not what the journal says"));
        }
    };
    for pair in Pager::new(kv, Space::History, Span::ALL, Direction::Up) {
        let (key, bytes) = pair?;
        let id = history_id(&key)?;
        let Some(row) = read::<HistoryRow>(&bytes, report) else {
            continue;
        };
        if row.spans.first().map(|span| keys::history(id, span.first)).as_deref() != Some(&key) {
            report.problem(format!("history: a row of {id:?} is not under its first event"));
        }
        match &mut of {
            Some((current, spans)) if *current == id => spans.extend(row.spans),
            Some(_) | None => settle(of.replace((id, row.spans)), report),
        }
    }
    settle(of, report);
    if seen != model.entities.len() {
        report.problem(format!("history: of {seen} entities instead of {}", model.entities.len()));
    }
    Ok(())
}

fn history_id(key: &Bytes) -> Result<EntityId, KvError> {
    let id = key.slice(..key.len().min(keys::ID_BYTES));
    keys::trailing_id(Space::History, &id)
}
