//! Lines as a journal.

use std::io::{BufRead, Read as _};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    journal::{Halt, Journal, Step},
    record::Part,
};

use super::{
    Progress, TransferError, Transferred,
    kept::BaseLine,
    line::{End, Head, Line, VERSION, WHOLE},
    write::hex,
};

/// No line of an export is longer: an entry has at most half a megabyte, and a byte takes at most six letters.
const LINE_BYTES: u64 = 4 * 1024 * 1024;

/// Entries that are made durable together.
const GROUP: usize = 256;

/// Their bytes, about.
const GROUP_BYTES: usize = 1024 * 1024;

/// An export that is being read.
pub(crate) struct Lines<'a> {
    input: &'a mut dyn BufRead,
    /// The number of the last line read.
    number: u64,
    digest: Sha256,
    base: Option<BaseLine>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(input: &'a mut dyn BufRead) -> Self {
        Self { input, number: 0, digest: Sha256::new(), base: None }
    }

    fn bad(&self, why: impl Into<String>) -> TransferError {
        TransferError::BadLine { line: self.number, why: why.into() }
    }

    /// The next line and its length; its own letters are in the digest only with the line after it.
    fn next(&mut self) -> Result<(Line, Vec<u8>), TransferError> {
        self.number += 1;
        let mut text = Vec::new();
        self.input.take(LINE_BYTES).read_until(b'\n', &mut text)?;
        if text.last() != Some(&b'\n') {
            return Err(self.bad(match text.len() as u64 {
                0 => "the file ends here without its last line; it was cut short".to_owned(),
                LINE_BYTES => format!("longer than {LINE_BYTES} bytes"),
                _ => "the file ends within this line; it was cut short".to_owned(),
            }));
        }
        let line = serde_json::from_slice(&text).map_err(|error| self.bad(error.to_string()))?;
        Ok((line, text))
    }

    /// The first line: the life that was exported, and how many entries it had.
    pub(crate) fn head(&mut self) -> Result<(Uuid, u64), TransferError> {
        let (line, text) = self.next()?;
        let Line::Export(Head { version, incarnation, entries, base }) = line else {
            return Err(self.bad("not the first line of an export"));
        };
        if !(WHOLE..=VERSION).contains(&version) {
            return Err(self.bad(format!(
                "an export of version {version}, this program reads {WHOLE} and {VERSION}; use the newer \
                 program"
            )));
        }
        self.base = base;
        self.digest.update(text);
        Ok((incarnation, entries))
    }

    /// Everything else, into an empty journal. All of it is checked as if it happened now.
    pub(crate) fn into_journal(
        mut self,
        journal: &mut Journal,
        entries: u64,
        progress: Progress<'_>,
    ) -> Result<Transferred, TransferError> {
        let mut events = 0;
        let mut group = Group::default();
        let mut parts = Vec::new();
        if let Some(base) = self.base {
            journal.begin_at(base.base()).map_err(halted)?;
        }
        loop {
            let (line, text) = self.next()?;
            let bytes = text.len();
            let step = match line {
                Line::End(end) => {
                    take(journal, &mut parts)?;
                    self.append(journal, &mut group)?;
                    self.finish(&end, journal.head(), entries)?;
                    self.check(journal)?;
                    progress(entries, entries);
                    return Ok(Transferred { entries, events });
                }
                Line::Export(_) => return Err(self.bad("a second first line")),
                Line::Kept(line) => {
                    if self.base.is_none() || !group.steps.is_empty() {
                        return Err(self.bad("what is kept stands before the entries"));
                    }
                    let part = line.part().ok_or_else(|| self.bad("a key that is none"))?;
                    if let Part::Events { events: kept, .. } = &part {
                        events += kept.len() as u64;
                    }
                    parts.push(part);
                    if parts.len() >= GROUP {
                        take(journal, &mut parts)?;
                    }
                    None
                }
                line @ (Line::Commit(_) | Line::Arrival(_)) => {
                    take(journal, &mut parts)?;
                    line.step()
                }
            };
            self.digest.update(text);
            let Some((entry, step)) = step else { continue };
            let next = journal.head() + group.steps.len() as u64 + 1;
            if entry != next {
                return Err(self.bad(format!("entry {entry} follows entry {}", next - 1)));
            }
            if let Step::Commit(commit) = &step {
                events += commit.change.as_ref().map_or(0, |change| change.events.len() as u64);
            }
            if group.steps.is_empty() {
                group.line = self.number;
            }
            group.bytes += bytes;
            group.steps.push(step);
            if group.steps.len() >= GROUP || group.bytes >= GROUP_BYTES {
                self.append(journal, &mut group)?;
                progress(journal.head(), entries);
            }
        }
    }

    fn append(&self, journal: &mut Journal, group: &mut Group) -> Result<(), TransferError> {
        let Group { steps, line: first, .. } = std::mem::take(group);
        let outcomes = journal.append(steps).map_err(halted)?;
        for (line, outcome) in (first..).zip(outcomes) {
            if let Err(refused) = outcome {
                return Err(TransferError::BadLine { line, why: refused.to_string() });
            }
        }
        Ok(())
    }

    /// What is kept says a state and no steps, so it is held against itself as a whole.
    fn check(&self, journal: &mut Journal) -> Result<(), TransferError> {
        if self.base.is_none() {
            return Ok(());
        }
        match journal.check().map_err(halted)?.problems.first() {
            Some(problem) => Err(TransferError::Store(problem.clone())),
            None => Ok(()),
        }
    }

    fn finish(&mut self, end: &End, found: u64, announced: u64) -> Result<(), TransferError> {
        if end.entries != found || announced != found {
            return Err(self.bad(format!(
                "{} entries were announced and {} ended, there are {found}",
                announced, end.entries
            )));
        }
        if hex(&self.digest.clone().finalize()) != end.sha256 {
            return Err(self.bad(
                "the lines before this one do not match its checksum: one of them was changed",
            ));
        }
        let mut rest = [0];
        if self.input.read(&mut rest)? != 0 {
            self.number += 1;
            return Err(self.bad("something follows the last line"));
        }
        Ok(())
    }
}

#[derive(Default)]
struct Group {
    /// Of the first step.
    line: u64,
    steps: Vec<Step>,
    bytes: usize,
}

fn take(journal: &mut Journal, parts: &mut Vec<Part>) -> Result<(), TransferError> {
    if parts.is_empty() {
        return Ok(());
    }
    journal.take_parts(std::mem::take(parts)).map_err(halted)
}

fn halted(halt: Halt) -> TransferError {
    TransferError::Store(halt.to_string())
}
