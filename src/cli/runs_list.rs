//! `bertbench runs list`

use clap_complete::engine::ArgValueCompleter;

use rayon::prelude::*;
use serde_json::{Map, Value};

use super::completions;
use crate::diagnostic::{Diagnostic, Error, in_one_line, suggest};
use crate::gather;
use crate::report::{RunCondition, RunRow, RunTable, RunTableError, listed_folders, run_columns};
use crate::store::RunsRoot;
use crate::terminal::{Column, note, note_text, print, print_json, runs_table, whole_table};

/// List the runs on disk, of all experiments or of one, with their settings and scores.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The experiment: its name or its file.
    #[arg(add = ArgValueCompleter::new(completions::experiments))]
    experiment: Option<String>,
    /// Only runs that meet a condition on the columns.
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<String>,
    /// By a column, upwards; `-score` downwards.
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort: Option<String>,
    /// The columns, with commas between them, or `all`.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    columns: Vec<String>,
    /// Print CSV.
    #[arg(long, conflicts_with = "md")]
    csv: bool,
    /// Print a table in Markdown.
    #[arg(long)]
    md: bool,
}

const EXAMPLES: &str = "\
Columns: id, experiment, task, model, batch_size, learning_rate, epochs, seed, max_length, device, state, metric, score
(after the last epoch), best (of all epochs), steps, seconds, peak_memory, host, commit, finished

Examples:
  bertbench runs list experiments/mini.yaml --where 'task == \"rte\" and score > 0.6' --sort -score
  bertbench runs list --where 'state == \"failed\" or not epochs == 3' --csv
  bertbench runs list mini --columns id,task,score,finished";

/// What is shown where nothing is asked for; the experiment where there are several.
const DEFAULT: [&str; 10] =
    ["id", "task", "model", "batch_size", "learning_rate", "epochs", "seed", "state", "score", "best"];

pub(super) fn execute(root: &RunsRoot, args: &Args, only: Option<&str>, json: bool) -> Result<(), Error> {
    let experiments = gather::experiments(root, args.experiment.as_deref().or(only))?;
    let condition = args.condition.as_deref().map(RunCondition::parse).transpose().map_err(|error| refused(&error))?;
    let mut folders = Vec::new();
    for experiment in &experiments {
        folders.extend(listed_folders(root, experiment, condition.as_ref())?);
    }
    // A record is gone as soon as its row is there: ten thousand of them would fill more memory than the caches have.
    let runs = folders.par_iter().map(|folder| RunRow::read(folder, note_text)).collect::<Result<Vec<_>, _>>()?;
    let mut table = RunTable::of(&runs).map_err(|error| refused(&error))?;
    if let Some(condition) = &condition {
        table = table.filtered(condition).map_err(|error| refused(&error))?;
    }
    if let Some(by) = &args.sort {
        table = table.sorted(by).map_err(|error| refused(&error))?;
    }
    let mut columns: Vec<&str> = match &args.columns[..] {
        [] if json => run_columns(),
        [all] if all == "all" => run_columns(),
        [] => DEFAULT.to_vec(),
        asked => asked.iter().map(|name| name.trim()).collect(),
    };
    if args.columns.is_empty() && !json && experiments.len() > 1 {
        columns.insert(1, "experiment");
    }
    table = table.selected(&columns).map_err(|error| refused(&error))?;
    if table.is_empty() && !json && !args.csv && !args.md {
        let why = if condition.is_none() { "there are no runs in" } else { "no run meets the condition in" };
        note(&format!("{why} {}/", root.path().display()));
        return Ok(());
    }
    show(&table, args, json)
}

fn refused(error: &RunTableError) -> Error {
    let hint = match error {
        RunTableError::Column(name) => suggest(name, run_columns()),
        RunTableError::Condition { .. } => {
            format!("such as: task == \"rte\" and score > 0.6; columns are {}", run_columns().join(", "))
        }
        RunTableError::Frame(_) => return Error::System(error.to_string()),
    };
    Diagnostic::new(error.to_string()).hint(hint).into()
}

fn show(table: &RunTable, args: &Args, json: bool) -> Result<(), Error> {
    let rows = table.rows().map_err(Error::system)?;
    if json {
        return Ok(print_json(&rows.into_iter().map(Value::Object).collect())?);
    }
    let columns = table.columns();
    let cells = |row: &Map<String, Value>, shown: fn(&str, &Value) -> String| -> Vec<String> {
        columns.iter().map(|(name, _)| shown(name, &row[*name])).collect()
    };
    if args.csv {
        let mut text = csv::Writer::from_writer(Vec::new());
        text.write_record(columns.iter().map(|(name, _)| *name)).map_err(Error::system)?;
        for row in &rows {
            text.write_record(cells(row, |_, value| plain(value))).map_err(Error::system)?;
        }
        let bytes = text.into_inner().map_err(Error::system)?;
        return Ok(print(&String::from_utf8_lossy(&bytes).trim_end())?);
    }
    let body: Vec<Vec<String>> = rows.iter().map(|row| cells(row, shown)).collect();
    if args.md {
        return Ok(print(&markdown(&columns, &body))?);
    }
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let heads: Vec<Column> = columns.iter().map(|(name, is_numeric)| head(name, *is_numeric)).collect();
    let is_asked = !args.columns.is_empty();
    Ok(print(&if is_asked { whole_table(&heads, body) } else { runs_table(&heads, &names, &body) })?)
}

/// Unrounded, empty where there is no value.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// For a person.
fn shown(name: &str, value: &Value) -> String {
    match (value, name) {
        (Value::Null, _) => "–".to_owned(),
        (Value::String(text), "commit") => text.chars().take(10).collect(),
        (value, "learning_rate") => value.as_f64().map_or_else(String::new, |rate| format!("{rate:e}")),
        (value, "score" | "best") => value.as_f64().map_or_else(String::new, |score| format!("{score:.4}")),
        (value, "seconds") => value.as_f64().map_or_else(String::new, |seconds| format!("{seconds:.1}")),
        (value, _) => plain(value),
    }
}

/// A column under a head that is no wider than what stands below.
fn head(name: &'static str, is_numeric: bool) -> Column<'static> {
    match name {
        "batch_size" => Column::Number("batch"),
        "learning_rate" => Column::Number("rate"),
        "experiment" | "task" | "model" => Column::Text(name),
        _ if is_numeric => Column::Number(name),
        _ => Column::Word(name),
    }
}

fn markdown(columns: &[(&'static str, bool)], body: &[Vec<String>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let escaped = |cell: &String| in_one_line(cell).replace('|', "\\|");
    let rules = columns.iter().map(|(_, numeric)| if *numeric { "---:" } else { "---" }.to_owned()).collect();
    let head = line(columns.iter().map(|(name, _)| name.replace('_', "\\_")).collect());
    let rows = body.iter().map(|row| line(row.iter().map(escaped).collect()));
    [head, line(rules)].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}
