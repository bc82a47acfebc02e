//! `bertbench list`

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::config::{self, Dimensions, ExperimentFile, Preset};
use crate::data::DATASETS;
use crate::diagnostic::{Diagnostic, Error};
use crate::kernel::Gpu;
use crate::metric::METRICS;
use crate::plan;
use crate::settings::Precision;
use crate::store::host;
use crate::task::TASKS;
use crate::terminal::{Column, print, print_json, print_wrapped, table};
use crate::train::{Found, FoundDevice, list_devices};
use crate::units::Bytes;

/// List what experiment files can name, and the scores that reports show.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub(super) struct Args {
    /// What to list.
    what: What,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Tasks, for `tasks:`.
    Tasks,
    /// Named model sizes, for `preset:`.
    Models,
    /// Scores that reports show.
    Metrics,
    /// Datasets that tasks read.
    Datasets,
    /// Experiment files in experiments/.
    Experiments,
    /// Devices of this machine, for `device:`, and how to build in the others.
    Devices,
}

/// An experiment's name, which is nearly always its file's.
const ONLY_JSON: &str = "experiment";

/// Rows as a program reads them, and the columns that a person does.
struct Listing {
    columns: &'static [Column<'static>],
    rows: Vec<Value>,
}

pub(super) fn execute(args: &Args) -> Result<(), Error> {
    let listing = match args.what {
        What::Tasks => tasks(),
        What::Models => models(),
        What::Metrics => metrics(),
        What::Datasets => datasets(),
        What::Experiments => experiments()?,
        What::Devices => devices(),
    };
    if args.json {
        print_json(&Value::Array(listing.rows))?;
    } else if matches!(args.what, What::Devices) {
        show_devices(&listing)?;
    } else {
        let cells = |row: &Value| {
            let shown = row.as_object().into_iter().flatten().filter(|(key, _)| *key != ONLY_JSON);
            shown.map(|(_, value)| cell(value)).collect()
        };
        print(&table(listing.columns, listing.rows.iter().map(cells)))?;
    }
    Ok(())
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Null => "–".into(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

fn tasks() -> Listing {
    let rows = TASKS.iter().map(|task| {
        let outputs = match &task.answers_with()[..] {
            [described] => json!(described),
            classes => json!(classes),
        };
        json!({"task": task.name, "title": task.title, "metric": task.primary_metric().name, "answers": outputs})
    });
    let columns = &[Column::Word("task"), Column::Text("title"), Column::Word("judged by"), Column::Text("answers")];
    Listing { columns, rows: rows.collect() }
}

/// Rows of the word embeddings of uncased BERT, for the number of parameters.
const UNCASED_VOCABULARY: u32 = 30_522;

fn models() -> Listing {
    let rows = Preset::ALL.iter().map(|(name, preset)| {
        let dimensions = preset.dimensions();
        let Dimensions { layers, hidden, heads, intermediate, .. } = dimensions;
        let architecture = plan::architecture(&dimensions, UNCASED_VOCABULARY, false);
        json!({"preset": name, "layers": layers, "hidden": hidden, "heads": heads, "intermediate": intermediate,
               "parameters": architecture.parameters()})
    });
    let columns = &[
        Column::Word("preset"),
        Column::Number("layers"),
        Column::Number("hidden"),
        Column::Number("heads"),
        Column::Number("intermediate"),
        Column::Number("parameters (uncased)"),
    ];
    Listing { columns, rows: rows.collect() }
}

fn metrics() -> Listing {
    let rows = METRICS.iter().map(|metric| {
        json!({"metric": metric.name, "unit": metric.unit.name(),
               "better": if metric.higher_is_better { "higher" } else { "lower" }})
    });
    Listing { columns: &[Column::Word("metric"), Column::Word("unit"), Column::Text("better")], rows: rows.collect() }
}

fn datasets() -> Listing {
    let rows = DATASETS.iter().map(|dataset| {
        let splits: Vec<String> =
            dataset.splits.iter().map(|split| format!("{} {}", split.name, split.examples)).collect();
        json!({"dataset": dataset.name, "folder": dataset.folder, "examples": splits})
    });
    let columns = &[Column::Word("dataset"), Column::Word("folder"), Column::Text("published examples")];
    Listing { columns, rows: rows.collect() }
}

/// What this build reaches on this machine; a kind that it does not reach is listed with what to do.
fn devices() -> Listing {
    let rows = list_devices().into_iter().map(|FoundDevice { device, found }| match found {
        Ok(Found { gpu, precisions }) => {
            let precisions: Vec<&str> = precisions.into_iter().map(Precision::name).collect();
            let Gpu { name, backend, driver, memory } = gpu.unwrap_or_else(|| {
                let host = host("cpu", 1);
                Gpu { name: host.cpu, backend: "flex".to_owned(), driver: None, memory: Some(host.memory) }
            });
            json!({"device": device, "name": name, "backend": backend, "driver": driver, "memory_bytes": memory,
                   "precisions": precisions, "problem": null})
        }
        Err(error) => json!({"device": device, "name": null, "backend": null, "driver": null, "memory_bytes": null,
                             "precisions": [], "problem": error.to_string()}),
    });
    let columns = &[
        Column::Text("device"),
        Column::Text("name"),
        Column::Text("backend"),
        Column::Text("driver"),
        Column::Number("memory"),
        Column::Text("precisions"),
    ];
    Listing { columns, rows: rows.collect() }
}

/// Those that are reached in a table, and a line below it for each of the others.
fn show_devices(listing: &Listing) -> Result<(), Error> {
    let (reached, others): (Vec<&Value>, Vec<&Value>) = listing.rows.iter().partition(|row| row["problem"].is_null());
    let memory = |row: &Value| row["memory_bytes"].as_u64().map_or_else(|| "–".to_owned(), |of| Bytes(of).to_string());
    let cells = |row: &&Value| {
        let [device, name, backend, driver, precisions] =
            ["device", "name", "backend", "driver", "precisions"].map(|key| cell(&row[key]));
        vec![device, name, backend, driver, memory(row), precisions]
    };
    print(&table(listing.columns, reached.iter().map(cells)))?;
    for other in others {
        print_wrapped(&format_args!("not here: {}", cell(&other["problem"])), 2)?;
    }
    Ok(())
}

/// The files of `experiments/` in this folder; one that does not load is listed with what is wrong.
fn experiments() -> Result<Listing, Error> {
    let folder = Path::new("experiments");
    let entries = std::fs::read_dir(folder).map_err(|error| {
        let found = Diagnostic::new(format!("cannot list {}/: {error}", folder.display()));
        Error::from(found.hint("it is looked for in the folder in which bertbench is started"))
    })?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"));
    files.sort();
    let rows = files.iter().map(|file| {
        let (name, models, tasks) = match config::load(file, &plan::known_tasks(), &[]) {
            Ok(ExperimentFile::Tasks(of)) => {
                (of.base.name, of.models.len(), of.tasks.iter().map(|task| task.name.clone()).collect::<Vec<_>>())
            }
            Ok(ExperimentFile::Pretraining(of)) => (of.base.name, of.models.len(), vec!["pretraining".to_owned()]),
            Err(finding) => ("–".to_owned(), 0, vec![format!("does not load: {}", finding.message)]),
        };
        json!({"file": file, "experiment": name, "models": models, "tasks": tasks})
    });
    let columns = &[Column::Word("file"), Column::Number("models"), Column::Text("tasks")];
    Ok(Listing { columns, rows: rows.collect() })
}
