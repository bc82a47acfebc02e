//! `bertbench worker`: the process that trains, started by `run` and talked to over its standard streams.

use std::io::{self, BufReader};

use super::threads;
use crate::diagnostic::Error;
use crate::exec::worker;
use crate::train::{Launched, RunContext, connect, end, launched, work};

/// Trains what the parent process asks for.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run context, as JSON.
    #[arg(long)]
    context: String,
    /// Compute together with the other processes that MPI started.
    #[arg(long)]
    ranks: bool,
}

pub(super) fn execute(args: &Args) -> Result<(), Error> {
    let context: RunContext = serde_json::from_str(&args.context)
        .map_err(|error| Error::System(format!("`worker` is started by `run`; its context is not valid: {error}")))?;
    // Its parent also sets RAYON_NUM_THREADS, for whatever makes a pool of its own.
    let besides = if args.ranks { launched().map_or(0, Launched::threads_besides) } else { 0 };
    threads::compute(Some(context.threads as usize + besides), || {
        let ranks = connect(args.ranks)?;
        worker::serve(BufReader::new(io::stdin()), io::stdout(), |job, folder, report, stop| {
            work(&context, job, folder, report, stop, &*ranks)
        })?;
        end(&*ranks);
        Ok(())
    })
}
