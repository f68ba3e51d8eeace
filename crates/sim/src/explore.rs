//! Many seeds, on one thread or several.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

use serde::Serialize;

use crate::{
    Twin, Violation,
    coverage::{self, Cells},
    plan::{self, Plan, Script},
    run,
};

/// What came of many seeds.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// Seeds that were run.
    pub seeds: u64,
    /// Those that broke a rule.
    pub failures: u64,
    /// How many were run in a second.
    pub seeds_per_s: f64,
    /// Orders that were taken.
    pub orders: u64,
    /// How much time passed in the runs.
    pub simulated_years: f64,
    /// What struck, and how often.
    pub faults: BTreeMap<String, u64>,
    /// The failures, lowest seed first; at most [`FAILED_MAX`].
    pub failed: Vec<Failed>,
    /// The cells of the state table that were visited, if they were counted.
    #[serde(skip)]
    pub cells: Cells,
    #[serde(skip)]
    virtual_ms: i64,
}

/// A seed that broke a rule.
#[derive(Debug, Clone, Serialize)]
pub struct Failed {
    /// Which one.
    pub seed: u64,
    /// How.
    pub violation: Violation,
}

/// Failures that are kept one by one.
pub const FAILED_MAX: usize = 1_000;

/// What to run.
#[derive(Debug, Clone)]
pub struct Exploration {
    /// Which seeds.
    pub seeds: Range<u64>,
    /// What is broken on purpose.
    pub twin: Option<Twin>,
    /// On so many threads.
    pub threads: usize,
    /// Stop at the first failure.
    pub stop_at_first: bool,
    /// Count the cells of the state table.
    pub count_cells: bool,
}

/// Seeds that a thread takes at once.
const SLICE: u64 = 64;

/// Runs them. `progress` is told now and then how many were run, and how many of them failed.
pub fn explore(exploration: &Exploration, progress: &(dyn Fn(u64, u64) + Sync)) -> Summary {
    run_all(exploration, &|seed| plan::draw(seed, exploration.twin), progress)
}

/// Runs the scripts, and counts the cells that they visit.
pub fn play(scripts: &[Script], threads: usize) -> Summary {
    let exploration = Exploration {
        seeds: 0..scripts.len() as u64,
        twin: None,
        threads,
        stop_at_first: false,
        count_cells: true,
    };
    let plan = |number: u64| {
        let script = usize::try_from(number).ok().and_then(|number| scripts.get(number));
        script.map_or_else(|| plan::draw(number, None), |script| script.plan.clone())
    };
    run_all(&exploration, &plan, &|_, _| {})
}

fn run_all(
    exploration: &Exploration,
    plan: &(dyn Fn(u64) -> Plan + Sync),
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Summary {
    let started = Instant::now();
    let next = AtomicU64::new(exploration.seeds.start);
    let (done, failures) = (AtomicU64::new(0), AtomicU64::new(0));
    let work = || {
        let counting = exploration.count_cells.then(coverage::count);
        let mut summary = Summary::default();
        loop {
            let from = next.fetch_add(SLICE, Ordering::Relaxed);
            let to = (from + SLICE).min(exploration.seeds.end);
            if from >= to || (exploration.stop_at_first && failures.load(Ordering::Relaxed) > 0) {
                break;
            }
            let before = summary.failures;
            for seed in from..to {
                summary.take(seed, run(plan(seed), false));
                if exploration.stop_at_first && summary.failures > 0 {
                    break;
                }
            }
            failures.fetch_add(summary.failures - before, Ordering::Relaxed);
            let done = done.fetch_add(to - from, Ordering::Relaxed) + (to - from);
            progress(done, failures.load(Ordering::Relaxed));
        }
        summary.cells = counting.map(|counting| counting.cells()).unwrap_or_default();
        summary
    };
    let summaries: Vec<Summary> = thread::scope(|scope| {
        let threads: Vec<_> = (0..exploration.threads.max(1)).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| match thread.join() {
                Ok(summary) => summary,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    let mut all = Summary::default();
    for summary in summaries {
        all.add(summary);
    }
    all.failed.sort_by_key(|failed| failed.seed);
    all.failed.truncate(FAILED_MAX);
    let seconds = started.elapsed().as_secs_f64();
    all.seeds_per_s = (all.seeds as f64 / seconds * 10.0).round() / 10.0;
    all.simulated_years = (all.virtual_ms as f64 / 31_557_600.0).round() / 1_000.0;
    all
}

impl Summary {
    fn take(&mut self, seed: u64, report: crate::Report) {
        self.seeds += 1;
        self.orders += report.orders;
        self.virtual_ms += report.virtual_ms;
        for (name, count) in report.faults {
            *self.faults.entry(name).or_insert(0) += count;
        }
        if let Some(violation) = report.violation {
            self.failures += 1;
            if self.failed.len() < FAILED_MAX {
                self.failed.push(Failed { seed, violation });
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.failures += other.failures;
        self.orders += other.orders;
        self.virtual_ms += other.virtual_ms;
        for (name, count) in other.faults {
            *self.faults.entry(name).or_insert(0) += count;
        }
        self.failed.extend(other.failed);
        coverage::add(&mut self.cells, other.cells);
    }
}
