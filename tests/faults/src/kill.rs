//! kill -9: the process that writes, and the process that opens.
//!
//! Each child looks first whether everything is there that all children before it acknowledged, and writes then; so the
//! chain of kills never sees an ordinary end, and every kill is judged by the next open.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{
    acknowledged::Acknowledged,
    child::End,
    engine::Engine,
    process::{Setup, copy, scratch},
    report::Talk,
    workload::mix,
};

#[derive(Debug, clap::Args)]
pub(crate) struct KillArgs {
    #[arg(long, value_enum, default_value_t = Engine::Sled)]
    engine: Engine,
    #[arg(long, default_value_t = 30)]
    kills: u32,
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// What is over leaves meanwhile, behind the processes with odd numbers.
    #[arg(long)]
    leaving: bool,
    /// A folder for copies of stores that were found wrong.
    #[arg(long)]
    keep: Option<std::path::PathBuf>,
}

/// A fresh folder after so many.
const KILLS_PER_FOLDER: u32 = 50;

/// Every so many kills the whole journal is compared with the rows.
const CHECK_EVERY: u32 = 10;

/// An open that takes longer does not come back.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    campaign: &'static str,
    engine: Engine,
    seed: u32,
    kills: u32,
    during_open: u32,
    acknowledged_steps: u64,
    /// Entities that left.
    left: u64,
    /// Acknowledged and gone.
    lost: u32,
    /// Does not open, or is damaged.
    unopenable: u32,
    /// Opens or writes that did not come back.
    stuck: u32,
    seconds: u64,
}

impl Report {
    pub(crate) fn is_clean(&self) -> bool {
        self.lost + self.unopenable + self.stuck == 0
    }

    /// Counts what a folder has come to.
    fn add(&mut self, acknowledged: &Acknowledged) {
        self.acknowledged_steps += acknowledged.steps();
        self.left += acknowledged.left;
    }
}

/// A store that was found wrong ends the chain on its folder.
enum Verdict {
    Killed { during_open: bool },
    Ended(Option<End>, String),
}

pub(crate) fn run(args: &KillArgs) -> Report {
    let mut report = Report {
        campaign: "kill",
        engine: args.engine,
        seed: args.seed,
        kills: args.kills,
        during_open: 0,
        acknowledged_steps: 0,
        left: 0,
        lost: 0,
        unopenable: 0,
        stuck: 0,
        seconds: 0,
    };
    let mut talk = Talk::new(format!("kill {}", args.engine.name()));
    let mut folder = scratch();
    let mut acknowledged = Acknowledged::default();
    // How long an open takes, as far as it is known: kills are aimed at it.
    let mut opening = Duration::from_millis(10);
    for kill in 1..=args.kills {
        if kill % KILLS_PER_FOLDER == 0 {
            folder = scratch();
            report.add(&std::mem::take(&mut acknowledged));
        }
        let (store, expect) = (folder.path().join("store"), folder.path().join("expect"));
        fs::write(&expect, acknowledged.lines()).unwrap();
        let setup = Setup {
            expect: Some(&expect),
            check: kill % CHECK_EVERY == 0,
            generation: kill,
            tasks: 8,
            leaving: args.leaving,
            ..Setup::new(args.engine, &store)
        };
        let random = mix(args.seed.wrapping_mul(0x9e37_79b9) ^ kill);
        // As many of them as it takes to have a third.
        let aim = report.during_open * 3 <= kill;
        match kill_one(&setup, aim, random, &mut opening, &mut acknowledged) {
            Verdict::Killed { during_open } => report.during_open += u32::from(during_open),
            Verdict::Ended(end, why) => {
                match end {
                    None => report.stuck += 1,
                    Some(End::Lost) => report.lost += 1,
                    Some(End::Well | End::Refused | End::Halted | End::Found) => {
                        report.unopenable += 1;
                    }
                }
                talk.finding(&format!("before kill {kill}: {why}"));
                if let Some(keep) = &args.keep {
                    copy(&store, &keep.join(format!("{}-{kill}", args.engine.name())));
                }
                folder = scratch();
                report.add(&std::mem::take(&mut acknowledged));
            }
        }
        talk.progress(u64::from(kill), u64::from(args.kills));
    }
    report.add(&acknowledged);
    report.seconds = talk.seconds();
    report
}

fn kill_one(
    setup: &Setup<'_>,
    aim: bool,
    random: u32,
    opening: &mut Duration,
    acknowledged: &mut Acknowledged,
) -> Verdict {
    let child = setup.start();
    let ended = |child: crate::process::Running| {
        let ended = child.wait(PATIENCE);
        Verdict::Ended(ended.end, ended.why())
    };
    if child.line(PATIENCE).as_deref() != Some("opening") {
        return ended(child);
    }
    let began = Instant::now();
    if aim {
        // At no event that could be waited for: somewhere inside of the opening.
        let within = opening.mul_f64(f64::from(random % 1_000) / 900.0);
        while began.elapsed() < within {
            std::thread::yield_now();
        }
        let lines = child.kill();
        lines.iter().for_each(|line| acknowledged.take(line));
        return match lines
            .iter()
            .find(|line| line.starts_with("Lost") || line.starts_with("Refused"))
        {
            Some(line) if line.starts_with("Lost") => Verdict::Ended(Some(End::Lost), line.clone()),
            Some(line) => Verdict::Ended(Some(End::Refused), line.clone()),
            None => Verdict::Killed { during_open: !lines.iter().any(|line| line == "open") },
        };
    }
    match child.line(PATIENCE) {
        Some(line) if line == "open" => {}
        Some(why) => {
            let end = child.wait(PATIENCE).end;
            return Verdict::Ended(end, why);
        }
        None => return ended(child),
    }
    // A moving mean.
    *opening = (*opening * 7 + began.elapsed()) / 8;
    match child.line(PATIENCE) {
        Some(line) if line == "looked" => {}
        Some(why) => {
            let end = child.wait(PATIENCE).end;
            return Verdict::Ended(end, why);
        }
        None => return ended(child),
    }
    for _ in 0..random % 200 {
        match child.line(PATIENCE) {
            Some(line) => acknowledged.take(&line),
            None => return ended(child),
        }
    }
    child.kill().iter().for_each(|line| acknowledged.take(line));
    Verdict::Killed { during_open: false }
}
