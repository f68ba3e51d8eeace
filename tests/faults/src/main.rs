//! The store as a process under every fault: kill -9, power cuts, failing calls, damage at rest.
//!
//! Each campaign is a command; the ordinary test run has a short one of each. It exits with 1 when something was lost
//! without a word, did not open again, or did not come back, and when a twin that must fail was not caught.
//!
//! The harness starts itself as the child that is put under faults ([`child`]), keeps what that child has said
//! ([`acknowledged`]), and lets another child look for all of it.
#![expect(clippy::unwrap_used, reason = "a panic is the report")]

mod acknowledged;
mod at_rest;
mod child;
mod control;
mod engine;
mod full_disk;
mod kill;
mod mount;
mod power_cut;
mod preload;
mod process;
mod report;
mod syscalls;
mod workload;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The exit code of a campaign that cannot run here.
const SKIPPED: u8 = 77;

#[derive(Debug, Parser)]
#[command(name = "store-faults", about = "Puts the store under faults, and counts what it lost.")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// kill -9, a third of them while the store opens.
    Kill(kill::KillArgs),
    /// The power of a file system is cut, right after acknowledgements. Needs root, loop devices and `mkfs.ext4`.
    PowerCut(power_cut::PowerCutArgs),
    /// Every call that touches a file goes wrong once, in every way it can.
    Syscalls(syscalls::SyscallsArgs),
    /// Every 512-byte block of a store is flipped, zeroed, cut off.
    AtRest(at_rest::AtRestArgs),
    /// A real disk of a few MiB runs full, and gets room again. Needs root, loop devices and `mkfs.ext4`.
    FullDisk(full_disk::FullDiskArgs),
    /// The process that is put under faults.
    #[command(hide = true)]
    Child(child::ChildArgs),
}

fn main() -> ExitCode {
    match Args::parse().command {
        Command::Child(args) => child::run(&args),
        Command::Kill(args) => {
            let report = kill::run(&args);
            report::print(&report);
            exit(report.is_clean())
        }
        Command::Syscalls(args) => {
            let report = syscalls::run(&args);
            report::print(&report);
            exit(report.is_as_it_should_be())
        }
        Command::AtRest(args) => {
            let report = at_rest::run(&args);
            report::print(&report);
            exit(report.is_as_it_should_be())
        }
        Command::FullDisk(args) => match full_disk::run(&args) {
            Ok(report) => {
                report::print(&report);
                exit(report.is_as_it_should_be())
            }
            Err(missing) => skip(&missing),
        },
        Command::PowerCut(args) => match power_cut::run(&args) {
            Ok(reports) => {
                reports.iter().for_each(report::print);
                exit(power_cut::is_as_it_should_be(&reports))
            }
            Err(missing) => skip(&missing),
        },
    }
}

fn exit(clean: bool) -> ExitCode {
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Said, and told apart from "all is well" by whoever asks.
fn skip(missing: &std::io::Error) -> ExitCode {
    report::say(&format!("SKIPPED, this needs root, loop devices and mkfs.ext4: {missing}"));
    ExitCode::from(SKIPPED)
}
