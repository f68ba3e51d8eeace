//! The simulator's command line. Data goes to stdout, everything else to stderr.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks")]

mod args;
mod show;

use std::{process::ExitCode, time::Duration};

use args::{Args, Output};
use clap::Parser as _;
use indicatif::{ProgressBar, ProgressStyle};
use orderkeep_sim::{
    draw,
    explore::{Exploration, Summary, explore},
    run,
    shrink::shrink,
};

/// Half of a run is small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    match args.seed {
        Some(seed) => replay(&args, seed),
        None => campaign(&args),
    }
}

/// One seed, told from its start to its end; a failing one is told shrunk as well.
fn replay(args: &Args, seed: u64) -> ExitCode {
    let plan = draw(seed, args.twin);
    let report = run(plan.clone(), true);
    show::timeline(&plan, &report);
    let Some(violation) = report.violation else { return ExitCode::SUCCESS };
    eprintln!("shrinking ...");
    let (small, runs) = shrink(&plan, violation.rule);
    let report = run(small.clone(), true);
    println!("\nShrunk in {runs} runs:\n");
    show::timeline(&small, &report);
    ExitCode::FAILURE
}

fn campaign(args: &Args) -> ExitCode {
    let exploration = Exploration {
        seeds: args.from..args.from.saturating_add(args.seeds),
        twin: args.twin,
        threads: args.threads,
        stop_at_first: args.twin.is_some(),
        count_cells: args.cells,
    };
    let bar = ProgressBar::new(args.seeds);
    if let Ok(style) = ProgressStyle::with_template(
        "{elapsed_precise} {bar:30} {pos}/{len} seeds, {per_sec}, {eta} left {msg}",
    ) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_secs(1));
    let summary = explore(&exploration, &|done, failures| {
        bar.set_position(done);
        if failures > 0 {
            bar.set_message(format!("{failures} FAILED"));
        }
    });
    bar.finish_and_clear();
    match args.output {
        Output::Json => show::json(&summary),
        Output::Table => show::summary(&summary),
    }
    if args.cells {
        show::cells(&summary.cells);
    }
    judge(args, &summary)
}

/// Non-zero when a rule was broken: a failure, or a twin that was caught.
fn judge(args: &Args, summary: &Summary) -> ExitCode {
    let first = summary.failed.first();
    match (args.twin, first) {
        (None, None) => ExitCode::SUCCESS,
        (None, Some(failed)) => {
            eprintln!(
                "{} of {} seeds FAILED; first: --seed {}",
                summary.failures, summary.seeds, failed.seed
            );
            ExitCode::FAILURE
        }
        (Some(twin), Some(failed)) => {
            let name = twin.name();
            eprintln!("twin {name} was caught by seed {}: {}", failed.seed, failed.violation.rule);
            eprintln!("see it with: --twin {name} --seed {}", failed.seed);
            ExitCode::FAILURE
        }
        (Some(twin), None) => {
            eprintln!("twin {} was NOT caught in {} seeds", twin.name(), summary.seeds);
            ExitCode::SUCCESS
        }
    }
}
