//! `bertbench worker`: the process that trains, started by `run` and talked to over its standard streams.

use std::io::{self, BufReader};

use super::error::{CommandOutcome, Error};
use super::threads;
use crate::exec::{WorkerCommand, worker};
use crate::train::{RunContext, work};

/// Trains what the parent process asks for.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run context, as JSON.
    #[arg(long)]
    context: String,
}

/// The command that starts this program as a worker.
pub(super) fn command(context: &RunContext, threads: usize) -> Result<WorkerCommand, Error> {
    let context = RunContext { threads: threads as u32, ..context.clone() };
    let json = serde_json::to_string(&context).map_err(|error| Error::System(error.to_string()))?;
    Ok(WorkerCommand::this_program(&["worker", "--context", &json])?)
}

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let context: RunContext = serde_json::from_str(&args.context)
        .map_err(|error| Error::System(format!("`worker` is started by `run`; its context is not valid: {error}")))?;
    // Its parent also sets RAYON_NUM_THREADS, for whatever makes a pool of its own.
    threads::compute(Some(context.threads as usize), || {
        worker::serve(BufReader::new(io::stdin()), io::stdout(), |job, folder, report, stop| {
            work(&context, job, folder, report, stop)
        })?;
        Ok(CommandOutcome::Success)
    })
}
