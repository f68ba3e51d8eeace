//! What a campaign found: progress to stderr, the figures to stdout.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use serde::Serialize;

/// Findings that are written out in full; further ones are counted.
const SHOWN: u64 = 20;

/// Progress is said so often.
const EVERY: Duration = Duration::from_secs(10);

/// Talk: how far it is, and what was found.
pub(crate) struct Talk {
    what: String,
    began: Instant,
    said: Instant,
    findings: u64,
}

impl Talk {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        let now = Instant::now();
        Self { what: what.into(), began: now, said: now, findings: 0 }
    }

    pub(crate) fn progress(&mut self, done: u64, of: u64) {
        if self.said.elapsed() >= EVERY || (done == of && self.began.elapsed() > EVERY) {
            self.said = Instant::now();
            say(&format!("{}: {done} of {of}, {} s", self.what, self.began.elapsed().as_secs()));
        }
    }

    /// Something that should not be.
    pub(crate) fn finding(&mut self, text: &str) {
        self.findings += 1;
        if self.findings <= SHOWN {
            say(&format!("{}: {text}", self.what));
        }
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.began.elapsed().as_secs()
    }
}

pub(crate) fn say(text: &str) {
    // Nobody may be reading any more.
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// One JSON object a line.
pub(crate) fn print(report: &impl Serialize) {
    let line = serde_json::to_string(report).unwrap();
    drop(writeln!(std::io::stdout(), "{line}"));
}
