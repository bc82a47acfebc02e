//! `bertbench bench`

mod encoders;
mod step;

use clap::Subcommand;

use crate::diagnostic::Error;

/// Measure how fast this machine trains.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Step(step::Args),
    Encoders(encoders::Args),
}

pub(super) fn execute(command: &Command) -> Result<(), Error> {
    match command {
        Command::Step(args) => step::execute(args),
        Command::Encoders(args) => encoders::execute(args),
    }
}
