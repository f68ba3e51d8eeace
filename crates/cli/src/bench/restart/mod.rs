//! `orderkeep bench restart`: a daemon over many open orders that is stopped and killed while callers submit, and is
//! started again at once.
//!
//! Provider and daemon are processes of their own on loopback. What counts is when it answers again, and that every
//! order that it ever said it has is there afterwards.

mod callers;
mod daemon;

use std::time::Instant;

use serde::Serialize;

use super::{args::BenchRestartArgs, disk, parked};
use crate::{
    args::OutputFormat,
    exit::{Failure, say},
    output,
};
use callers::{Acknowledged, Callers};
use daemon::{End, Stage};

/// The slowest of all rounds, in seconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Slowest {
    /// From the signal until the process had ended.
    ended_s: f64,
    /// From the start of the next process until it answered `/readyz` with 200.
    ready_s: f64,
}

#[derive(Debug, Serialize)]
struct Figures {
    /// Open orders before the first end.
    open: u64,
    rounds: u32,
    inflight: usize,
    /// Until the first process answered, after everything was stored.
    first_ready_s: f64,
    sigterm: Slowest,
    kill_9: Slowest,
    /// Orders that callers were told of while all this happened.
    acknowledged: usize,
    /// Of those, and of those before, the ones that were not there at the end.
    lost: usize,
    /// Creates beyond one for a lock.
    duplicate_creates: u64,
}

pub(super) async fn run(args: BenchRestartArgs) -> Result<(), Failure> {
    let folder = disk::folder(args.data.as_deref())?;
    say(format_args!("storing {} orders ...", args.orders));
    let stored = parked::load::run(folder.path(), args.orders).await?;
    let stage = Stage::new(folder.path(), args.program.clone()).await?;
    let started = Instant::now();
    let mut daemon = stage.start().await?;
    let first_ready_s = started.elapsed().as_secs_f64();
    let mut callers = Callers::start(&stage, args.inflight)?;
    let (mut sigterm, mut kill_9) = (Slowest::default(), Slowest::default());
    for round in 1..=args.rounds {
        for (end, slowest) in [(End::Terminate, &mut sigterm), (End::Kill, &mut kill_9)] {
            callers.told_more(args.between).await;
            let ended = daemon.end(end).await?;
            if args.forgetful_twin {
                std::fs::remove_dir_all(parked::store_folder(folder.path()))
                    .map_err(Failure::failed)?;
            }
            let started = Instant::now();
            daemon = stage.start().await?;
            let ready = started.elapsed();
            let (ended, ready) = (ended.as_secs_f64(), ready.as_secs_f64());
            slowest.ended_s = slowest.ended_s.max(ended);
            slowest.ready_s = slowest.ready_s.max(ready);
            say(format_args!(
                "round {round} of {}, {}: ended after {ended:.2} s, ready {ready:.2} s after its start",
                args.rounds,
                end.name()
            ));
        }
    }
    let mut known = callers.stop().await?;
    let acknowledged = known.len();
    known.extend(
        stored.sample.iter().map(|names| Acknowledged {
            id: names.id.to_string(),
            lock_id: names.lock.to_string(),
        }),
    );
    let lost = stage.missing(&known).await?;
    let figures = Figures {
        open: args.orders,
        rounds: args.rounds,
        inflight: args.inflight,
        first_ready_s,
        sigterm,
        kill_9,
        acknowledged,
        lost,
        duplicate_creates: stage.duplicate_creates().await?,
    };
    drop(daemon);
    shown(&figures, args.output);
    if figures.lost > 0 || figures.duplicate_creates > 0 {
        return Err(Failure::failed("orders were lost, or made twice"));
    }
    Ok(())
}

fn shown(figures: &Figures, format: OutputFormat) {
    match format {
        OutputFormat::Json => output::json(figures),
        OutputFormat::Table => {
            let row = |end: &str, slowest: Slowest| {
                [
                    end.to_owned(),
                    format!("{:.2}", slowest.ended_s),
                    format!("{:.2}", slowest.ready_s),
                ]
            };
            output::table(
                ["end", "slowest end s", "slowest ready s"],
                [row("SIGTERM", figures.sigterm), row("SIGKILL", figures.kill_9)],
            );
            output::line(format!(
                "{} open orders, {} more acknowledged meanwhile: {} lost, {} created twice",
                figures.open, figures.acknowledged, figures.lost, figures.duplicate_creates
            ));
        }
    }
}
