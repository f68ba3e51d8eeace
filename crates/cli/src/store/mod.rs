//! A store that no engine has open: looked at and worked on from the command line.

pub(crate) mod args;
mod check;
mod place;

use crate::exit::Failure;

use args::{StoreArgs, StoreCommand};
use place::Place;

pub(crate) async fn run(args: StoreArgs) -> Result<(), Failure> {
    let place = Place::of(args.place)?;
    match args.command {
        StoreCommand::Check => check::run(&place, args.output).await,
    }
}
