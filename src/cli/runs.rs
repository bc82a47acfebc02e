//! `bertbench runs`

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::error::{CommandOutcome, Error, note};
use super::run_argument::one;
use super::table::{Column, print, print_json, table};
use crate::diagnostic::{Diagnostic, suggest};
use crate::store::{Event, Failure, Record, RunFolder, RunState, RunsRoot, StoreError, diff};

/// List, show, compare and remove single runs.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
    /// The folder of all runs [default: runs].
    #[arg(long, default_value = "runs", value_name = "DIR", hide_default_value = true, global = true)]
    runs: PathBuf,
    /// Only runs of this experiment (its name, not its file), where several have runs with the same id.
    #[arg(long = "experiment", id = "only-experiment", value_name = "NAME", global = true)]
    experiment: Option<String>,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the runs on disk, of all experiments or of one.
    List {
        /// The experiment's name (not its file).
        experiment: Option<String>,
    },
    /// Show everything about one run.
    Show {
        /// The run's id, its first digits, or its folder.
        id: String,
    },
    /// Show the settings in which two runs differ, and the scores of both.
    Diff {
        /// The one run's id, its first digits, or its folder.
        a: String,
        /// The other run's id, its first digits, or its folder.
        b: String,
    },
    /// Remove a run with all its files; `bertbench run` will run it again.
    Rm {
        /// The run's id, its first digits, or its folder.
        id: String,
    },
}

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let (root, only) = (RunsRoot::new(&args.runs), args.experiment.as_deref());
    match &args.command {
        Command::List { experiment } => list(&root, experiment.as_deref().or(only), args.json),
        Command::Show { id } => show(&one(&root, id, only)?, args.json),
        Command::Diff { a, b } => differences(&one(&root, a, only)?, &one(&root, b, only)?, args.json),
        Command::Rm { id } => {
            let folder = one(&root, id, only)?;
            folder.remove()?;
            print(&format_args!("removed {}", folder.path().display()))?;
            Ok(CommandOutcome::Success)
        }
    }
}

/// How far a run is, in a word.
pub(super) fn state_word(state: &RunState) -> &'static str {
    match state {
        RunState::Claimed(holder) if holder.alive && !holder.silent => "running",
        // A dead holder's run is taken over by the next process.
        RunState::Missing | RunState::Claimed(_) => "missing",
        RunState::Done => "done",
        RunState::Failed(_) => "failed",
        RunState::Damaged(_) => "damaged",
    }
}

/// Says why a record does not count.
pub(super) fn note_damage(state: &RunState) {
    if let RunState::Damaged(damage) = state {
        note(&format_args!("{damage}; `bertbench run` keeps it aside and runs it again"));
    }
}

fn list(root: &RunsRoot, experiment: Option<&str>, as_json: bool) -> Result<CommandOutcome, Error> {
    let mut experiments = root.experiments()?;
    if let Some(name) = experiment {
        if !experiments.iter().any(|known| known == name) {
            let found = Diagnostic::new(format!("no runs of an experiment `{name}` in {}/", root.path().display()));
            let known = experiments.iter().map(String::as_str);
            let hint = if experiments.is_empty() { "there are no runs yet".into() } else { suggest(name, known) };
            return Err(found.hint(hint).into());
        }
        experiments.retain(|known| known == name);
    }
    let mut rows = Vec::new();
    for experiment in &experiments {
        for folder in root.folders(experiment)? {
            let state = folder.state()?;
            note_damage(&state);
            let record = folder.record().ok().flatten();
            let metric = record.as_ref().filter(|of| !of.scores.is_empty()).map(Record::primary_metric);
            let score = record.as_ref().and_then(Record::primary_score);
            let seconds = record.as_ref().map(|of| of.timings.wall);
            rows.push(json!({
                "id": folder.id(), "experiment": experiment, "task": folder.task(), "model": folder.model(),
                "state": state_word(&state), "metric": metric, "score": score, "seconds": seconds,
            }));
        }
    }
    if as_json {
        print_json(&serde_json::Value::Array(rows))?;
        return Ok(CommandOutcome::Success);
    }
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("–").to_owned();
    let number = |value: &serde_json::Value, digits: usize| {
        value.as_f64().map_or_else(|| "–".to_owned(), |number| format!("{number:.digits$}"))
    };
    let columns = [
        Column::Text("id"),
        Column::Text("experiment"),
        Column::Text("task"),
        Column::Text("model"),
        Column::Text("state"),
        Column::Text("metric"),
        Column::Number("score"),
        Column::Number("seconds"),
    ];
    let cells = rows.iter().map(|row| {
        let mut cells: Vec<String> =
            ["id", "experiment", "task", "model", "state", "metric"].map(|key| text(&row[key])).into();
        cells.extend([number(&row["score"], 4), number(&row["seconds"], 1)]);
        cells
    });
    if rows.is_empty() {
        note(&format_args!("there are no runs in {}/ yet", root.path().display()));
        return Ok(CommandOutcome::Success);
    }
    print(&table(&columns, cells))?;
    Ok(CommandOutcome::Success)
}

fn show(folder: &RunFolder, as_json: bool) -> Result<CommandOutcome, Error> {
    let state = folder.state()?;
    let (failure, record) = (or_note(folder.failure())?, or_note(folder.record())?);
    let (settings, events) = (or_note(folder.settings())?, or_note(folder.events().map(Some))?.unwrap_or_default());
    record.iter().flat_map(|record| folder.damaged_side_files(record)).for_each(|damage| note(&damage));
    let step = events.last().map_or(0, Event::step);
    if as_json {
        let everything = json!({
            "id": folder.id(), "folder": folder.path(), "state": state_word(&state), "step": step,
            "failure": failure, "record": record, "settings": settings,
        });
        print_json(&everything)?;
        return Ok(CommandOutcome::Success);
    }
    show_state(folder, &state, failure.as_ref())?;
    print(&format_args!("step    {step}"))?;
    if let Some(record) = &record {
        show_record(record)?;
    }
    if let Some(settings) = settings {
        let yaml = serde_yaml::to_string(&settings).map_err(|error| Error::System(error.to_string()))?;
        print(&format_args!("\nsettings\n{}", yaml.trim_end()))?;
    }
    Ok(CommandOutcome::Success)
}

/// What was read; nothing, with a note, where the file is damaged.
pub(super) fn or_note<T>(read: Result<Option<T>, StoreError>) -> Result<Option<T>, Error> {
    match read {
        Err(damage) if damage.is_damage() => {
            note(&damage);
            Ok(None)
        }
        other => Ok(other?),
    }
}

fn show_record(record: &Record) -> Result<(), Error> {
    let ended = &record.timings;
    print(&format_args!(
        "time    {} ({} tokens/s, {:.1} % overhead), peak memory {}",
        ended.wall,
        ended.tokens_per_second.round(),
        100.0 * ended.overhead_fraction,
        record.peak_memory
    ))?;
    let shown = |value: Option<f64>| value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.4}"));
    if record.task().is_some() {
        let columns = [Column::Text("split"), Column::Text("metric"), Column::Number("value"), Column::Text("unit")];
        let rows = record
            .scores
            .iter()
            .map(|score| vec![score.split.clone(), score.metric.clone(), shown(score.value), score.unit.clone()]);
        print(&format_args!("\n{}", table(&columns, rows)))?;
    } else {
        let columns = ["step", "loss", "perplexity", "accuracy", "next sentence"].map(Column::Number);
        let metrics = ["mlm_loss", "perplexity", "mlm_accuracy", "nsp_accuracy"];
        let rows = record.evaluations.iter().map(|evaluation| {
            let values = metrics
                .map(|name| evaluation.value(name).map_or_else(|| "–".to_owned(), |value| format!("{value:.4}")));
            std::iter::once(evaluation.step.to_string()).chain(values).collect()
        });
        print(&format_args!("\n{}", table(&columns, rows)))?;
    }
    for note in &record.notes {
        print(&format_args!("note    {note}"))?;
    }
    Ok(())
}

fn show_state(folder: &RunFolder, state: &RunState, failure: Option<&Failure>) -> Result<(), Error> {
    let (id, path, state) = (folder.id(), folder.path().display(), state_word(state));
    print(&format_args!("run     {id}\nfolder  {path}\nstate   {state}"))?;
    if let Some(failure) = failure {
        print(&format_args!("failed  {}: {}", failure.kind, failure.cause))?;
    }
    Ok(())
}

fn differences(a: &RunFolder, b: &RunFolder, as_json: bool) -> Result<CommandOutcome, Error> {
    let (Some(left), Some(right)) = (a.settings()?, b.settings()?) else {
        return Err(Diagnostic::new("a run without settings.json cannot be compared").into());
    };
    if left.task().is_some() != right.task().is_some() {
        let found = Diagnostic::new("one of the runs pretrains and the other does not");
        return Err(found.hint("`bertbench runs list` shows what each is").into());
    }
    let differing = diff(&left, &right).into_iter();
    let mut rows: Vec<Vec<String>> = differing.map(|(path, left, right)| vec![path, left, right]).collect();
    if let (Some(left), Some(right)) = (a.record()?, b.record()?) {
        for score in &left.scores {
            let other = right.score(&score.metric, &score.split);
            let show = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
            rows.push(vec![format!("{} {}", score.split, score.metric), show(score.value), show(other)]);
        }
    }
    if as_json {
        let rows: Vec<_> = rows.iter().map(|row| json!({"key": row[0], "a": row[1], "b": row[2]})).collect();
        print_json(&serde_json::Value::Array(rows))?;
    } else {
        let columns = [Column::Text("what"), Column::Text("a"), Column::Text("b")];
        print(&table(&columns, rows))?;
    }
    Ok(CommandOutcome::Success)
}
