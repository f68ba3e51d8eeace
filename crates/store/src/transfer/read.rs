//! Lines as a journal.

use std::io::{BufRead, Read as _};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::journal::{Journal, Step};

use super::{
    Progress, TransferError, Transferred,
    line::{End, Head, Line, VERSION},
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
}

impl<'a> Lines<'a> {
    pub(crate) fn new(input: &'a mut dyn BufRead) -> Self {
        Self { input, number: 0, digest: Sha256::new() }
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
        let Line::Export(Head { version, incarnation, entries }) = line else {
            return Err(self.bad("not the first line of an export"));
        };
        if version != VERSION {
            return Err(self.bad(format!(
                "an export of version {version}, this program reads {VERSION}; use the newer program"
            )));
        }
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
        loop {
            let (line, text) = self.next()?;
            let bytes = text.len();
            let step = match line {
                Line::End(end) => {
                    self.append(journal, &mut group)?;
                    self.finish(&end, journal.head(), entries)?;
                    progress(entries, entries);
                    return Ok(Transferred { entries, events });
                }
                Line::Export(_) => return Err(self.bad("a second first line")),
                line @ (Line::Commit(_) | Line::Arrival(_)) => line.step(),
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
            group.bytes += bytes;
            group.steps.push(step);
            if group.steps.len() >= GROUP || group.bytes >= GROUP_BYTES {
                self.append(journal, &mut group)?;
                progress(journal.head(), entries);
            }
        }
    }

    fn append(&self, journal: &mut Journal, group: &mut Group) -> Result<(), TransferError> {
        let Group { steps, .. } = std::mem::take(group);
        // The line of the last step is the last one read, or the one before the end.
        let first = journal.head() + 2;
        let outcomes =
            journal.append(steps).map_err(|halt| TransferError::Store(halt.to_string()))?;
        for (line, outcome) in (first..).zip(outcomes) {
            if let Err(refused) = outcome {
                return Err(TransferError::BadLine { line, why: refused.to_string() });
            }
        }
        Ok(())
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
    steps: Vec<Step>,
    bytes: usize,
}
