//! `bertbench bench`

mod encoders;
mod step;

use clap::Subcommand;

use super::outcome::CommandOutcome;
use crate::diagnostic::Error;

/// Measure how fast this machine trains.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Step(step::Args),
    Encoders(encoders::Args),
}

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    match &args.command {
        Command::Step(args) => step::execute(args),
        Command::Encoders(args) => encoders::execute(args),
    }
}
