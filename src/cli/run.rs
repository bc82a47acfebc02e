//! `bertbench run`

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Instant;

use super::CommandOutcome;
use super::experiment_args::{ExperimentArgs, OnlyArgs};
use super::report::PAUSE;
use super::threads::{MOST, compute, note_too_many};
use crate::diagnostic::Error;
use crate::exec::{Options, Summary, worker};
use crate::gather::Pages;
use crate::plan::Plan;
use crate::resolve::Prepared;
use crate::store::{RunsRoot, best_runs};
use crate::sweep::{Ended, How, Sweep, threads_of_rank};
use crate::terminal::{Column, SweepDisplay, note, note_text, print, say, table};
use crate::train::{self, connect, launched};

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

/// Failed runs are run again, and none of them stops the others.
const RETRY: Options = Options { retry_failed: true, fail_fast: false };

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    if let Some(ended) = follow(args.threads)? {
        return Ok(ended);
    }
    let options = Options { retry_failed: args.retry_failed, fail_fast: args.fail_fast };
    let how = How { slots: args.slots, threads: args.threads, options };
    let prepared = args.experiment.prepare()?;
    let plan = args.only.of(&prepared.plan)?;
    let file = &args.experiment.file;
    if !args.report {
        let (ended, _) = run(&prepared, &plan, how, false)?;
        let outcome = conclude(&prepared.plan.experiment, &ended)?;
        say_next(file, &ended);
        return Ok(outcome);
    }
    let files = (vec![file.clone()], args.experiment.set.clone());
    let mut pages = Pages::new(RunsRoot::new(&args.experiment.runs), files, None, note_text);
    let ended = while_reporting(&mut pages, || Ok(run(&prepared, &plan, how, false)?.0))?;
    let (page, _) = pages.write()?;
    let best = best_runs(pages.input.experiments.iter().flat_map(|of| &of.records));
    if !best.is_empty() {
        let columns = [Column::Text("task"), Column::Text("model"), Column::Text("metric"), Column::Number("best")];
        let rows = best.iter().map(|((task, model), record)| {
            let score = shown(record.primary_score());
            vec![(*task).to_owned(), (*model).to_owned(), record.primary_metric().to_owned(), score]
        });
        print(&format_args!("{}\n", table(&columns, rows)))?;
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

/// What this process does when it is not the first of those that MPI started: it computes what the first one tells.
///
/// # Errors
/// When MPI or the threads do not start.
pub(super) fn follow(threads: Option<u32>) -> Result<Option<CommandOutcome>, Error> {
    let Some(launched) = launched().filter(|launched| launched.rank > 0) else { return Ok(None) };
    worker::ignore_signals()?;
    let threads = threads_of_rank(threads.map(|threads| threads as usize), launched);
    compute(Some(threads + launched.threads_besides()), || {
        let ranks = connect(true)?;
        train::follow(&*ranks, |error| note(&format_args!("rank {}: {error}", launched.rank)))?;
        Ok(Some(CommandOutcome::Success))
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

/// The primary score of a run, as tables show it.
pub(super) fn shown(score: Option<f64>) -> String {
    score.map_or_else(|| "undefined".to_owned(), |score| format!("{score:.4}"))
}

/// Runs what is missing of an experiment; what failed before is tried again.
pub(super) fn all(prepared: &Prepared) -> Result<CommandOutcome, Error> {
    let how = How { slots: None, threads: None, options: RETRY };
    conclude(&prepared.plan.experiment, &run(prepared, &prepared.plan, how, false)?.0)
}

/// As [`all`], of an experiment with one run, whose log is shown; gives also the step of its last checkpoint.
pub(super) fn single(prepared: &Prepared, threads: Option<u32>) -> Result<(Ended, u64), Error> {
    let how = How { slots: Some(1), threads, options: RETRY };
    run(prepared, &prepared.plan, how, true)
}

/// Runs what is missing of `plan`, and shows how it goes; gives also the step of the last checkpoint that a run told of.
fn run(prepared: &Prepared, plan: &Plan, how: How, shows_log: bool) -> Result<(Ended, u64), Error> {
    let sweep = Sweep::of(prepared, plan)?;
    let places = sweep.places(how)?;
    note_too_many(places.slots, places.threads_per_slot);
    let mut display = SweepDisplay::new(&prepared.plan.experiment, sweep.costs(), shows_log);
    let ended = sweep.run(how, places, &mut display)?;
    Ok((ended, display.saved))
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
