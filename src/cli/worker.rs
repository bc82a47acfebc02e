//! `bertbench worker`: the process that trains, started by `run` and talked to over its standard streams.

use std::io::{self, BufReader};
use std::time::{Duration, Instant};

use super::error::{CommandOutcome, Error};
use super::threads;
use crate::exec::{Job, Phase, Progress, StopFlag, Unfinished, WorkerCommand, worker};
use crate::store::{Evaluation, Failure, FailureKind, Record, RunFolder};
use crate::train::{Observer, RunContext, StepReport, TrainError, run};

/// Trains what the parent process asks for.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run context, as JSON.
    #[arg(long)]
    context: String,
}

/// Between two progress messages.
const INTERVAL: Duration = Duration::from_millis(200);

/// The command that starts this program as a worker.
pub(super) fn command(context: &RunContext, threads: usize) -> Result<WorkerCommand, Error> {
    let context = RunContext { threads: threads as u32, ..context.clone() };
    let json = serde_json::to_string(&context).map_err(|error| Error::System(error.to_string()))?;
    Ok(WorkerCommand::this_program(&["worker", "--context", &json])?)
}

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let context: RunContext = serde_json::from_str(&args.context)
        .map_err(|error| Error::System(format!("`worker` is started by `run`; its context is not valid: {error}")))?;
    // Its parent also sets RAYON_NUM_THREADS, which whatever makes a pool of its own would heed.
    threads::compute(Some(context.threads as usize), || {
        worker::serve(BufReader::new(io::stdin()), io::stdout(), |job, folder, progress, stop| {
            train(&context, job, folder, progress, stop)
        })?;
        Ok(CommandOutcome::Success)
    })
}

fn train(
    context: &RunContext,
    job: &Job,
    folder: &RunFolder,
    progress: &mut dyn FnMut(Progress),
    stop: &StopFlag,
) -> Result<Record, Unfinished> {
    let settings = &job.settings;
    let epochs = settings.pretraining().map_or_else(|| settings.epochs(), |of| of.phases.len() as u32);
    let mut reporter = Reporter { epochs, last: None, steps: 0, progress, stop };
    run(context, &job.experiment, settings, folder, &mut reporter).map_err(|error| match error {
        TrainError::Stopped { .. } => Unfinished::Stopped,
        TrainError::Diverged { step, loss, gradient_norm } => {
            let cause = format!("step {step}: loss {loss}, gradient norm {gradient_norm}");
            Failure::now(FailureKind::Diverged, cause).into()
        }
        TrainError::Checkpoint(_)
        | TrainError::Device(_)
        | TrainError::Precision(_)
        | TrainError::Input(_)
        | TrainError::Store(_) => Failure::now(FailureKind::Error, error.to_string()).into(),
    })
}

/// Reports to the parent how far the run is, a few times a second.
struct Reporter<'a> {
    epochs: u32,
    last: Option<Instant>,
    steps: u64,
    progress: &'a mut dyn FnMut(Progress),
    stop: &'a StopFlag,
}

impl Reporter<'_> {
    fn report(&mut self, phase: Phase, step: u64, epoch: u32, loss: Option<f64>, tokens_per_second: f64) {
        self.last = Some(Instant::now());
        let (steps, epochs) = (self.steps, self.epochs);
        (self.progress)(Progress { phase, step, steps, epoch, epochs, loss, tokens_per_second });
    }
}

impl Observer for Reporter<'_> {
    fn started(&mut self, step: u64, steps: u64) {
        self.steps = steps;
        self.report(Phase::Training, step, 1, None, 0.0);
    }

    fn step(&mut self, report: &StepReport) {
        if self.last.is_none_or(|last| last.elapsed() >= INTERVAL) || report.step == report.steps {
            let speed = report.tokens as f64 / report.seconds.0.max(f64::MIN_POSITIVE);
            self.report(Phase::Training, report.step, report.epoch, Some(report.loss), speed);
        }
    }

    fn evaluated(&mut self, evaluation: &Evaluation) {
        let phase = if evaluation.step == self.steps { Phase::Saving } else { Phase::Evaluation };
        self.report(phase, evaluation.step, evaluation.epoch.unwrap_or(self.epochs), evaluation.train_loss, 0.0);
    }

    fn stop(&mut self) -> bool {
        self.stop.is_set()
    }
}
