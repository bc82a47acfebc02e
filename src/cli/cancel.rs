//! `bertbench cancel`

use super::experiment_args::ExperimentArgs;
use crate::diagnostic::Error;
use crate::exec::slurm::{self, Queue};
use crate::store::RunsRoot;
use crate::terminal::print;

/// Cancel what `submit` has queued of an experiment.
///
/// Array tasks that run stop after the current optimisation step; their runs stay missing, and go on from their
/// checkpoints when they are run again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    experiment: ExperimentArgs,
}

pub(super) fn execute(args: &Args) -> Result<(), Error> {
    let request = args.experiment.request();
    let (name, root) = (request.load()?.base().name.clone(), RunsRoot::new(&request.runs));
    let queue = Queue::of(&root, &name)?.unwrap_or_default();
    let (jobs, tasks): (Vec<String>, Vec<usize>) = queue.jobs().clone().into_iter().unzip();
    if !jobs.is_empty() {
        slurm::cancel(&jobs)?;
    }
    let listed = if jobs.is_empty() { "none".to_owned() } else { jobs.join(", ") };
    Ok(print(&format_args!("{name}: {} array tasks cancelled, jobs: {listed}", tasks.iter().sum::<usize>()))?)
}
