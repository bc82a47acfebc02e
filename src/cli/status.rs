//! `bertbench status`

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};

use serde_json::{Value, json};

use super::best_scores;
use super::error::{CommandOutcome, Error};
use super::experiment_args::ExperimentArgs;
use super::needed;
use super::plan::states;
use super::queue::{self, Queued};
use super::report::PAUSE;
use super::run_state::or_note;
use super::running::{self, Running};
use super::table::{Column, print, print_json, print_wrapped, table};
use crate::config::ExperimentFile;
use crate::resolve::Identity;
use crate::store::{Event, PretrainingObjective, Record, RunId};

/// Show how many runs are done, running, failed and missing, by task and model.
///
/// Of an experiment that was sent to a Slurm cluster also how many are queued and pre-empted, and on which node the
/// others run.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Show it again every two seconds, until no run is missing.
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    #[command(flatten)]
    experiment: ExperimentArgs,
}

/// How far a line that does not fit goes in where it goes on.
const INDENT: usize = 4;
const STATES: [&str; 4] = ["done", "running", "failed", "missing"];
/// A state that is shown only where a run is in it.
const DAMAGED: &str = "damaged";

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let identity = args.experiment.identify()?;
    loop {
        if args.watch && std::io::stdout().is_terminal() {
            // To the upper left corner, and clear the screen.
            std::io::stdout().write_all(b"\x1b[H\x1b[2J")?;
        }
        let states = match identity.experiment {
            ExperimentFile::Pretraining(_) => pretraining(&identity, args.json)?,
            ExperimentFile::Tasks(_) => tasks(&identity, args.json)?,
        };
        if !args.watch || states.values().all(|state| ["done", "failed"].contains(state)) {
            return Ok(CommandOutcome::Success);
        }
        std::thread::sleep(PAUSE);
        if !std::io::stdout().is_terminal() {
            print(&"")?;
        }
    }
}

/// How far each run is, in a word.
type States = BTreeMap<RunId, &'static str>;

/// `bertbench status` of an experiment with tasks.
fn tasks(identity: &Identity, as_json: bool) -> Result<States, Error> {
    let (name, runs) = (identity.experiment.name(), &identity.runs);
    let settings = || runs.iter().map(|run| &run.settings);
    let mut states = states(&identity.root, name, settings())?;
    let ids = runs.iter().map(|run| (&run.id, &run.settings));
    let queue = queue::states(&identity.root, name, ids, &mut states)?;
    let words = words(&states, queue.is_some());
    let needed = identity.needed();
    let needed = needed.iter().map(|(experiment, run)| (*experiment, &run.id, &run.settings));
    let starts_from = needed::states(&identity.root, needed)?;
    let mut counts: BTreeMap<(&str, &str), BTreeMap<&str, usize>> = BTreeMap::new();
    for run in runs {
        let of = counts.entry((run.settings.task_name(), &run.settings.model)).or_default();
        *of.entry(states[&run.id]).or_default() += 1;
    }
    let done = done(identity, &states)?;
    let best = best_scores::best(&done);
    let (running, left) = (running::running(identity, &states)?, running::left_of(identity, &states, &done));
    let failures = identity.root.failures(name)?;
    let failures: Vec<_> = failures.into_iter().filter(|(folder, _)| states.contains_key(folder.id())).collect();
    if as_json {
        let rows: Vec<_> = counts
            .iter()
            .map(|((task, model), counts)| {
                let best = best.get(&(*task, *model));
                json!({"task": task, "model": model, "counts": counts, "metric": best.map(|of| of.primary_metric()),
                       "best": best.and_then(|of| of.primary_score())})
            })
            .collect();
        let failures: Vec<_> = failures
            .iter()
            .map(|(folder, failure)| json!({"id": folder.id(), "kind": failure.kind, "cause": failure.cause}))
            .collect();
        let totals = totals(&words, &states);
        let mut all = json!({"experiment": name, "totals": totals, "tasks": rows, "failures": failures,
                             "running": running.iter().map(Running::json).collect::<Vec<_>>(), "seconds_left": left.seconds()});
        if !starts_from.is_empty() {
            all["pretraining"] = Value::Array(starts_from);
        }
        if let Some(queue) = &queue {
            all["cluster"] = queue::json(&states, queue);
        }
        print_json(&all)?;
        return Ok(states);
    }
    let rows = counts.iter().map(|((task, model), counts)| {
        let mut row = vec![(*task).to_owned(), (*model).to_owned()];
        row.extend(words.iter().map(|state| counts.get(state).copied().unwrap_or(0).to_string()));
        let best = best.get(&(*task, *model));
        row.push(best.map_or_else(|| "–".to_owned(), |best| best_scores::shown(best)));
        row
    });
    let mut columns = vec![Column::Text("task"), Column::Text("model")];
    columns.extend(words.iter().copied().map(Column::Number));
    columns.push(Column::Number("best"));
    print(&table(&columns, rows))?;
    print(&"")?;
    needed::lines(&starts_from).iter().try_for_each(|line| print_wrapped(line, INDENT))?;
    print_wrapped(&format_args!("{name}: {}", total_words(&words, &states)), INDENT)?;
    left.line().map_or(Ok(()), |line| print_wrapped(&line, INDENT))?;
    running.iter().try_for_each(|running| print_wrapped(&running.line(), INDENT))?;
    print_queue(&states, queue.as_ref())?;
    for (folder, failure) in &failures {
        print_wrapped(&format_args!("failed {}: {}: {}", folder.id(), failure.kind, failure.cause), INDENT)?;
    }
    Ok(states)
}

/// The records of the runs that are done.
fn done(identity: &Identity, states: &States) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    for run in identity.runs.iter().filter(|run| states[&run.id] == "done") {
        records.extend(identity.root.folder(identity.experiment.name(), &run.settings)?.record()?);
    }
    Ok(records)
}

/// `bertbench status` of an experiment that pretrains.
fn pretraining(identity: &Identity, as_json: bool) -> Result<States, Error> {
    let (name, root) = (identity.experiment.name(), &identity.root);
    let mut rows = Vec::new();
    let mut states = states(root, name, identity.runs.iter().map(|run| &run.settings))?;
    let ids = identity.runs.iter().map(|run| (&run.id, &run.settings));
    let queue = queue::states(root, name, ids, &mut states)?;
    let words = words(&states, queue.is_some());
    for run in &identity.runs {
        let state = states[&run.id];
        let folder = root.folder(name, &run.settings)?;
        let step = or_note(folder.events().map(Some))?.unwrap_or_default().last().map_or(0, Event::step);
        let failure = if state == "failed" { folder.failure()? } else { None };
        let steps = run.settings.pretraining().map_or(0, PretrainingObjective::steps);
        rows.push((run, state, (step, steps), failure));
    }
    let totals = totals(&words, &states);
    if as_json {
        let runs: Vec<Value> = rows
            .iter()
            .map(|(run, state, (step, steps), failure)| {
                json!({"id": run.id, "model": run.settings.model, "seed": run.settings.seed, "state": state,
                       "step": step, "steps": steps, "failure": failure})
            })
            .collect();
        let mut all = json!({"experiment": name, "totals": totals, "runs": runs});
        if let Some(queue) = &queue {
            all["cluster"] = queue::json(&states, queue);
        }
        print_json(&all)?;
        return Ok(states);
    }
    let columns = [
        Column::Word("id"),
        Column::Text("model"),
        Column::Number("seed"),
        Column::Number("step"),
        Column::Number("of"),
        Column::Word("state"),
    ];
    let cells = rows.iter().map(|(run, state, (step, steps), _)| {
        let settings = &run.settings;
        let numbers = [settings.seed, *step, *steps].map(|number| number.to_string());
        let mut cells = vec![run.id.to_string(), settings.model.clone()];
        cells.extend(numbers);
        cells.push((*state).to_owned());
        cells
    });
    print(&table(&columns, cells))?;
    print(&"")?;
    print_wrapped(&format_args!("{name}: {}", total_words(&words, &states)), INDENT)?;
    print_queue(&states, queue.as_ref())?;
    for (run, _, _, failure) in &rows {
        if let Some(failure) = failure {
            print_wrapped(&format_args!("failed {}: {}: {}", run.id, failure.kind, failure.cause), INDENT)?;
        }
    }
    Ok(states)
}

fn print_queue(states: &BTreeMap<RunId, &'static str>, queue: Option<&Queued>) -> Result<(), Error> {
    let Some(queue) = queue else { return Ok(()) };
    Ok(queue::lines(states, queue).iter().try_for_each(|line| print_wrapped(line, INDENT))?)
}

/// The states that are counted: the usual ones, others that runs are in, and those of a cluster.
fn words(states: &BTreeMap<RunId, &'static str>, with_queue: bool) -> Vec<&'static str> {
    let damaged = states.values().any(|state| *state == DAMAGED).then_some(DAMAGED);
    let of_queue = queue::STATES.into_iter().filter(|_| with_queue);
    STATES.into_iter().chain(damaged).chain(of_queue).collect()
}

/// How many runs are in each state.
fn totals(words: &[&'static str], states: &BTreeMap<RunId, &'static str>) -> BTreeMap<&'static str, usize> {
    words.iter().map(|state| (*state, states.values().filter(|other| *other == state).count())).collect()
}

fn total_words(words: &[&'static str], states: &BTreeMap<RunId, &'static str>) -> String {
    let totals = totals(words, states);
    let word = |state: &&str| format!("{} {state}", totals.get(*state).copied().unwrap_or(0));
    words.iter().map(word).collect::<Vec<_>>().join(", ")
}
