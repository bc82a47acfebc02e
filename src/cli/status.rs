//! `bertbench status`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::experiment_args::ExperimentArgs;
use super::plan::states;
use super::table::{Column, print, table};
use super::varying_settings::varying_settings;
use super::{CommandOutcome, Error, pretraining};
use crate::resolve::Either;

/// Show how many runs are done, running, failed and missing, by task and model.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    experiment: ExperimentArgs,
}

const STATES: [&str; 4] = ["done", "running", "failed", "missing"];

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let prepared = match args.experiment.prepare_either()? {
        Either::Tasks(prepared) => prepared,
        Either::Pretraining(prepared) => return pretraining::show_status(&prepared, args.json),
    };
    let plan = &prepared.plan;
    let states = states(&prepared, plan)?;
    let needed = pretraining::needed_states(&prepared, plan)?;
    let mut counts: BTreeMap<(&str, &str), BTreeMap<&str, usize>> = BTreeMap::new();
    for run in &plan.runs {
        let of = counts.entry((run.settings.task_name(), &run.settings.model)).or_default();
        *of.entry(states[&run.id]).or_default() += 1;
    }
    let failures = prepared.root.failures(&plan.experiment)?;
    let failures: Vec<_> = failures.into_iter().filter(|(folder, _)| states.contains_key(folder.id())).collect();
    let total = |state: &str| states.values().filter(|other| **other == state).count();
    if args.json {
        let rows: Vec<_> = counts
            .iter()
            .map(|((task, model), counts)| json!({"task": task, "model": model, "counts": counts}))
            .collect();
        let failures: Vec<_> = failures
            .iter()
            .map(|(folder, failure)| json!({"id": folder.id(), "kind": failure.kind, "cause": failure.cause}))
            .collect();
        let totals: BTreeMap<_, _> = STATES.iter().map(|state| (*state, total(state))).collect();
        let mut all = json!({"experiment": plan.experiment, "totals": totals, "tasks": rows, "failures": failures});
        if !needed.is_empty() {
            all["pretraining"] = Value::Array(needed);
        }
        print(&format_args!("{all:#}"))?;
        return Ok(CommandOutcome::Success);
    }
    let rows = counts.iter().map(|((task, model), counts)| {
        let mut row = vec![(*task).to_owned(), (*model).to_owned()];
        row.extend(STATES.map(|state| counts.get(state).copied().unwrap_or(0).to_string()));
        row
    });
    let mut columns = vec![Column::Text("task"), Column::Text("model")];
    columns.extend(STATES.map(Column::Number));
    print(&table(&columns, rows))?;
    let mut varying_settings = varying_settings(plan);
    varying_settings.extend(pretraining::needed_lines(&needed));
    if !varying_settings.is_empty() {
        print(&format_args!("\n{}", varying_settings.join("\n")))?;
    }
    let totals = STATES.map(|state| format!("{} {state}", total(state))).join(", ");
    print(&format_args!("\n{}: {totals}", plan.experiment))?;
    for (folder, failure) in &failures {
        print(&format_args!("failed {}: {}: {}", folder.id(), failure.kind, failure.cause))?;
    }
    Ok(CommandOutcome::Success)
}
