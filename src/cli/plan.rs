//! `bertbench plan`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::error::{CommandOutcome, Error};
use super::experiment_args::{ExperimentArgs, OnlyArgs};
use super::needed;
use super::run_state::{note_damage, state_word};
use super::table::{Column, print, print_json, table};
use super::threads::ThreadArgs;
use super::varying_settings::varying_settings;
use crate::config::ExperimentFile;
use crate::plan::{Plan, PlannedRun};
use crate::resolve::Calibrations;
use crate::store::{RunId, RunSettings, RunsRoot};
use crate::units::{Bytes, Seconds};

/// Show an experiment's runs, which of them are done, and what the others will cost.
///
/// Time and memory are forecast from a training step of each model, which is measured on this machine.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    only: OnlyArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    threads: ThreadArgs,
    #[command(flatten)]
    experiment: ExperimentArgs,
}

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    args.threads.compute(|| plan(args))
}

fn plan(args: &Args) -> Result<CommandOutcome, Error> {
    let prepared = args.experiment.estimate()?;
    let plan = args.only.of(&prepared.plan)?;
    let starts_from = needed::forecasts(&prepared, &plan)?;
    let settings = || plan.runs.iter().map(|run| &run.settings);
    let states = states(&prepared.root, &plan.experiment, settings())?;
    let calibrations = Calibrations::measure(&prepared, &plan);
    let missing = Plan {
        experiment: plan.experiment.clone(),
        // A run that failed is done again only with `run --retry-failed`.
        runs: plan.runs.iter().filter(|run| !["done", "failed"].contains(&states[&run.id])).cloned().collect(),
    };
    let rows: Vec<Value> = plan.runs.iter().map(|run| row(run, states[&run.id], &calibrations)).collect();
    let totals = calibrations.totals(&missing);
    if args.json {
        let totals = json!({"runs": plan.runs.len(), "missing": missing.runs.len(), "missing_seconds": totals.seconds,
                            "peak_memory": totals.peak_memory, "disk": totals.disk});
        let mut all = json!({"experiment": plan.experiment, "runs": rows, "totals": totals});
        if !starts_from.is_empty() {
            all["pretraining"] = Value::Array(starts_from);
        }
        print_json(&all)?;
        return Ok(CommandOutcome::Success);
    }
    let columns: &[(&str, Column)] = match prepared.experiment {
        ExperimentFile::Tasks(_) => &COLUMNS,
        ExperimentFile::Pretraining(_) => &PRETRAINING_COLUMNS,
    };
    let headers: Vec<Column> = columns.iter().map(|(_, column)| *column).collect();
    print(&table(&headers, rows.iter().map(|row| columns.iter().map(|(key, _)| cell(key, &row[*key])).collect())))?;
    let mut varying_settings = varying_settings(settings());
    varying_settings.extend(needed::lines(&starts_from));
    if !varying_settings.is_empty() {
        print(&format_args!("\n{}", varying_settings.join("\n")))?;
    }
    print(&format_args!(
        "\nto do: {} of {} runs, {} in one slot, peak memory {}, disk {}\n\
         forecast from steps measured on this machine ({} threads)",
        missing.runs.len(),
        plan.runs.len(),
        totals.seconds,
        totals.peak_memory,
        totals.disk,
        prepared.context.threads,
    ))?;
    Ok(CommandOutcome::Success)
}

/// The columns of an experiment with tasks: a run's key, and how it is headed.
const COLUMNS: [(&str, Column); 13] = [
    ("id", Column::Text("id")),
    ("model", Column::Text("model")),
    ("task", Column::Text("task")),
    ("batch_size", Column::Number("batch")),
    ("learning_rate", Column::Number("rate")),
    ("epochs", Column::Number("epochs")),
    ("seed", Column::Number("seed")),
    ("steps", Column::Number("steps")),
    ("tokens", Column::Number("tokens")),
    ("seconds", Column::Number("forecast")),
    ("peak_memory", Column::Number("memory")),
    ("disk", Column::Number("disk")),
    ("state", Column::Text("state")),
];

/// The same of an experiment that pretrains.
const PRETRAINING_COLUMNS: [(&str, Column); 11] = [
    ("id", Column::Text("id")),
    ("model", Column::Text("model")),
    ("objective", Column::Text("objective")),
    ("batch_size", Column::Number("batch")),
    ("learning_rate", Column::Number("rate")),
    ("seed", Column::Number("seed")),
    ("steps", Column::Number("steps")),
    ("tokens", Column::Number("tokens")),
    ("seconds", Column::Number("forecast")),
    ("disk", Column::Number("disk")),
    ("state", Column::Text("state")),
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
