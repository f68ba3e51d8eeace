//! Every call that touches a file of the store goes wrong once, in every way it can.
//!
//! A run without a fault is recorded; then each call of that trace is struck, in a copy of the same folder. The child may
//! halt, refuse or end; what it acknowledged before must be found by the next process, on a disk that is well again. Only
//! a flipped bit may have spoiled something, and then the store has to say so.

use std::{fs, path::Path, time::Duration};

use serde::Serialize;

use crate::{
    acknowledged::Acknowledged,
    child::End,
    engine::Engine,
    power_cut::look,
    preload::{Fault, Preload},
    process::{Ended, Setup, copy, scratch},
    report::Talk,
};

#[derive(Debug, clap::Args)]
pub(crate) struct SyscallsArgs {
    #[arg(long, value_enum, default_value_t = Engine::Sled)]
    engine: Engine,
    /// Only so many runs, spread evenly over all there are.
    #[arg(long)]
    runs: Option<usize>,
    /// A folder for copies of stores that were found wrong.
    #[arg(long)]
    keep: Option<std::path::PathBuf>,
}

/// Steps of the child that is struck.
const STEPS: u64 = 24;

/// A store that is stuck has to say so within this time.
const COMMIT_PATIENCE: Duration = Duration::from_secs(5);

/// The same for a call that never comes back, which each such run has to wait for.
const HANG_PATIENCE: Duration = Duration::from_secs(1);

/// So many calls of the trace, evenly spread, never come back.
const HANGS: usize = 24;

/// Longer than any watchdog.
const PATIENCE: Duration = Duration::from_secs(40);

/// From where the child starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// No store yet.
    Empty,
    /// A store whose process was killed.
    Killed,
}

/// A call of the trace, and what befalls it.
#[derive(Debug, Clone)]
struct Case {
    start: Start,
    index: u64,
    call: String,
    file: String,
    kind: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    campaign: &'static str,
    engine: Engine,
    /// Calls of the traces, times the ways each can go wrong.
    cases: usize,
    runs: usize,
    /// The store stopped itself.
    halted: usize,
    /// It did not open under the fault.
    refused: usize,
    /// The process was killed with the fault.
    killed: usize,
    /// The fault was of no consequence.
    went_on: usize,
    /// A flipped bit that the store spoke of at the next open.
    flips_detected: usize,
    /// Acknowledged, gone, and not a word.
    lost: usize,
    /// Did not open again on a disk that is well.
    unopenable: usize,
    /// Neither went on nor halted.
    stuck: usize,
    /// Went on after a sync had failed.
    went_on_after_failed_sync: usize,
    /// Failed syncs that were tried again in the twin, and those of them that were caught.
    twin_runs: usize,
    twin_caught: usize,
    seconds: u64,
}

impl Report {
    pub(crate) fn is_as_it_should_be(&self) -> bool {
        self.lost + self.unopenable + self.stuck + self.went_on_after_failed_sync == 0
            && self.twin_caught > 0
    }
}

struct Campaign<'a> {
    args: &'a SyscallsArgs,
    preload: Preload,
    killed: tempfile::TempDir,
    at_the_start: Acknowledged,
    report: Report,
    talk: Talk,
}

pub(crate) fn run(args: &SyscallsArgs) -> Report {
    let killed = scratch();
    let at_the_start = prepare(args.engine, &killed.path().join("store"));
    let mut campaign = Campaign {
        args,
        preload: Preload::build(),
        killed,
        at_the_start,
        report: Report {
            campaign: "syscalls",
            engine: args.engine,
            cases: 0,
            runs: 0,
            halted: 0,
            refused: 0,
            killed: 0,
            went_on: 0,
            flips_detected: 0,
            lost: 0,
            unopenable: 0,
            stuck: 0,
            went_on_after_failed_sync: 0,
            twin_runs: 0,
            twin_caught: 0,
            seconds: 0,
        },
        talk: Talk::new(format!("syscalls {}", args.engine.name())),
    };
    let mut cases = campaign.record(Start::Killed);
    cases.extend(campaign.record(Start::Empty));
    campaign.report.cases = cases.len();
    let cases = sample(cases, args.runs);
    let of = cases.len() as u64;
    for (done, case) in (1..).zip(&cases) {
        campaign.strike(case);
        campaign.talk.progress(done, of);
    }
    // A failed sync that is tried again: the same cases, by a process that does so.
    let mut syncs: Vec<Case> = campaign.record(Start::Killed);
    syncs.retain(|case| case.call == "fdatasync" && case.kind == "eio");
    for case in sample(syncs, args.runs.map(|runs| (runs / 10).max(6))) {
        campaign.strike_twin(&case);
    }
    campaign.report.seconds = campaign.talk.seconds();
    campaign.report
}

/// A folder as a kill leaves it.
pub(crate) fn prepare(engine: Engine, store: &Path) -> Acknowledged {
    let child = Setup { tasks: 3, generation: 1_000, ..Setup::new(engine, store) }.start();
    let mut acknowledged = Acknowledged::default();
    while acknowledged.steps() < 60 {
        acknowledged.take(&child.line(PATIENCE).expect("a child that writes"));
    }
    child.kill().iter().for_each(|line| acknowledged.take(line));
    acknowledged
}

/// Evenly spread, and the same ones every time.
fn sample(mut cases: Vec<Case>, most: Option<usize>) -> Vec<Case> {
    let Some(most) = most.filter(|most| *most < cases.len()) else { return cases };
    let all = cases.len();
    let mut at = 0;
    cases.retain(|_| {
        at += 1;
        // A step that divides nothing, so that every kind of fault is met.
        at * most / all > (at - 1) * most / all
    });
    cases
}

/// What can befall a call.
fn kinds_of(call: &str) -> &'static [&'static str] {
    match call {
        "write" => &["enospc", "full", "eio", "short", "torn", "kill", "kill-after", "flip"],
        "fsync" | "fdatasync" => &["eio", "kill", "kill-after"],
        "read" => &["eio", "flip", "short"],
        "unlink" => &["eio", "kill", "kill-after"],
        _ => &["enospc", "eio", "kill", "kill-after"],
    }
}

impl Campaign<'_> {
    fn begin(&self, start: Start) -> (tempfile::TempDir, Acknowledged) {
        let folder = scratch();
        match start {
            Start::Empty => (folder, Acknowledged::default()),
            Start::Killed => {
                copy(&self.killed.path().join("store"), &folder.path().join("store"));
                (folder, self.at_the_start.clone())
            }
        }
    }

    fn child(&self, folder: &Path, acknowledged: &Acknowledged, fault: &Fault) -> Ended {
        let (store, expect) = (folder.join("store"), folder.join("expect-first"));
        fs::write(&expect, acknowledged.lines()).unwrap();
        let patience = if fault.hangs() { HANG_PATIENCE } else { COMMIT_PATIENCE };
        let setup = Setup {
            expect: Some(&expect),
            steps: STEPS,
            patience,
            // Without a hang nothing is given up that is only slow.
            open_patience: if fault.hangs() { patience } else { PATIENCE },
            fault: Some(fault),
            ..Setup::new(self.args.engine, &store)
        };
        setup.start().wait(PATIENCE)
    }

    /// All cases that begin like this.
    fn record(&mut self, start: Start) -> Vec<Case> {
        let (folder, acknowledged) = self.begin(start);
        let trace = folder.path().join("trace");
        // The store alone is inside; what the harness writes beside it does not count.
        fs::create_dir_all(folder.path().join("store")).unwrap();
        let fault = self.preload.below(&folder.path().join("store")).trace(&trace);
        let ended = self.child(folder.path(), &acknowledged, &fault);
        assert_eq!(ended.end, Some(End::Well), "without a fault: {}", ended.why());
        let trace = fs::read_to_string(trace).unwrap();
        let mut cases = Vec::new();
        let hang_every = trace.lines().count() / HANGS + 1;
        for (number, line) in trace.lines().enumerate() {
            let words: Vec<&str> = line.split(' ').collect();
            let [index, call, file, _] = words[..] else { panic!("{line}") };
            let hang: &[&str] = if number % hang_every == 0 { &["hang"] } else { &[] };
            for kind in kinds_of(call).iter().chain(hang) {
                cases.push(Case {
                    start,
                    index: index.parse().unwrap(),
                    call: call.to_owned(),
                    file: file.to_owned(),
                    kind,
                });
            }
        }
        cases
    }

    /// Strikes, and lets another process look. Gives how both ended.
    fn struck(&self, case: &Case, twin: Option<&str>) -> (Ended, Ended, tempfile::TempDir) {
        let (folder, mut acknowledged) = self.begin(case.start);
        let store = folder.path().join("store");
        fs::create_dir_all(&store).unwrap();
        let mut fault = self.preload.below(&store).at(case.index, case.kind);
        if let Some(twin) = twin {
            fault = fault.twin(twin);
        }
        let ended = self.child(folder.path(), &acknowledged, &fault);
        ended.lines.iter().for_each(|line| acknowledged.take(line));
        let looked = look(self.args.engine, &store, folder.path(), &acknowledged);
        (ended, looked, folder)
    }

    fn strike(&mut self, case: &Case) {
        let (ended, looked, folder) = self.struck(case, None);
        let report = &mut self.report;
        report.runs += 1;
        let mut wrong = None;
        match ended.end {
            _ if ended.stuck.is_some() => {
                report.stuck += 1;
                wrong = Some(ended.why());
            }
            Some(End::Well) => {
                report.went_on += 1;
                if case.call.ends_with("sync") && case.kind == "eio" {
                    report.went_on_after_failed_sync += 1;
                    wrong = Some("it went on after a failed sync".to_owned());
                }
            }
            Some(End::Halted) => report.halted += 1,
            Some(End::Refused) => report.refused += 1,
            Some(End::Found) => report.refused += 1,
            Some(End::Lost) => {
                report.lost += 1;
                wrong = Some(ended.why());
            }
            None => report.killed += 1,
        }
        // What was flipped on its way back may have been believed, and written: then it has to be noticed as well.
        let may_refuse = case.kind == "flip";
        match looked.end {
            Some(End::Well) => {}
            Some(End::Refused | End::Found | End::Halted) if may_refuse => {
                report.flips_detected += 1;
            }
            Some(End::Lost) => {
                report.lost += 1;
                wrong = Some(looked.why());
            }
            Some(End::Refused | End::Found | End::Halted) => {
                report.unopenable += 1;
                wrong = Some(looked.why());
            }
            None => {
                report.stuck += 1;
                wrong = Some(looked.why());
            }
        }
        if let Some(why) = wrong {
            let Case { start, index, call, file, kind } = case;
            self.talk.finding(&format!(
                "{kind} at call {index}, {call} of {file}, from {start:?}: {}; then: {why}",
                ended.why()
            ));
            if let Some(keep) = &self.args.keep {
                let name = format!(
                    "{}-{:?}-{}-{}",
                    self.args.engine.name(),
                    case.start,
                    case.index,
                    case.kind
                );
                copy(&folder.path().join("store"), &keep.join(name));
            }
        }
    }

    fn strike_twin(&mut self, case: &Case) {
        let (ended, looked, _folder) = self.struck(case, Some("retry"));
        self.report.twin_runs += 1;
        let caught = [ended.end, looked.end]
            .iter()
            .any(|end| matches!(end, Some(End::Lost | End::Refused | End::Found)));
        self.report.twin_caught += usize::from(caught);
    }
}
