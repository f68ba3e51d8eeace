//! A full disk, a real one of a few MiB: what is new is refused with a clear error, what was acknowledged stays, the store
//! opens again without any room, and goes on by itself when there is some.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    time::Duration,
};

use serde::Serialize;

use crate::{
    acknowledged::Acknowledged,
    child::End,
    engine::Engine,
    mount::LoopFs,
    process::{Running, Setup},
    report::Talk,
};

#[derive(Debug, clap::Args)]
pub(crate) struct FullDiskArgs {
    #[arg(long, value_enum, default_value_t = Engine::Sled)]
    engine: Engine,
    #[arg(long, default_value_t = 24)]
    mib: u64,
}

const PATIENCE: Duration = Duration::from_secs(60);

/// Held by somebody else until there is room again.
const SPARE: usize = 8 * 1024 * 1024;

/// Kept back, so that a full disk can be opened on.
const BALLAST_KIB: u64 = 2_048;

#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    campaign: &'static str,
    engine: String,
    acknowledged_steps: u64,
    /// The first refusal.
    refused_with: String,
    /// Opened without a free byte, with everything in it.
    opened_on_the_full_disk: bool,
    /// Refused there as well, and nothing halted.
    refused_on_the_full_disk: bool,
    /// Steps taken after there was room again, by the same process.
    steps_after_it_had_room: u64,
    /// Everything of before and after is there at the end.
    whole_at_the_end: bool,
    seconds: u64,
}

impl Report {
    pub(crate) fn is_as_it_should_be(&self) -> bool {
        self.refused_with.contains("bytes are free")
            && self.opened_on_the_full_disk
            && self.refused_on_the_full_disk
            && self.steps_after_it_had_room > 0
            && self.whole_at_the_end
    }
}

/// # Errors
/// What is missing here to have a disk.
pub(crate) fn run(args: &FullDiskArgs) -> io::Result<Report> {
    let disk = LoopFs::new(args.mib)?;
    let mut talk = Talk::new(format!("full-disk {}", args.engine.name()));
    let mut report =
        Report { campaign: "full-disk", engine: args.engine.name(), ..Report::default() };
    let (store, expect) = (disk.mount_point().join("store"), disk.beside().join("expect"));
    let mut acknowledged = Acknowledged::default();
    let setup = Setup { ballast_kib: BALLAST_KIB, ..Setup::new(args.engine, &store) };

    // What is given back later, so that there is room for more than a step.
    let spare = disk.mount_point().join("spare");
    fs::write(&spare, vec![0xa7; SPARE])?;

    // Until nothing new fits.
    let first = Setup { tasks: 4, ..setup.clone() }.start().wait(PATIENCE * 4);
    first.lines.iter().for_each(|line| acknowledged.take(line));
    report.refused_with = first.why();
    report.acknowledged_steps = acknowledged.steps();

    // Somebody else takes the rest, to the last byte.
    let filler = disk.mount_point().join("filler");
    fill(&filler)?;
    fs::write(&expect, acknowledged.lines())?;
    let look = Setup { expect: Some(&expect), steps: 0, ..setup.clone() };
    let looked = look.start().wait(PATIENCE);
    report.opened_on_the_full_disk = looked.end == Some(End::Well);
    if !report.opened_on_the_full_disk {
        talk.finding(&looked.why());
    }

    // A process that finds no room, keeps asking, and gets some.
    let patient = Setup { generation: 2, patient: true, ..setup.clone() }.start();
    report.refused_on_the_full_disk = heard(&patient, "full", &mut acknowledged, &mut talk);
    fs::remove_file(&filler)?;
    fs::remove_file(&spare)?;
    let before = acknowledged.steps();
    if report.refused_on_the_full_disk && heard(&patient, "done", &mut acknowledged, &mut talk) {
        report.steps_after_it_had_room = acknowledged.steps() - before;
    }
    patient.kill().iter().for_each(|line| acknowledged.take(line));
    fs::write(&expect, acknowledged.lines())?;
    let looked = Setup { check: true, ..look }.start().wait(PATIENCE);
    report.whole_at_the_end = looked.end == Some(End::Well);
    if !report.whole_at_the_end {
        talk.finding(&looked.why());
    }
    report.seconds = talk.seconds();
    Ok(report)
}

/// Listens until the child says this.
fn heard(child: &Running, word: &str, acknowledged: &mut Acknowledged, talk: &mut Talk) -> bool {
    let mut last = String::new();
    while let Some(line) = child.line(PATIENCE) {
        acknowledged.take(&line);
        if line.starts_with(word) {
            return true;
        }
        last = line;
    }
    talk.finding(&format!("never `{word}`, at last: {last}"));
    false
}

fn fill(path: &Path) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    for size in [64 * 1024, 1024, 1] {
        while file.write_all(&vec![0xa7; size]).is_ok() {}
    }
    // What does not fit any more is what this is about.
    drop(file.sync_all());
    Ok(())
}
