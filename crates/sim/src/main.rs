//! The simulator's command line. Data goes to stdout, everything else to stderr.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks")]

mod args;
mod show;

use std::{process::ExitCode, time::Duration};

use args::{Args, Output};
use clap::Parser as _;
use indicatif::{ProgressBar, ProgressStyle};
use orderkeep_sim::{
    Plan, draw,
    explore::{self, Exploration, Summary},
    plan::scripts,
    run,
    shrink::shrink,
};

/// Half of a run is small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    match (args.seed, args.script.as_deref()) {
        (Some(seed), _) => replay(draw(seed, args.twin)),
        (None, Some("")) => play(&args),
        (None, Some(name)) => match scripts().into_iter().find(|script| script.name == name) {
            Some(script) => replay(script.plan),
            None => {
                eprintln!(
                    "no script is called {name}: people-0, answers-0, copies-0, locks-0, ends-0 and so on"
                );
                ExitCode::from(2)
            }
        },
        (None, None) => campaign(&args),
    }
}

/// All scripts.
fn play(args: &Args) -> ExitCode {
    let scripts = scripts();
    let summary = explore::play(&scripts, args.threads);
    report(args, &summary);
    for failed in &summary.failed {
        let script = usize::try_from(failed.seed).ok().and_then(|seed| scripts.get(seed));
        eprintln!("FAILED: --script {}", script.map_or("?", |script| script.name.as_str()));
    }
    if summary.failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One run, told from its start to its end; a failing one is told shrunk as well.
fn replay(plan: Plan) -> ExitCode {
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
    let summary = explore::explore(&exploration, &|done, failures| {
        bar.set_position(done);
        if failures > 0 {
            bar.set_message(format!("{failures} FAILED"));
        }
    });
    bar.finish_and_clear();
    report(args, &summary);
    judge(args, &summary)
}

fn report(args: &Args, summary: &Summary) {
    match args.output {
        Output::Json => show::json(summary),
        Output::Table => show::summary(summary),
    }
    if args.cells {
        show::cells(&summary.cells);
    }
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
