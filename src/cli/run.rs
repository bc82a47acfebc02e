//! `bertbench run`

use std::collections::BTreeSet;

use super::error::{CommandOutcome, Error};
use super::experiment_args::{ExperimentArgs, OnlyArgs};
use super::progress::Display;
use super::table::print;
use super::threads::cores;
use super::threads::{MOST, note_too_many};
use super::worker;
use crate::exec::{Executor, Job, Local, Options, StopFlag, Summary};
use crate::plan::{Plan, PlannedRun, flops, model_parameters};
use crate::resolve::Prepared;
use crate::store::{PlanFile, RunsRoot, atomic};
use crate::train::RunContext;
use crate::units::Flops;

/// Run the missing runs of an experiment, longest first.
///
/// Every finished run leaves a record under runs/; a failed run is recorded with its cause while the others continue.
/// Ctrl-C finishes the current optimisation step and stops; the same command resumes later. Several processes, on one
/// or more machines that share the runs folder, share the work.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    only: OnlyArgs,
    /// The number of runs at the same time [default: the file's `slots`, else one per CPU core (or per `--threads`
    /// cores) as far as memory allows, and one on a GPU].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    slots: Option<u32>,
    /// Threads per run [default: the cores divided by the slots]. Their number does not change results.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST))]
    threads: Option<u32>,
    /// Run failed runs again; otherwise they stay failed.
    #[arg(long)]
    retry_failed: bool,
    /// Stop at the first failure; runs in progress stay missing.
    #[arg(long)]
    fail_fast: bool,
    #[command(flatten)]
    experiment: ExperimentArgs,
}

const EXAMPLES: &str = "\
Examples:
  bertbench run experiments/mini.yaml
  bertbench run experiments/mini.yaml --only task=rte,task=wnli,seed=1
  bertbench run experiments/mini.yaml --set experiment=mini-64 --set training.max_length=64
  bertbench run experiments/mini.yaml --retry-failed --slots 1
  bertbench run experiments/stsb-minilm.yaml --threads 2         one run at a time on two cores";

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let how =
        How { slots: args.slots, threads: args.threads, retry_failed: args.retry_failed, fail_fast: args.fail_fast };
    let prepared = args.experiment.prepare()?;
    let sweep = Sweep::of(&prepared, &args.only.of(&prepared.plan)?)?;
    conclude(&prepared.plan.experiment, &sweep.run(how, false)?)
}

/// Runs what is missing of an experiment; what failed before is tried again.
pub(super) fn all(prepared: &Prepared) -> Result<CommandOutcome, Error> {
    let how = How { slots: None, threads: None, retry_failed: true, fail_fast: false };
    conclude(&prepared.plan.experiment, &Sweep::of(prepared, &prepared.plan)?.run(how, false)?)
}

/// As [`all`], of an experiment with one run, whose log is shown.
pub(super) fn single(prepared: &Prepared, threads: Option<u32>) -> Result<Ended, Error> {
    let how = How { slots: Some(1), threads, retry_failed: true, fail_fast: false };
    Sweep::of(prepared, &prepared.plan)?.run(how, true)
}

/// How a sweep ended.
pub(super) struct Ended {
    pub(super) summary: Summary,
    /// Whether the user stopped it.
    pub(super) stopped: bool,
    /// The step of the last checkpoint that a run told of.
    pub(super) saved: u64,
}

/// What is to be run.
struct Sweep<'a> {
    experiment: &'a str,
    root: &'a RunsRoot,
    context: &'a RunContext,
    /// The file's `slots`.
    slots: Option<u32>,
    jobs: Vec<Job>,
    /// Parameters of the largest model.
    largest: u64,
    device: &'a str,
}

impl<'a> Sweep<'a> {
    /// The runs of `plan`, and the pretraining runs that they start from.
    fn of(prepared: &'a Prepared, plan: &Plan) -> Result<Self, Error> {
        PlanFile::add(&prepared.root, &prepared.plan.experiment, prepared.stored())?;
        atomic::clean(&prepared.context.features).map_err(|error| Error::System(error.to_string()))?;
        let needed = prepared.needed(plan);
        let mut jobs: Vec<Job> = Vec::new();
        for (of, run) in &needed {
            PlanFile::add(&of.root, &of.plan.experiment, of.stored())?;
            jobs.push(Job::new(&of.plan.experiment, run.settings.clone(), work(run)));
        }
        jobs.extend(plan.runs.iter().map(|run| Job::new(&plan.experiment, run.settings.clone(), work(run))));
        let of_needed = needed.iter().map(|(_, run)| model_parameters(&run.settings));
        let of_runs = plan.runs.iter().map(|run| model_parameters(&run.settings));
        Ok(Self {
            experiment: &prepared.plan.experiment,
            root: &prepared.root,
            context: &prepared.context,
            slots: prepared.experiment.slots(),
            jobs,
            largest: of_needed.chain(of_runs).max().unwrap_or(1),
            device: prepared.device.name,
        })
    }

    fn run(&self, how: How, shows_log: bool) -> Result<Ended, Error> {
        let experiments: BTreeSet<&str> = self.jobs.iter().map(|job| job.experiment.as_str()).collect();
        experiments.iter().try_for_each(|experiment| self.root.clean(experiment))?;
        let threads = how.threads.map(|threads| threads as usize);
        let slots = how.slots.or(self.slots).map(|slots| slots as usize);
        let slots = slots.unwrap_or_else(|| self.fitting_slots(threads.unwrap_or(1)));
        let threads_per_slot = threads.unwrap_or_else(|| (cores() / slots.max(1)).max(1));
        note_too_many(slots, threads_per_slot);
        let worker = worker::command(self.context, threads_per_slot)?;
        let executor = Executor::Local(Local { slots, threads_per_slot, worker });
        let options = Options { retry_failed: how.retry_failed, fail_fast: how.fail_fast };
        let stop = StopFlag::on_signals()?;
        let costs = self.jobs.iter().map(|job| (job.id.clone(), job.cost.0)).collect();
        let mut display = Display::new(self.experiment, costs, shows_log);
        let summary = executor.execute(self.root, self.jobs.clone(), options, &mut display, &stop)?;
        Ok(Ended { summary, stopped: stop.is_set(), saved: display.saved })
    }

    /// So many threads a run, as long as all models fit into half of the memory with their optimizer's state;
    /// a GPU does one run at a time.
    fn fitting_slots(&self, threads: usize) -> usize {
        /// Weight, gradient and two moments, and as much again for what a step keeps.
        const BYTES_PER_PARAMETER: u64 = 32;
        if self.device != "cpu" {
            return 1;
        }
        let memory = crate::store::host("cpu", 1).memory.0;
        let fitting = memory / 2 / (self.largest * BYTES_PER_PARAMETER).max(1);
        // More slots than runs would leave cores without work.
        (fitting as usize).clamp(1, (cores() / threads).max(1)).min(self.jobs.len().max(1))
    }
}

/// How runs are made, as [`Args`] say.
#[derive(Clone, Copy)]
struct How {
    slots: Option<u32>,
    threads: Option<u32>,
    retry_failed: bool,
    fail_fast: bool,
}

/// How much a run computes, in forward passes: the measure of the order and of the remaining time.
fn work(run: &PlannedRun) -> Flops {
    Flops(flops(run))
}

fn conclude(experiment: &str, ended: &Ended) -> Result<CommandOutcome, Error> {
    let Summary { done, skipped, failed, interrupted, blocked } = ended.summary;
    let waited = if blocked > 0 { format!(", {blocked} without their pretraining") } else { String::new() };
    print(&format_args!(
        "{experiment}: {done} done now, {skipped} before, {failed} failed, {interrupted} interrupted{waited}"
    ))?;
    Ok(match (interrupted, failed + blocked) {
        (0, 0) => CommandOutcome::Success,
        // A sweep that a failure stopped was not interrupted by its user.
        (_, 1..) if !ended.stopped => CommandOutcome::Failures,
        (0, _) => CommandOutcome::Failures,
        // Nobody stopped it: the disk was full.
        _ if !ended.stopped => CommandOutcome::Failures,
        _ => CommandOutcome::Interrupted,
    })
}
