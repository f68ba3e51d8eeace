//! Power cuts: a file system of our own is shut down in the middle of everything, mounted again, and looked through.
//!
//! The child itself cuts, in the very call that acknowledged a step (or before any other call that touches its files), so
//! nothing comes between the two. What the disk's own cache may lose is not modelled. Every run has three arms: the
//! store, a plain log that is known to be right, and the store without its `fdatasync`, which has to lose something.

use std::{fs, io, path::Path, time::Duration};

use serde::Serialize;

use crate::{
    acknowledged::Acknowledged,
    child::End,
    engine::Engine,
    mount::LoopFs,
    preload::Preload,
    process::{Ended, Setup, copy},
    report::Talk,
    workload::mix,
};

#[derive(Debug, clap::Args)]
pub(crate) struct PowerCutArgs {
    #[arg(long, value_enum, default_value_t = Engine::Sled)]
    engine: Engine,
    /// Cuts under the store. The control arm gets a tenth of it, the twin a twentieth, both at least five.
    #[arg(long, default_value_t = 10)]
    cuts: u32,
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// A folder for copies of stores that were found wrong.
    #[arg(long)]
    keep: Option<std::path::PathBuf>,
}

/// A fresh file system after so many: what is opened after a cut is cut again.
const CUTS_PER_FILE_SYSTEM: u32 = 10;

const MIB: u64 = 64;

const PATIENCE: Duration = Duration::from_secs(60);

/// What is known of one arm.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    campaign: &'static str,
    arm: String,
    seed: u32,
    cuts: u32,
    /// Right after an acknowledgement; the others come before a call, whatever it is.
    after_acknowledgement: u32,
    during_open: u32,
    acknowledged_steps: u64,
    /// Cuts after which something acknowledged was gone, without a word.
    lost: u32,
    /// Cuts after which the store did not open, or said that something is missing.
    refused: u32,
    stuck: u32,
    seconds: u64,
}

impl Report {
    pub(crate) fn is_clean(&self) -> bool {
        self.lost + self.refused + self.stuck == 0
    }
}

/// All arms.
///
/// # Errors
/// What is missing here to cut the power of anything.
pub(crate) fn run(args: &PowerCutArgs) -> io::Result<Vec<Report>> {
    drop(LoopFs::new(MIB)?);
    let preload = Preload::build();
    let few = |share: u32| (args.cuts / share).max(5);
    Ok(vec![
        arm(args, &preload, args.engine, args.cuts, None)?,
        arm(args, &preload, Engine::Log, few(10), None)?,
        arm(args, &preload, args.engine, few(20), Some("nosync"))?,
    ])
}

/// The store and the control lose nothing, and the twin is caught.
pub(crate) fn is_as_it_should_be(reports: &[Report]) -> bool {
    let [store, control, twin] = reports else { return false };
    store.is_clean() && control.is_clean() && twin.lost + twin.refused > 0
}

fn arm(
    args: &PowerCutArgs,
    preload: &Preload,
    engine: Engine,
    cuts: u32,
    twin: Option<&str>,
) -> io::Result<Report> {
    let name = twin.map_or_else(|| engine.name(), |twin| format!("{}-{twin}", engine.name()));
    let mut report = Report {
        campaign: "power-cut",
        arm: name.clone(),
        seed: args.seed,
        cuts,
        after_acknowledgement: 0,
        during_open: 0,
        acknowledged_steps: 0,
        lost: 0,
        refused: 0,
        stuck: 0,
        seconds: 0,
    };
    let mut talk = Talk::new(format!("power-cut {name}"));
    let mut disk: Option<LoopFs> = None;
    let mut acknowledged = Acknowledged::default();
    for cut in 1..=cuts {
        let mut fresh = match disk.take() {
            Some(disk) => disk,
            None => LoopFs::new(MIB)?,
        };
        let store = fresh.mount_point().join("store");
        let random = mix(args.seed.wrapping_mul(0x9e37_79b9) ^ cut);
        let after_acknowledgement = !random.is_multiple_of(4);
        let mut fault = preload.below(&fresh.mount_point()).mount(&fresh.mount_point());
        fault = if after_acknowledgement {
            fault.at(u64::from(1 + random / 4 % 250), "cut-at-ack")
        } else {
            fault.at(u64::from(random / 4 % 400), "cut")
        };
        if let Some(twin) = twin {
            fault = fault.twin(twin);
        }
        let setup = Setup {
            generation: cut,
            tasks: 1 + random / 8 % 8,
            fault: Some(&fault),
            ..Setup::new(engine, &store)
        };
        let ended = setup.start().wait(PATIENCE);
        ended.lines.iter().for_each(|line| acknowledged.take(line));
        report.after_acknowledgement += u32::from(after_acknowledgement);
        report.during_open += u32::from(!ended.lines.iter().any(|line| line == "open"));
        report.stuck += u32::from(ended.stuck.is_some());
        if ended.stuck.is_some() {
            talk.finding(&format!("cut {cut}: {}", ended.why()));
        }
        fresh.power_up()?;
        let looked = look(engine, &store, fresh.beside(), &acknowledged);
        let whole = looked.end == Some(End::Well);
        match looked.end {
            Some(End::Well) => {}
            Some(End::Lost) => report.lost += 1,
            Some(End::Refused | End::Halted | End::Found) => report.refused += 1,
            None => report.stuck += 1,
        }
        if !whole && twin.is_none() {
            talk.finding(&format!("cut {cut}: {}", looked.why()));
            if let Some(keep) = &args.keep {
                copy(&store, &keep.join(format!("{name}-{cut}")));
            }
        }
        if whole && cut % CUTS_PER_FILE_SYSTEM != 0 {
            disk = Some(fresh);
        } else {
            report.acknowledged_steps += std::mem::take(&mut acknowledged).steps();
        }
        talk.progress(u64::from(cut), u64::from(cuts));
    }
    report.acknowledged_steps += acknowledged.steps();
    report.seconds = talk.seconds();
    Ok(report)
}

/// Another process looks for everything, and writes nothing of its own.
pub(crate) fn look(
    engine: Engine,
    store: &Path,
    beside: &Path,
    acknowledged: &Acknowledged,
) -> Ended {
    let expect = beside.join("expect");
    fs::write(&expect, acknowledged.lines()).unwrap();
    let setup = Setup { expect: Some(&expect), check: true, steps: 0, ..Setup::new(engine, store) };
    setup.start().wait(PATIENCE)
}
