//! The control arm: lines appended to a file, each synced before it is acknowledged. Nothing of a store is in it, so that
//! a loss found here is a fault of the harness (or of the file system).

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use crate::{acknowledged::Acknowledged, child::say, workload};

const NAME: &str = "log";

fn open(folder: &Path) -> io::Result<File> {
    fs::create_dir_all(folder)?;
    let file = OpenOptions::new().create(true).append(true).open(folder.join(NAME))?;
    file.sync_all()?;
    File::open(folder)?.sync_all()?;
    if let Some(parent) = folder.parent() {
        File::open(parent)?.sync_all()?;
    }
    Ok(file)
}

/// Writes until it is stopped, or the disk fails.
pub(crate) fn write(folder: &Path, generation: u32, steps: u64) -> io::Result<()> {
    let mut file = open(folder)?;
    say("open");
    let mut done = 0;
    for number in 0.. {
        let id = workload::entity(generation, 0, number);
        for version in 1..=workload::STEPS {
            if done == steps {
                return Ok(());
            }
            file.write_all(format!("{} {version}\n", id.0).as_bytes())?;
            file.sync_data()?;
            say(&format!("done {} {version}", id.0));
            done += 1;
        }
    }
    Ok(())
}

/// What is missing, if anything is.
pub(crate) fn missing(folder: &Path, acknowledged: &Acknowledged) -> Option<String> {
    let text = fs::read(folder.join(NAME)).unwrap_or_default();
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for line in String::from_utf8_lossy(&text).lines() {
        if let Some((id, version)) = line.split_once(' ')
            && let Ok(version) = version.parse()
        {
            found.insert(id.to_owned(), version);
        }
    }
    acknowledged
        .versions
        .iter()
        .find(|(id, version)| found.get(&id.0.to_string()).is_none_or(|found| found < version))
        .map(|(id, version)| format!("{} was acknowledged at {version}", id.0))
}
