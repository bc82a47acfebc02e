//! `bertbench run`

use super::prepare::{ExperimentArgs, OnlyArgs, Prepared, cores};
use super::progress::Display;
use super::table::print;
use super::threads::{MOST, note_too_many};
use super::{Ended, Error, plan_file, worker};
use crate::exec::{Executor, Job, Local, Options, StopFlag, Summary};
use crate::plan::{Plan, evaluation_flops, model_parameters, training_flops};
use crate::store::atomic;
use crate::units::Seconds;

/// Run what is missing of an experiment, longest runs first.
///
/// Every run that ends leaves a record under runs/; a run that fails is recorded with its cause and the
/// others go on. Ctrl-C finishes the current optimisation step and stops; the same command goes on
/// later. Several processes, on one or more machines with a common runs folder, share the work.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    only: OnlyArgs,
    /// How many runs go at the same time [default: the file's `slots`, else one a processor core (or
    /// `--threads` cores) as far as memory allows, and one on a GPU].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    slots: Option<u32>,
    /// Threads of each run [default: the cores divided by the slots]. Changes no digit of a result.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST))]
    threads: Option<u32>,
    /// Run again what failed before; otherwise it stays failed.
    #[arg(long)]
    retry_failed: bool,
    /// Stop at the first failure; what is at work then stays missing.
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

pub(super) fn execute(args: &Args) -> Result<Ended, Error> {
    let prepared = args.experiment.prepare()?;
    let plan = args.only.of(&prepared.plan)?;
    carry_out(
        &prepared,
        &plan,
        How { slots: args.slots, threads: args.threads, retry_failed: args.retry_failed, fail_fast: args.fail_fast },
    )
}

/// Runs what is missing of an experiment; what failed before is tried again.
pub(super) fn all(prepared: &Prepared) -> Result<Ended, Error> {
    carry_out(prepared, &prepared.plan, How { slots: None, threads: None, retry_failed: true, fail_fast: false })
}

/// How runs are made, as [`Args`] say.
#[derive(Clone, Copy)]
struct How {
    slots: Option<u32>,
    threads: Option<u32>,
    retry_failed: bool,
    fail_fast: bool,
}

fn carry_out(prepared: &Prepared, plan: &Plan, how: How) -> Result<Ended, Error> {
    plan_file::write(prepared)?;
    prepared.root.clean(&plan.experiment)?;
    atomic::clean(&prepared.context.features).map_err(|error| Error::System(error.to_string()))?;
    let jobs: Vec<Job> =
        plan.runs.iter().map(|run| Job::new(&plan.experiment, run.settings.clone(), work(run))).collect();
    let threads = how.threads.map(|threads| threads as usize);
    let slots = how.slots.or(prepared.experiment.slots).map(|slots| slots as usize);
    let slots = slots.unwrap_or_else(|| fitting_slots(plan, threads.unwrap_or(1)));
    let threads_per_slot = threads.unwrap_or_else(|| (cores() / slots.max(1)).max(1));
    note_too_many(slots, threads_per_slot);
    let worker = worker::command(&prepared.context, threads_per_slot)?;
    let executor = Executor::Local(Local { slots, threads_per_slot, worker });
    let options = Options { retry_failed: how.retry_failed, fail_fast: how.fail_fast };
    let stop = StopFlag::on_signals()?;
    let mut display = Display::new(plan, jobs.iter().map(|job| (job.id.clone(), job.forecast.0)).collect());
    let summary = executor.execute(&prepared.root, jobs, options, &mut display, &stop)?;
    conclude(prepared, &summary, stop.is_set())
}

/// How much work a run is, in forward operations: what the order and the remaining time are judged by.
fn work(run: &crate::plan::PlannedRun) -> Seconds {
    let settings = &run.settings;
    let evaluation = evaluation_flops(settings, run.dev_tokens.0, run.dev_examples);
    Seconds(training_flops(settings, run.tokens.0, run.examples) + f64::from(settings.epochs) * evaluation)
}

/// So many threads a run, as long as all models fit into half of the memory with their optimizer's state;
/// a GPU does one run at a time.
fn fitting_slots(plan: &Plan, threads: usize) -> usize {
    /// Weight, gradient and two moments, and as much again for what a step keeps.
    const BYTES_PER_PARAMETER: u64 = 32;
    if plan.runs.iter().any(|run| run.settings.device != "cpu") {
        return 1;
    }
    let largest = plan.runs.iter().map(|run| model_parameters(&run.settings)).max().unwrap_or(1);
    let memory = crate::store::host("cpu", 1).memory.0;
    let fitting = memory / 2 / (largest * BYTES_PER_PARAMETER).max(1);
    (fitting as usize).clamp(1, (cores() / threads).max(1))
}

fn conclude(prepared: &Prepared, summary: &Summary, stopped: bool) -> Result<Ended, Error> {
    let Summary { done, skipped, failed, interrupted, blocked } = *summary;
    let waited = if blocked > 0 { format!(", {blocked} without their pretraining") } else { String::new() };
    print(&format_args!(
        "{}: {done} done now, {skipped} before, {failed} failed, {interrupted} interrupted{waited}",
        prepared.plan.experiment
    ))?;
    Ok(match (interrupted, failed + blocked) {
        (0, 0) => Ended::Well,
        // A sweep that a failure stopped was not interrupted by its user.
        (_, 1..) if !stopped => Ended::WithFailures,
        (0, _) => Ended::WithFailures,
        _ => Ended::Interrupted,
    })
}
