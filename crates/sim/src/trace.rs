//! What happened in a run, for reading.

use std::fmt;

use crate::plan::Millis;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Millis,
    /// Who did it, or to whom it was done.
    pub who: &'static str,
    /// What.
    pub what: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.at / 1_000, self.at % 1_000);
        let (minutes, seconds) = (seconds / 60, seconds % 60);
        write!(f, "{minutes:>3}:{seconds:02}.{millis:03}  {:<10} {}", self.who, self.what)
    }
}

/// The lines of a run, if anybody wants them.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    wanted: bool,
    lines: Vec<Line>,
}

impl Trace {
    pub(crate) const fn new(wanted: bool) -> Self {
        Self { wanted, lines: Vec::new() }
    }

    pub(crate) fn add(&mut self, at: Millis, who: &'static str, what: impl FnOnce() -> String) {
        if self.wanted {
            self.lines.push(Line { at, who, what: what() });
        }
    }

    pub(crate) fn take(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }
}
