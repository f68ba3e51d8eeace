//! Benchmarks: what the store and the engine cost, beside what the disk and the machine can do in the same minute.

pub(crate) mod args;
mod child;
mod disk;
mod engine;
mod life;
mod parked;
mod process;
mod restart;
mod store;

use crate::exit::Failure;
use args::BenchCommand;

pub(crate) async fn run(command: BenchCommand) -> Result<(), Failure> {
    match command {
        BenchCommand::Store(args) => store::run(args).await,
        BenchCommand::Parked(args) => parked::run(args).await,
        BenchCommand::Engine(args) => engine::run(args).await,
        BenchCommand::Restart(args) => restart::run(args).await,
    }
}
