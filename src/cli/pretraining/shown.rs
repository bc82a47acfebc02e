//! `plan` and `status` of experiments that pretrain, and of the pretraining that others start from.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cli::runs::state_word;
use crate::cli::table::{Column, print, table};
use crate::cli::{CommandOutcome, Error};
use crate::plan::{Forecast, Plan, PlannedRun};
use crate::resolve::{Prepared, PreparedPretraining, pretraining_forecasts};
use crate::units::{Bytes, Seconds};

/// A run with what it takes and how far it is.
struct Row<'a> {
    run: &'a PlannedRun,
    forecast: Forecast,
    state: &'static str,
}

const COLUMNS: [Column; 11] = [
    Column::Text("id"),
    Column::Text("model"),
    Column::Text("objective"),
    Column::Number("batch"),
    Column::Number("rate"),
    Column::Number("seed"),
    Column::Number("steps"),
    Column::Number("tokens"),
    Column::Number("forecast"),
    Column::Number("disk"),
    Column::Text("state"),
];

/// How far a run is, in a word.
fn state(prepared: &PreparedPretraining, run: &PlannedRun) -> Result<&'static str, Error> {
    let folder = prepared.root.pretraining_folder(&prepared.plan.experiment, &run.settings.model, &run.id)?;
    Ok(state_word(&folder.state()?))
}

/// Whether a run is done.
pub(in crate::cli) fn is_done(prepared: &PreparedPretraining, run: &PlannedRun) -> Result<bool, Error> {
    Ok(state(prepared, run)? == "done")
}

fn rows<'a>(prepared: &PreparedPretraining, runs: &[&'a PlannedRun]) -> Result<Vec<Row<'a>>, Error> {
    let forecasts = pretraining_forecasts(&prepared.device, runs);
    let row = |(run, forecast): (&&'a PlannedRun, Forecast)| Ok(Row { run, forecast, state: state(prepared, run)? });
    runs.iter().zip(forecasts).map(row).collect()
}

impl Row<'_> {
    /// Whether the run is still to be done by `run`.
    fn is_missing(&self) -> bool {
        !["done", "failed"].contains(&self.state)
    }

    fn json(&self) -> Value {
        let (settings, forecast) = (&self.run.settings, &self.forecast);
        let objective = settings.pretraining();
        let (loss, phases) = (objective.map(|of| of.loss), objective.map(|of| &of.phases));
        json!({
            "id": self.run.id, "model": settings.model, "objective": loss, "phases": phases,
            "batch_size": settings.optimization.batch_size, "learning_rate": settings.optimization.learning_rate, "seed": settings.seed,
            "steps": self.run.steps, "tokens": self.run.tokens, "seconds": forecast.seconds,
            "peak_memory": forecast.peak_memory, "disk": forecast.disk, "state": self.state,
        })
    }

    fn cells(&self) -> Vec<String> {
        let (run, settings) = (self.run, &self.run.settings);
        vec![
            run.id.to_string(),
            settings.model.clone(),
            settings.pretraining().map_or_else(String::new, |of| of.loss.to_string()),
            settings.optimization.batch_size.to_string(),
            format!("{:e}", settings.optimization.learning_rate),
            settings.seed.to_string(),
            run.steps.to_string(),
            run.tokens.0.to_string(),
            self.forecast.seconds.to_string(),
            self.forecast.disk.to_string(),
            self.state.to_owned(),
        ]
    }
}

/// `bertbench plan` of an experiment that pretrains.
pub(in crate::cli) fn plan(prepared: &PreparedPretraining, plan: &Plan, json: bool) -> Result<CommandOutcome, Error> {
    let rows = rows(prepared, &plan.runs.iter().collect::<Vec<_>>())?;
    let missing = || rows.iter().filter(|row| row.is_missing());
    let seconds = Seconds(missing().map(|row| row.forecast.seconds.0).sum());
    let peak_memory = missing().map(|row| row.forecast.peak_memory).max().unwrap_or(Bytes(0));
    let disk = Bytes(missing().map(|row| row.forecast.disk.0).sum());
    let (all, to_do) = (rows.len(), missing().count());
    if json {
        let totals = json!({"runs": all, "missing": to_do, "missing_seconds": seconds,
                            "peak_memory": peak_memory, "disk": disk});
        let runs: Vec<Value> = rows.iter().map(Row::json).collect();
        print(&format_args!("{:#}", json!({"experiment": plan.experiment, "runs": runs, "totals": totals})))?;
        return Ok(CommandOutcome::Success);
    }
    print(&table(&COLUMNS, rows.iter().map(Row::cells)))?;
    print(&format_args!(
        "\nto do: {to_do} of {all} runs, {seconds} in one slot, peak memory {peak_memory}, disk {disk} while they run\n\
         forecast from steps measured on this machine ({} threads)",
        rayon::current_num_threads(),
    ))?;
    Ok(CommandOutcome::Success)
}

/// `bertbench status` of an experiment that pretrains.
pub(in crate::cli) fn status(prepared: &PreparedPretraining, as_json: bool) -> Result<CommandOutcome, Error> {
    let plan = &prepared.plan;
    let mut rows = Vec::new();
    let mut totals: BTreeMap<&str, usize> = ["done", "running", "failed", "missing"].map(|state| (state, 0)).into();
    for run in &plan.runs {
        let state = state(prepared, run)?;
        *totals.entry(state).or_default() += 1;
        let folder = prepared.root.pretraining_folder(&plan.experiment, &run.settings.model, &run.id)?;
        let step = folder.events()?.last().map_or(0, crate::store::Event::step);
        let failure = if state == "failed" { folder.failure()? } else { None };
        rows.push((run, state, step, failure));
    }
    if as_json {
        let runs: Vec<Value> = rows
            .iter()
            .map(|(run, state, step, failure)| {
                json!({"id": run.id, "model": run.settings.model, "seed": run.settings.seed, "state": state,
                       "step": step, "steps": run.steps, "failure": failure})
            })
            .collect();
        let all = json!({"experiment": plan.experiment, "totals": totals, "runs": runs});
        print(&format_args!("{all:#}"))?;
        return Ok(CommandOutcome::Success);
    }
    let columns = [
        Column::Text("id"),
        Column::Text("model"),
        Column::Number("seed"),
        Column::Number("step"),
        Column::Number("of"),
        Column::Text("state"),
    ];
    let cells = rows.iter().map(|(run, state, step, _)| {
        let settings = &run.settings;
        let numbers = [settings.seed, *step, run.steps].map(|number| number.to_string());
        let mut cells = vec![run.id.to_string(), settings.model.clone()];
        cells.extend(numbers);
        cells.push((*state).to_owned());
        cells
    });
    print(&table(&columns, cells))?;
    let words: Vec<String> = ["done", "running", "failed", "missing"]
        .iter()
        .map(|state| format!("{} {state}", totals.get(state).copied().unwrap_or(0)))
        .collect();
    print(&format_args!("\n{}: {}", plan.experiment, words.join(", ")))?;
    for (run, _, _, failure) in &rows {
        if let Some(failure) = failure {
            print(&format_args!("failed {}: {}: {}", run.id, failure.kind, failure.cause))?;
        }
    }
    Ok(CommandOutcome::Success)
}

/// The pretraining runs that runs of `plan` start from, and how far they are: what `status` tells of them.
pub(in crate::cli) fn needed_states(prepared: &Prepared, plan: &Plan) -> Result<Vec<Value>, Error> {
    let json = |(of, run): &(&PreparedPretraining, &PlannedRun)| {
        let (experiment, model, state) = (&of.plan.experiment, &run.settings.model, state(of, run)?);
        Ok(json!({"experiment": experiment, "model": model, "id": run.id, "steps": run.steps, "state": state}))
    };
    prepared.needed(plan).iter().map(json).collect()
}

/// The same with the time that those which are not done will take, for `plan`.
pub(in crate::cli) fn needed(prepared: &Prepared, plan: &Plan) -> Result<Vec<Value>, Error> {
    let mut states = needed_states(prepared, plan)?;
    for (one, (of, run)) in states.iter_mut().zip(prepared.needed(plan)) {
        if one["state"] != "done" {
            let forecasts = pretraining_forecasts(&of.device, &[run]);
            one["missing_seconds"] = json!(forecasts.first().map(|forecast| forecast.seconds));
        }
    }
    Ok(states)
}

/// The same in lines for a terminal.
pub(in crate::cli) fn needed_lines(needed: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    needed
        .iter()
        .map(|one| {
            let [experiment, model, id, state] = ["experiment", "model", "id", "state"].map(|key| text(&one[key]));
            let time = match one["missing_seconds"].as_f64() {
                Some(seconds) if seconds > 0.0 => format!(", {} in one slot", Seconds(seconds)),
                _ => String::new(),
            };
            format!("pretraining {experiment} {model} ({id}): {state}{time}")
        })
        .collect()
}
