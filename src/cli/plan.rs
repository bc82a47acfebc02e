//! `bertbench plan`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::dev_sets;
use super::error::{CommandOutcome, Error};
use super::experiment_args::{ExperimentArgs, OnlyArgs};
use super::needed;
use super::run_state::{note_damage, state_word};
use super::table::{Column, print, print_json, print_wrapped, runs_table, table};
use super::threads::{MOST, compute, cores};
use super::varying_settings::varying_settings;
use crate::config::{self, ExperimentFile};
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Plan, PlannedRun, Upcoming, outline, wall};
use crate::resolve::Calibrations;
use crate::store::{InitialWeights, RunId, RunSettings, RunsRoot};
use crate::units::{Bytes, Seconds};

/// Show an experiment's runs, which of them are done, and what the others will cost.
///
/// Time and memory are forecast from a training step of each model, which is measured on this machine, for as many runs at a
/// time and threads per run as `run` would choose. Where data or weights are not on this machine, only the numbers of runs
/// are shown.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    only: OnlyArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Threads per run, as for `run` [default: the cores divided by the slots].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST))]
    threads: Option<u32>,
    #[command(flatten)]
    experiment: ExperimentArgs,
}

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    compute(None, || plan(args))
}

fn plan(args: &Args) -> Result<CommandOutcome, Error> {
    let prepared = match args.experiment.estimate() {
        Err(Error::Input(findings)) if findings.iter().all(|finding| finding.is_absence) => {
            return unsized_runs(args, &findings);
        }
        other => other?,
    };
    let plan = args.only.of(&prepared.plan)?;
    let settings = || plan.runs.iter().map(|run| &run.settings);
    let states = states(&prepared.root, &plan.experiment, settings())?;
    let is_missing = |run: &PlannedRun| !["done", "failed"].contains(&states[&run.id]);
    // A run that failed is done again only with `run --retry-failed`.
    let missing = Plan {
        experiment: plan.experiment.clone(),
        runs: plan.runs.iter().filter(|run| is_missing(run)).cloned().collect(),
    };
    let threads = args.threads.map(|threads| threads as usize);
    let (slots, threads) = prepared.slots(&prepared.jobs(&missing), cores(), None, threads);
    let (calibrations, starts_from) =
        with_threads(threads, || Ok((Calibrations::measure(&prepared, &plan), needed::forecasts(&prepared, &plan)?)))?;
    let pretraining = to_pretrain(&missing, &starts_from);
    let wall = wall(&upcoming(&missing, &pretraining, &calibrations), slots);
    let dev_sets = dev_sets::counted(&prepared, &plan.runs);
    let rows: Vec<Value> = plan.runs.iter().map(|run| row(run, states[&run.id], &calibrations)).collect();
    let totals = calibrations.totals(&missing);
    if args.json {
        let totals = json!({"runs": plan.runs.len(), "missing": missing.runs.len(), "missing_seconds": totals.seconds,
                            "slots": slots, "threads_per_slot": threads, "wall_seconds": wall,
                            "peak_memory": totals.peak_memory, "disk": totals.disk});
        let mut all = json!({"experiment": plan.experiment, "runs": rows, "totals": totals});
        if !dev_sets.is_empty() {
            all["dev_sets"] = dev_sets::as_json(&dev_sets);
        }
        if !starts_from.is_empty() {
            all["pretraining"] = Value::Array(starts_from);
        }
        print_json(&all)?;
        return Ok(CommandOutcome::Success);
    }
    print(&runs_shown(&prepared.experiment, &rows))?;
    let mut varying_settings = varying_settings(settings());
    varying_settings.extend(needed::lines(&starts_from));
    if !varying_settings.is_empty() {
        print(&"")?;
        varying_settings.iter().try_for_each(|line| print_wrapped(line, 2))?;
    }
    print(&format_args!("\n{}", sums(&plan, &calibrations, is_missing)))?;
    dev_sets::lines(&dev_sets).map_or(Ok(()), |lines| print(&lines))?;
    let before = match pretraining.len() {
        0 => String::new(),
        count => format!(", pretraining {} before", counted(count, "model")),
    };
    print(&"")?;
    print_wrapped(
        &format_args!("to do: {} of {} runs{before}, disk {}", missing.runs.len(), plan.runs.len(), totals.disk),
        2,
    )?;
    if !missing.runs.is_empty() {
        let (slots, threads) = (counted(slots, "slot"), counted(threads, "thread"));
        let memory = totals.peak_memory;
        print_wrapped(
            &format_args!("`run` takes about {wall} with {slots} of {threads}, each up to {memory} of memory"),
            2,
        )?;
    }
    print(&"forecast from steps measured on this machine")?;
    Ok(CommandOutcome::Success)
}

/// The table of runs.
fn runs_shown(experiment: &ExperimentFile, rows: &[Value]) -> String {
    let columns: &[(&str, Column)] = match experiment {
        ExperimentFile::Tasks(_) => &COLUMNS,
        ExperimentFile::Pretraining(_) => &PRETRAINING_COLUMNS,
    };
    let (names, heads): (Vec<&str>, Vec<Column>) = columns.iter().copied().unzip();
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| names.iter().map(|key| cell(key, &row[*key])).collect()).collect();
    runs_table(&heads, &names, &cells)
}

fn counted(count: usize, of: &str) -> String {
    format!("{count} {of}{}", if count == 1 { "" } else { "s" })
}

/// The pretraining run that a run starts from.
fn pretraining_of(run: &PlannedRun) -> Option<&str> {
    match &run.settings.initial_weights {
        InitialWeights::Pretraining { run, .. } => Some(&run.0),
        InitialWeights::Random | InitialWeights::Checkpoint { .. } => None,
    }
}

/// Of the pretraining runs that a plan starts from, those that `missing` still waits for, and how long they take.
fn to_pretrain<'a>(missing: &Plan, starts_from: &'a [Value]) -> Vec<(&'a str, f64)> {
    let is_awaited = |id: &str| missing.runs.iter().any(|run| pretraining_of(run) == Some(id));
    let all = starts_from.iter().filter_map(|one| Some((one["id"].as_str()?, one["missing_seconds"].as_f64()?)));
    all.filter(|(id, _)| is_awaited(id)).collect()
}

/// The runs of `missing`, and before them the `pretraining` that they start from.
fn upcoming(missing: &Plan, pretraining: &[(&str, f64)], calibrations: &Calibrations) -> Vec<Upcoming> {
    let first = pretraining.iter().map(|(_, seconds)| Upcoming { seconds: Seconds(*seconds), after: None });
    let runs = missing.runs.iter().filter_map(|run| {
        let after = pretraining_of(run).and_then(|id| pretraining.iter().position(|(known, _)| *known == id));
        Some(Upcoming { seconds: calibrations.forecast(run)?.seconds, after })
    });
    first.chain(runs).collect()
}

/// Carries out `measure` with as many threads as a run has.
fn with_threads<T: Send>(threads: usize, measure: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| Error::System(format!("cannot start threads: {error}")))?.install(measure)
}

/// A line for each task and model: its runs, and what those that are missing will take, one after the other.
fn sums(plan: &Plan, calibrations: &Calibrations, is_missing: impl Fn(&PlannedRun) -> bool) -> String {
    let mut parts: Vec<((&str, &str), Vec<&PlannedRun>)> = Vec::new();
    for run in &plan.runs {
        let of = (run.settings.task_name(), run.settings.model.as_str());
        match parts.iter_mut().find(|(key, _)| *key == of) {
            Some((_, runs)) => runs.push(run),
            None => parts.push((of, vec![run])),
        }
    }
    let rows = parts.iter().map(|((task, model), runs)| {
        let missing: Vec<&PlannedRun> = runs.iter().copied().filter(|run| is_missing(run)).collect();
        let forecasts: Vec<_> = missing.iter().filter_map(|run| calibrations.forecast(run)).collect();
        let seconds: f64 = forecasts.iter().map(|forecast| forecast.seconds.0).sum();
        let memory = forecasts.iter().map(|forecast| forecast.peak_memory).max();
        let time = if missing.is_empty() { "–".to_owned() } else { Seconds(seconds).to_string() };
        let memory = memory.map_or_else(|| "–".to_owned(), |memory| memory.to_string());
        vec![(*task).to_owned(), (*model).to_owned(), runs.len().to_string(), missing.len().to_string(), time, memory]
    });
    let columns = [
        Column::Text("task"),
        Column::Text("model"),
        Column::Number("runs"),
        Column::Number("to do"),
        Column::Number("time"),
        Column::Number("memory"),
    ];
    table(&columns, rows)
}

/// How many runs there are, where what they read is not on this machine.
fn unsized_runs(args: &Args, absent: &[Diagnostic]) -> Result<CommandOutcome, Error> {
    let file = config::load(&args.experiment.file, &plan::known_tasks(), &args.experiment.set)?;
    let parts = outline(&file);
    let runs: usize = parts.iter().map(|part| part.runs).sum();
    let dev_sets = dev_sets::published(parts.iter().filter_map(|part| part.task.as_deref()));
    if args.json {
        let rows: Vec<Value> =
            parts.iter().map(|part| json!({"task": part.task, "model": part.model, "runs": part.runs})).collect();
        let absent: Vec<String> = absent.iter().map(ToString::to_string).collect();
        print_json(&json!({"experiment": file.name(), "tasks": rows, "totals": {"runs": runs}, "absent": absent,
                           "dev_sets": dev_sets::as_json(&dev_sets)}))?;
        return Ok(CommandOutcome::Success);
    }
    let rows = parts
        .into_iter()
        .map(|part| vec![part.task.unwrap_or_else(|| "pretraining".to_owned()), part.model, part.runs.to_string()]);
    print(&table(&[Column::Text("task"), Column::Text("model"), Column::Number("runs")], rows))?;
    dev_sets::lines(&dev_sets).map_or(Ok(()), |lines| print(&lines))?;
    print(&"")?;
    let why: Vec<String> = absent.iter().map(Diagnostic::shown_message).collect();
    print_wrapped(&format_args!("{runs} runs; sizes unknown: {}", why.join("; ")), 2)?;
    absent
        .iter()
        .filter_map(Diagnostic::shown_hint)
        .try_for_each(|hint| print_wrapped(&format_args!("hint: {hint}"), 2))?;
    Ok(CommandOutcome::Success)
}

/// The columns of an experiment with tasks: a run's key, and how it is headed. Memory and disk are in the sums, and `--json`
/// has all of a run.
const COLUMNS: [(&str, Column); 10] = [
    ("id", Column::Word("id")),
    ("task", Column::Text("task")),
    ("model", Column::Text("model")),
    ("batch_size", Column::Number("batch")),
    ("learning_rate", Column::Number("rate")),
    ("epochs", Column::Number("epochs")),
    ("seed", Column::Number("seed")),
    ("steps", Column::Number("steps")),
    ("seconds", Column::Number("time")),
    ("state", Column::Word("state")),
];

/// The same of an experiment that pretrains.
const PRETRAINING_COLUMNS: [(&str, Column); 9] = [
    ("id", Column::Word("id")),
    ("model", Column::Text("model")),
    ("batch_size", Column::Number("batch")),
    ("learning_rate", Column::Number("rate")),
    ("seed", Column::Number("seed")),
    ("steps", Column::Number("steps")),
    ("tokens", Column::Number("tokens")),
    ("seconds", Column::Number("time")),
    ("state", Column::Word("state")),
];

fn row(run: &PlannedRun, state: &str, calibrations: &Calibrations) -> Value {
    let (settings, forecast) = (&run.settings, calibrations.forecast(run));
    let mut row = json!({
        "id": run.id, "model": settings.model, "batch_size": settings.optimization.batch_size,
        "learning_rate": settings.optimization.learning_rate, "seed": settings.seed, "steps": run.steps,
        "tokens": run.tokens, "seconds": forecast.map(|forecast| forecast.seconds),
        "peak_memory": forecast.map(|forecast| forecast.peak_memory), "disk": forecast.map(|forecast| forecast.disk),
        "state": state,
    });
    let of_objective = match settings.pretraining() {
        Some(of) => json!({"objective": of.loss, "phases": of.phases}),
        None => json!({"task": settings.task_name(), "epochs": settings.epochs(), "max_length": settings.max_length(),
                       "task_options": settings.task_options(), "approach": settings.approach()}),
    };
    if let (Value::Object(row), Value::Object(more)) = (&mut row, of_objective) {
        row.extend(more);
    }
    row
}

fn cell(key: &str, value: &Value) -> String {
    match key {
        "seconds" => value.as_f64().map_or_else(|| "–".into(), |seconds| Seconds(seconds).to_string()),
        "peak_memory" | "disk" => value.as_u64().map_or_else(|| "–".into(), |bytes| Bytes(bytes).to_string()),
        _ => value.as_str().map_or_else(|| number(value), str::to_owned),
    }
}

/// Learning rates as people write them, counts as they are.
fn number(value: &Value) -> String {
    match value.as_f64() {
        Some(small) if small > 0.0 && small < 0.01 => format!("{small:e}"),
        _ => value.to_string(),
    }
}

/// How far each run is, in a word.
pub(super) fn states<'a>(
    root: &RunsRoot,
    experiment: &str,
    runs: impl IntoIterator<Item = &'a RunSettings>,
) -> Result<BTreeMap<RunId, &'static str>, Error> {
    let state = |settings: &RunSettings| {
        let folder = root.folder(experiment, settings)?;
        let state = folder.state()?;
        note_damage(&state);
        Ok((folder.id().clone(), state_word(&state)))
    };
    runs.into_iter().map(state).collect()
}
