//! The work of one job, as a worker process does it.

use std::time::{Duration, Instant};

use super::error::TrainError;
use super::observer::{Observer, StepReport};
use super::ranks::{Assignment, Ranks, announce};
use super::ready::RunContext;
use super::run::run;
use crate::exec::{Job, Phase, Progress, Report, StopFlag, Unfinished};
use crate::store::{Evaluation, Event, Failure, FailureKind, Record, RunFolder, StepEvent, says_out_of_memory};

/// Between two reports of progress.
const INTERVAL: Duration = Duration::from_millis(200);

/// Trains the run of `job` in its folder, as the leader of `ranks`, and gives its record: what
/// [`serve`](crate::exec::worker::serve) asks for.
///
/// # Errors
/// [`Unfinished`].
pub fn work(
    context: &RunContext,
    job: &Job,
    folder: &RunFolder,
    report: &mut dyn FnMut(Report),
    stop: &StopFlag,
    ranks: &dyn Ranks,
) -> Result<Record, Unfinished> {
    announce(ranks, &Assignment { context: context.clone(), job: job.clone() }).map_err(|error| Failure::of(&error))?;
    ranks.agree(Ok(())).map_err(|error| Failure::of(&error))?;
    let settings = &job.settings;
    let phases = settings.pretraining().map(|of| of.phases.len() as u32);
    let epochs = phases.unwrap_or_else(|| settings.epochs());
    let mut reporter = Reporter { epochs, logs: phases.is_some(), last: None, steps: 0, report, stop };
    run(context, &job.experiment, settings, folder, &mut reporter, ranks).map_err(|error| match error {
        TrainError::Stopped { .. } => Unfinished::Stopped,
        TrainError::Diverged { step, loss, gradient_norm } => {
            let cause = format!("step {step}: loss {loss}, gradient norm {gradient_norm}");
            Failure::now(FailureKind::Diverged, cause).into()
        }
        TrainError::DeviceFault(fault) => {
            let kind = if says_out_of_memory(&fault.0) { FailureKind::OutOfMemory } else { FailureKind::Device };
            Failure::now(kind, fault.to_string()).into()
        }
        TrainError::Checkpoint(_)
        | TrainError::Device(_)
        | TrainError::Precision(_)
        | TrainError::Tuning(_)
        | TrainError::Input(_)
        | TrainError::Store(_) => Failure::of(&error).into(),
    })
}

/// Reports to the parent how the run goes.
struct Reporter<'a> {
    epochs: u32,
    /// Whether lines of the log are reported: of a task every step has one.
    logs: bool,
    last: Option<Instant>,
    steps: u64,
    report: &'a mut dyn FnMut(Report),
    stop: &'a StopFlag,
}

impl Reporter<'_> {
    fn progress(&mut self, phase: Phase, step: u64, epoch: u32, loss: Option<f64>, tokens_per_second: f64) {
        self.last = Some(Instant::now());
        let (steps, epochs) = (self.steps, self.epochs);
        (self.report)(Report::Progress(Progress { phase, step, steps, epoch, epochs, loss, tokens_per_second }));
    }
}

impl Observer for Reporter<'_> {
    fn started(&mut self, step: u64, steps: u64) {
        self.steps = steps;
        if step > 0 {
            (self.report)(Report::Resumed { step, steps });
        }
        self.progress(Phase::Training, step, 1, None, 0.0);
    }

    fn note(&mut self, text: &str) {
        (self.report)(Report::Note(text.to_owned()));
    }

    fn step(&mut self, report: &StepReport) {
        if self.last.is_none_or(|last| last.elapsed() >= INTERVAL) || report.step == report.steps {
            let speed = report.tokens as f64 / report.seconds.0.max(f64::MIN_POSITIVE);
            self.progress(Phase::Training, report.step, report.epoch, Some(report.loss), speed);
        }
    }

    fn logged(&mut self, event: &StepEvent) {
        if self.logs {
            (self.report)(Report::Logged(Event::Step(*event)));
        }
    }

    fn evaluated(&mut self, evaluation: &Evaluation) {
        if self.logs {
            (self.report)(Report::Logged(Event::Evaluation(evaluation.clone())));
        }
        let phase = if evaluation.step == self.steps { Phase::Saving } else { Phase::Evaluation };
        self.progress(phase, evaluation.step, evaluation.epoch.unwrap_or(self.epochs), evaluation.train_loss, 0.0);
    }

    fn saved(&mut self, step: u64) {
        (self.report)(Report::Saved(step));
    }

    fn stop(&mut self) -> bool {
        self.stop.is_set()
    }
}
