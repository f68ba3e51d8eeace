//! What a child has said: that alone counts, and all of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use orderkeep_store::EntityId;

/// What a folder must hold.
#[derive(Debug, Default, Clone)]
pub(crate) struct Acknowledged {
    pub(crate) versions: BTreeMap<EntityId, u64>,
    /// Inbox items that were heard, and that nobody has begun to finish.
    pub(crate) waiting: BTreeSet<u64>,
    /// How many entities have left.
    pub(crate) left: u64,
}

impl Acknowledged {
    /// Takes in a line of a child; lines of another kind are no matter.
    pub(crate) fn take(&mut self, line: &str) {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("done"), Some(id), Some(version)) => {
                self.versions.insert(EntityId(id.parse().unwrap()), version.parse().unwrap());
            }
            (Some("heard"), Some(seq), None) => {
                self.waiting.insert(seq.parse().unwrap());
            }
            (Some("finishing"), Some(seq), None) => {
                self.waiting.remove(&seq.parse().unwrap());
            }
            (Some("left"), Some(entities), None) => {
                self.left += entities.parse::<u64>().unwrap();
            }
            _ => {}
        }
    }

    /// The same as lines, for the next child.
    pub(crate) fn lines(&self) -> String {
        let mut text = String::new();
        for (id, version) in &self.versions {
            writeln!(text, "done {} {version}", id.0).unwrap();
        }
        for seq in &self.waiting {
            writeln!(text, "heard {seq}").unwrap();
        }
        text
    }

    /// How many steps were acknowledged.
    pub(crate) fn steps(&self) -> u64 {
        self.versions.values().sum()
    }
}
