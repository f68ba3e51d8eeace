//! Damage at rest: every 512-byte block of every file of a store is flipped, zeroed, and the file is cut off there.
//!
//! The store opens with everything in it, or says that something is wrong; and what it refuses it leaves as it found it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    acknowledged::Acknowledged,
    child::End,
    engine::Engine,
    power_cut::look,
    process::{copy, scratch},
    report::Talk,
    syscalls::prepare,
};

#[derive(Debug, clap::Args)]
pub(crate) struct AtRestArgs {
    #[arg(long, value_enum, default_value_t = Engine::Sled)]
    engine: Engine,
    /// Only so many damages, spread evenly over all there are.
    #[arg(long)]
    damages: Option<usize>,
}

const BLOCK: usize = 512;

const KINDS: [&str; 3] = ["flipped", "zeroed", "cut"];

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    campaign: &'static str,
    engine: Engine,
    blocks: usize,
    damages: usize,
    /// Opens with everything in it.
    harmless: usize,
    /// Does not open, and says why.
    refused: usize,
    /// A check or a read says why.
    found: usize,
    /// Less than there was, and not a word.
    lost: usize,
    stuck: usize,
    /// Refused, and not what it was any more.
    changed: usize,
    seconds: u64,
}

impl Report {
    pub(crate) fn is_as_it_should_be(&self) -> bool {
        self.lost + self.stuck + self.changed == 0 && self.refused + self.found > 0
    }
}

pub(crate) fn run(args: &AtRestArgs) -> Report {
    let folder = scratch();
    let store = folder.path().join("store");
    let acknowledged = prepare(args.engine, &store);
    let files = contents(&store);
    let mut cases = Vec::new();
    for (path, bytes) in &files {
        for at in (0..bytes.len()).step_by(BLOCK) {
            cases.extend(KINDS.map(|kind| (path, at, kind)));
        }
    }
    let mut report = Report {
        campaign: "at-rest",
        engine: args.engine,
        blocks: cases.len() / KINDS.len(),
        damages: 0,
        harmless: 0,
        refused: 0,
        found: 0,
        lost: 0,
        stuck: 0,
        changed: 0,
        seconds: 0,
    };
    let most = args.damages.unwrap_or(cases.len()).min(cases.len());
    let mut talk = Talk::new(format!("at-rest {}", args.engine.name()));
    for number in 0..most {
        // Evenly spread, and every kind in turn.
        let (path, at, kind) = cases[number * cases.len() / most];
        let bytes = damaged(&files[path], at, kind);
        strike(args.engine, &store, path, &bytes, &acknowledged, &mut report, |why| {
            talk.finding(&format!("{} {kind} at {at}: {why}", path.display()));
        });
        talk.progress(number as u64 + 1, most as u64);
    }
    report.seconds = talk.seconds();
    report
}

fn damaged(bytes: &[u8], at: usize, kind: &str) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let end = bytes.len().min(at + BLOCK);
    match kind {
        // Another bit in every block.
        "flipped" => bytes[at + at / BLOCK * 37 % (end - at)] ^= 1 << (at / BLOCK % 8),
        "zeroed" => bytes[at..end].fill(0),
        _ => bytes.truncate(at),
    }
    bytes
}

fn strike(
    engine: Engine,
    original: &Path,
    path: &Path,
    bytes: &[u8],
    acknowledged: &Acknowledged,
    report: &mut Report,
    mut finding: impl FnMut(&str),
) {
    let folder = scratch();
    let store = folder.path().join("store");
    copy(original, &store);
    fs::write(store.join(path), bytes).unwrap();
    let before = contents(&store);
    let looked = look(engine, &store, folder.path(), acknowledged);
    report.damages += 1;
    match looked.end {
        Some(End::Well) => report.harmless += 1,
        Some(End::Refused) => {
            report.refused += 1;
            let after = contents(&store);
            let changed = before.iter().find(|(path, bytes)| {
                // Who holds the folder is written into it at every try.
                !path.ends_with("LOCK") && after.get(*path) != Some(bytes)
            });
            if let Some((path, _)) = changed {
                report.changed += 1;
                finding(&format!(
                    "it was refused, and {} was changed: {}",
                    path.display(),
                    looked.why()
                ));
            }
        }
        Some(End::Found | End::Halted) => report.found += 1,
        Some(End::Lost) => {
            report.lost += 1;
            finding(&looked.why());
        }
        None => {
            report.stuck += 1;
            finding(&looked.why());
        }
    }
}

/// Every file below a folder, by its path in it.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(at) = left.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}
