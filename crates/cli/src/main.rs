//! The `orderkeep` binary: configuration and wiring. What it wires stands in the crates beside it.

mod args;
mod bench;
mod client;
mod config;
mod demo;
mod dev;
mod doctor;
mod events;
mod exit;
mod keys;
mod listen;
mod manual;
mod metrics;
mod orders;
mod otlp;
mod output;
mod sandbox;
mod serve;
mod settings;
mod store;
mod supervisor;
mod tls;
mod twin;
mod webhooks;

use clap::Parser;

use args::{Args, Command};
use exit::Failure;

/// Steps are allocated by tasks and freed by the store's thread, which the system's allocator pays dearly for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let args = Args::parse();
    exit::install_tls();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::new(exit::FAILED, format!("cannot start: {error}")).report(),
    };
    match runtime.block_on(run(args)) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

async fn run(args: Args) -> Result<(), Failure> {
    let log = args.log;
    match args.command {
        Command::Demo(args) => demo::run(args).await,
        Command::Serve(args) => serve::run(args, log).await,
        Command::Sandbox(args) => {
            exit::install_log(log, None)?;
            sandbox::run(args).await
        }
        Command::Dev(args) => {
            exit::install_log(log, None)?;
            dev::run(args).await
        }
        Command::Orders(args) => orders::run(args).await,
        Command::Store(args) => store::run(args).await,
        Command::Bench(command) => bench::run(command).await,
        Command::Events(args) => events::run(args).await,
        Command::Keys(args) => keys::run(args),
        Command::Doctor(args) => doctor::run(*args).await,
        Command::Config(command) => config::run(command),
        Command::Completions { shell } => {
            manual::completions(shell);
            Ok(())
        }
        Command::Man { folder } => manual::man(&folder),
        Command::Webhooks(args) => webhooks::run(args).await,
    }
}
