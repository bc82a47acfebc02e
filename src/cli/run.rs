//! `bertbench run`

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Instant;

use super::best_scores;
use super::error::{CommandOutcome, Error, say};
use super::experiment_args::{ExperimentArgs, OnlyArgs};
use super::progress::Display;
use super::ranks::{self, threads_of_rank};
use super::report::{PAUSE, Pages};
use super::table::print;
use super::threads::cores;
use super::threads::{MOST, note_too_many};
use super::worker;
use crate::exec::{Executor, Job, Local, Options, StopFlag, Summary};
use crate::plan::Plan;
use crate::resolve::Prepared;
use crate::store::{RunsRoot, atomic};
use crate::train::launched;

/// Run the missing runs of an experiment, longest first.
///
/// Every finished run leaves a record under runs/; a failed run is recorded with its cause while the others continue.
/// Ctrl-C finishes the current optimisation step and stops; the same command resumes later. Several processes, on one
/// or more machines that share the runs folder, share the work. A program built with `--features mpi` and started by
/// mpirun or srun shares each run among the processes: docs/clusters.md.
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
    /// Write the report to reports/NAME as runs finish, and end with the best score of each task and model.
    #[arg(long)]
    report: bool,
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
    if let Some(ended) = ranks::follow(args.threads)? {
        return Ok(ended);
    }
    let how =
        How { slots: args.slots, threads: args.threads, retry_failed: args.retry_failed, fail_fast: args.fail_fast };
    let prepared = args.experiment.prepare()?;
    let sweep = Sweep::of(&prepared, &args.only.of(&prepared.plan)?)?;
    let file = &args.experiment.file;
    if !args.report {
        let ended = sweep.run(how, false)?;
        let outcome = conclude(&prepared.plan.experiment, &ended)?;
        say_next(file, &ended);
        return Ok(outcome);
    }
    let mut pages =
        Pages::new(RunsRoot::new(&args.experiment.runs), vec![file.clone()], args.experiment.set.clone(), None);
    let ended = while_reporting(&mut pages, || sweep.run(how, false))?;
    let (page, _) = pages.write()?;
    let best = best_scores::best(pages.input.experiments.iter().flat_map(|of| &of.records));
    if !best.is_empty() {
        print(&format_args!("{}\n", best_scores::lines(&best)))?;
    }
    let outcome = conclude(&prepared.plan.experiment, &ended)?;
    print(&format_args!("report: {}", page.display()))?;
    Ok(outcome)
}

/// Carries out `run`, and meanwhile writes the page from the first finished runs on.
fn while_reporting(pages: &mut Pages, run: impl FnOnce() -> Result<Ended, Error>) -> Result<Ended, Error> {
    std::thread::scope(|scope| {
        let (ends, is_over) = mpsc::channel::<()>();
        scope.spawn(move || {
            let mut pause = PAUSE;
            while let Err(RecvTimeoutError::Timeout) = is_over.recv_timeout(pause) {
                let started = Instant::now();
                // What goes wrong is said when the page is written at the end.
                drop(pages.write_if_changed());
                pause = PAUSE.max(10 * started.elapsed());
            }
        });
        let ended = run();
        drop(ends);
        ended
    })
}

/// Says what can be done now.
fn say_next(file: &Path, ended: &Ended) {
    let file = file.display();
    match ended.summary {
        Summary { interrupted: 1.., .. } => say(&"next: the same command runs what is missing"),
        Summary { failed: 1.., .. } => {
            say(&format_args!(
                "next: `bertbench status {file}` says why runs failed\n      \
                 `bertbench run {file} --retry-failed` runs them again"
            ));
        }
        _ => say(&format_args!("next: `bertbench report {file}`")),
    }
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
    prepared: &'a Prepared,
    jobs: Vec<Job>,
}

impl<'a> Sweep<'a> {
    /// The runs of `plan`, and the pretraining runs that they start from.
    fn of(prepared: &'a Prepared, plan: &Plan) -> Result<Self, Error> {
        prepared.store_plans(plan)?;
        atomic::clean(&prepared.context.features).map_err(|error| Error::System(error.to_string()))?;
        Ok(Self { prepared, jobs: prepared.jobs(plan) })
    }

    fn run(&self, how: How, shows_log: bool) -> Result<Ended, Error> {
        let prepared = self.prepared;
        let experiments: BTreeSet<&str> = self.jobs.iter().map(|job| job.experiment.as_str()).collect();
        experiments.iter().try_for_each(|experiment| prepared.root.clean(experiment))?;
        let threads = how.threads.map(|threads| threads as usize);
        let launched = launched();
        let (slots, threads_per_slot) = if let Some(launched) = launched {
            ranks::check(launched, how.slots, &self.jobs)?;
            (1, threads_of_rank(threads, launched))
        } else {
            prepared.slots(&self.jobs, cores(), how.slots.map(|slots| slots as usize), threads)
        };
        note_too_many(slots, threads_per_slot);
        let command = |context| worker::command(context, threads_per_slot, launched.is_some());
        let workers = prepared.contexts().iter().map(command).collect::<Result<_, _>>()?;
        let executor = Executor::Local(Local { slots, threads_per_slot, workers, leads_ranks: launched.is_some() });
        let options = Options { retry_failed: how.retry_failed, fail_fast: how.fail_fast };
        let stop = StopFlag::on_signals()?;
        let costs = self.jobs.iter().map(|job| (job.id.clone(), job.cost.0)).collect();
        let mut display = Display::new(&prepared.plan.experiment, costs, shows_log);
        let summary = executor.execute(&prepared.root, self.jobs.clone(), options, &mut display, &stop)?;
        Ok(Ended { summary, stopped: stop.is_set(), saved: display.saved })
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
