//! `bertbench plan`

use serde_json::{Value, json};

use super::experiment_args::{ExperimentArgs, OnlyArgs};
use super::status::needed_lines;
use super::threads::{MOST, compute};
use crate::config::{self, ExperimentFile};
use crate::diagnostic::{Diagnostic, Error};
use crate::plan::{self, PlannedRun, outline, varying_settings};
use crate::resolve::Calibrations;
use crate::stats::{POWER, SIGNIFICANCE};
use crate::sweep::{DISAGREEING, DevSet, Outlook, outlook, published_dev_sets};
use crate::terminal::{Column, note_text, print, print_json, print_wrapped, runs_table, table, wrapped};
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

pub(super) fn execute(args: &Args) -> Result<(), Error> {
    compute(None, || plan(args))
}

fn plan(args: &Args) -> Result<(), Error> {
    let prepared = match args.experiment.estimate() {
        Err(Error::Input(findings)) if findings.iter().all(|finding| finding.is_absence) => {
            return unsized_runs(args, &findings);
        }
        other => other?,
    };
    let threads = args.threads.map(|threads| threads as usize);
    let outlook = outlook(&prepared, args.only.of(&prepared.plan)?, threads, note_text)?;
    let runs = outlook.plan.runs.iter();
    let rows: Vec<Value> = runs.map(|run| row(run, outlook.states[&run.id], &outlook.calibrations)).collect();
    if args.json { Ok(print_json(&as_json(&rows, &outlook))?) } else { show(&prepared.experiment, &rows, &outlook) }
}

fn as_json(rows: &[Value], outlook: &Outlook) -> Value {
    let Outlook { plan, missing, totals, slots, threads, wall, dev_sets, starts_from, .. } = outlook;
    let totals = json!({"runs": plan.runs.len(), "missing": missing.runs.len(), "missing_seconds": totals.seconds,
                        "slots": slots, "threads_per_slot": threads, "wall_seconds": wall,
                        "peak_memory": totals.peak_memory, "disk": totals.disk});
    let mut all = json!({"experiment": plan.experiment, "runs": rows, "totals": totals});
    if !dev_sets.is_empty() {
        all["dev_sets"] = dev_sets_json(dev_sets);
    }
    if !starts_from.is_empty() {
        all["pretraining"] = json!(starts_from);
    }
    all
}

fn show(experiment: &ExperimentFile, rows: &[Value], outlook: &Outlook) -> Result<(), Error> {
    let Outlook { plan, missing, totals, wall, .. } = outlook;
    print(&runs_shown(experiment, rows))?;
    let mut lines = varying_settings(plan.runs.iter().map(|run| &run.settings));
    lines.extend(needed_lines(&outlook.starts_from));
    if !lines.is_empty() {
        print(&"")?;
        lines.iter().try_for_each(|line| print_wrapped(line, 2))?;
    }
    print(&format_args!("\n{}", sums(outlook)))?;
    dev_set_lines(&outlook.dev_sets).map_or(Ok(()), |lines| print(&lines))?;
    let before = match outlook.pretraining {
        0 => String::new(),
        count => format!(", pretraining {} before", counted(count, "model")),
    };
    print(&"")?;
    print_wrapped(
        &format_args!("to do: {} of {} runs{before}, disk {}", missing.runs.len(), plan.runs.len(), totals.disk),
        2,
    )?;
    if !missing.runs.is_empty() {
        let (slots, threads) = (counted(outlook.slots, "slot"), counted(outlook.threads, "thread"));
        let memory = totals.peak_memory;
        print_wrapped(
            &format_args!("`run` takes about {wall} with {slots} of {threads}, each up to {memory} of memory"),
            2,
        )?;
    }
    Ok(print(&"forecast from steps measured on this machine")?)
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

/// A line for each task and model: its runs, and what those that are missing will take, one after the other.
fn sums(outlook: &Outlook) -> String {
    let rows = outlook.sums().into_iter().map(|sum| {
        let time = if sum.missing == 0 { "–".to_owned() } else { sum.seconds.to_string() };
        let memory = sum.memory.map_or_else(|| "–".to_owned(), |memory| memory.to_string());
        let [runs, missing] = [sum.runs, sum.missing].map(|count| count.to_string());
        vec![sum.task.to_owned(), sum.model.to_owned(), runs, missing, time, memory]
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

/// What dev sets can show at all.
fn dev_sets_json(sets: &[DevSet]) -> Value {
    let row = |of: &DevSet| {
        let differences: Vec<Value> = DISAGREEING
            .iter()
            .zip(of.smallest())
            .map(|(disagreeing, difference)| json!({"disagreeing": disagreeing, "difference": difference}))
            .collect();
        json!({"task": of.task, "metric": of.metric, "examples": of.examples, "smallest_differences": differences})
    };
    Value::Array(sets.iter().map(row).collect())
}

/// A table with a sentence above it, after an empty line; nothing without dev sets.
fn dev_set_lines(sets: &[DevSet]) -> Option<String> {
    if sets.is_empty() {
        return None;
    }
    let what = format!(
        "the smallest difference between two models, in points, that a dev set shows (McNemar's test, p < {SIGNIFICANCE}, \
         power {POWER}) when only one of them is right on 10 or 20 % of its examples:"
    );
    let columns = [
        Column::Text("task"),
        Column::Text("of"),
        Column::Number("dev examples"),
        Column::Number("at 10 %"),
        Column::Number("at 20 %"),
    ];
    let points = |difference: Option<f64>| difference.map_or_else(|| "–".to_owned(), |of| format!("{:.1}", 100.0 * of));
    let rows = sets.iter().map(|set| {
        let [few, many] = set.smallest().map(points);
        vec![set.task.clone(), set.metric.to_owned(), set.examples.to_string(), few, many]
    });
    Some(format!("\n{}\n{}", wrapped(&what, 0), table(&columns, rows)))
}

/// How many runs there are, where what they read is not on this machine.
fn unsized_runs(args: &Args, absent: &[Diagnostic]) -> Result<(), Error> {
    let file = config::load(&args.experiment.file, &plan::known_tasks(), &args.experiment.set)?;
    let parts = outline(&file);
    let runs: usize = parts.iter().map(|part| part.runs).sum();
    let dev_sets = published_dev_sets(parts.iter().filter_map(|part| part.task.as_deref()));
    if args.json {
        let rows: Vec<Value> =
            parts.iter().map(|part| json!({"task": part.task, "model": part.model, "runs": part.runs})).collect();
        let absent: Vec<String> = absent.iter().map(ToString::to_string).collect();
        let dev_sets = dev_sets_json(&dev_sets);
        return Ok(print_json(&json!({"experiment": file.base().name, "tasks": rows, "totals": {"runs": runs},
                                     "absent": absent, "dev_sets": dev_sets}))?);
    }
    let rows = parts
        .into_iter()
        .map(|part| vec![part.task.unwrap_or_else(|| "pretraining".to_owned()), part.model, part.runs.to_string()]);
    print(&table(&[Column::Text("task"), Column::Text("model"), Column::Number("runs")], rows))?;
    dev_set_lines(&dev_sets).map_or(Ok(()), |lines| print(&lines))?;
    print(&"")?;
    let why: Vec<String> = absent.iter().map(Diagnostic::shown_message).collect();
    print_wrapped(&format_args!("{runs} runs; sizes unknown: {}", why.join("; ")), 2)?;
    let mut hints = absent.iter().filter_map(Diagnostic::shown_hint);
    Ok(hints.try_for_each(|hint| print_wrapped(&format_args!("hint: {hint}"), 2))?)
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
