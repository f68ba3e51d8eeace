//! A store that no engine has open: looked at and worked on from the command line.

pub(crate) mod args;
mod backup;
mod check;
mod compact;
mod hold;
mod place;
mod progress;
mod restore;
mod transfer;

use crate::exit::Failure;

use args::{StoreArgs, StoreCommand};
use place::Place;

pub(crate) async fn run(args: StoreArgs) -> Result<(), Failure> {
    let place = Place::of(args.place)?;
    match args.command {
        StoreCommand::Check => check::run(&place, args.output).await,
        StoreCommand::Export { to } => {
            blocking(move || transfer::export(&place, to.as_deref(), args.output)).await
        }
        StoreCommand::Import { from } => {
            blocking(move || transfer::import(&place, from, args.output)).await
        }
        StoreCommand::Compact => blocking(move || compact::run(&place, args.output)).await,
        StoreCommand::Backup(backup) => backup::run(&place, &backup, args.output).await,
        StoreCommand::Restore(restore) => restore::run(&place, restore, args.output).await,
        StoreCommand::AcceptOlder => restore::accept_older(&place, args.output).await,
        StoreCommand::LiftHold(lift) => hold::lift(lift, args.output).await,
    }
}

/// Work that waits for the disk, off the runtime's threads.
async fn blocking(
    work: impl FnOnce() -> Result<(), Failure> + Send + 'static,
) -> Result<(), Failure> {
    tokio::task::spawn_blocking(work).await.map_err(Failure::failed)?
}
