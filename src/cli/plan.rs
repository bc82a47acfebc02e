//! `bertbench plan`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::experiment_args::{ExperimentArgs, OnlyArgs};
use super::runs::state_word;
use super::table::{Column, print, table};
use super::threads::ThreadArgs;
use super::varying_settings::varying_settings;
use super::{CommandOutcome, Error, pretraining};
use crate::plan::{Plan, PlannedRun};
use crate::resolve::{Calibrations, Either, Prepared};
use crate::store::RunId;

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
    let prepared = match args.experiment.prepare_either()? {
        Either::Tasks(prepared) => prepared,
        Either::Pretraining(prepared) => {
            return pretraining::show_plan(&prepared, &args.only.of(&prepared.plan)?, args.json);
        }
    };
    let plan = args.only.of(&prepared.plan)?;
    let needed = pretraining::needed(&prepared, &plan)?;
    let states = states(&prepared, &plan)?;
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
        if !needed.is_empty() {
            all["pretraining"] = Value::Array(needed);
        }
        print(&format_args!("{all:#}"))?;
        return Ok(CommandOutcome::Success);
    }
    print(&table(&COLUMNS, rows.iter().map(cells)))?;
    let mut varying_settings = varying_settings(&plan);
    varying_settings.extend(pretraining::needed_lines(&needed));
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

const COLUMNS: [Column; 13] = [
    Column::Text("id"),
    Column::Text("model"),
    Column::Text("task"),
    Column::Number("batch"),
    Column::Number("rate"),
    Column::Number("epochs"),
    Column::Number("seed"),
    Column::Number("steps"),
    Column::Number("tokens"),
    Column::Number("forecast"),
    Column::Number("memory"),
    Column::Number("disk"),
    Column::Text("state"),
];

fn row(run: &PlannedRun, state: &str, calibrations: &Calibrations) -> Value {
    let settings = &run.settings;
    let forecast = calibrations.forecast(run);
    json!({
        "id": run.id, "model": settings.model, "task": settings.task_name(), "batch_size": settings.optimization.batch_size,
        "learning_rate": settings.optimization.learning_rate, "epochs": settings.epochs(), "seed": settings.seed,
        "max_length": settings.max_length(), "task_options": settings.task_options(),
        "approach": settings.approach(), "steps": run.steps, "tokens": run.tokens, "seconds": forecast.map(|forecast| forecast.seconds),
        "peak_memory": forecast.map(|forecast| forecast.peak_memory), "disk": forecast.map(|forecast| forecast.disk),
        "state": state,
    })
}

fn cells(row: &Value) -> Vec<String> {
    let bytes = |key: &str| row[key].as_u64().map_or_else(|| "–".into(), |n| crate::units::Bytes(n).to_string());
    let seconds = row["seconds"].as_f64().map_or_else(|| "–".into(), |s| crate::units::Seconds(s).to_string());
    let mut cells: Vec<String> =
        ["id", "model", "task", "batch_size", "learning_rate", "epochs", "seed", "steps", "tokens"]
            .map(|key| row[key].as_str().map_or_else(|| number(&row[key]), str::to_owned))
            .into();
    cells.extend([seconds, bytes("peak_memory"), bytes("disk"), row["state"].as_str().unwrap_or_default().into()]);
    cells
}

/// Learning rates as people write them, counts as they are.
fn number(value: &Value) -> String {
    match value.as_f64() {
        Some(small) if small > 0.0 && small < 0.01 => format!("{small:e}"),
        _ => value.to_string(),
    }
}

/// How far each run is, in a word.
pub(super) fn states(prepared: &Prepared, plan: &Plan) -> Result<BTreeMap<RunId, &'static str>, Error> {
    plan.runs
        .iter()
        .map(|run| {
            let state = prepared.root.folder(&plan.experiment, &run.settings)?.state()?;
            Ok((run.id.clone(), state_word(&state)))
        })
        .collect()
}
