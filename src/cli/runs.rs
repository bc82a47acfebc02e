//! `bertbench runs`

use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::table::{Column, print, table};
use super::{CommandOutcome, Error};
use crate::diagnostic::{Diagnostic, suggest};
use crate::store::{
    Event, Failure, Finished, PretrainEvent, PretrainRecord, RunFolder, RunState, RunsRoot, Work, diff,
};
use crate::units::Seconds;

/// List, show, compare and remove single runs.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
    /// The folder of all runs [default: runs].
    #[arg(long, default_value = "runs", value_name = "DIR", hide_default_value = true, global = true)]
    runs: PathBuf,
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
        /// The run's id, or its first digits.
        id: String,
    },
    /// Show the settings in which two runs differ, and the scores of both.
    Diff {
        /// The one run's id, or its first digits.
        a: String,
        /// The other run's id, or its first digits.
        b: String,
    },
    /// Remove a run with all its files; `bertbench run` will run it again.
    Rm {
        /// The run's id, or its first digits.
        id: String,
    },
}

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let root = RunsRoot::new(&args.runs);
    match &args.command {
        Command::List { experiment } => list(&root, experiment.as_deref(), args.json),
        Command::Show { id } => show(&one(&root, id)?, args.json),
        Command::Diff { a, b } => differences(&one(&root, a)?, &one(&root, b)?, args.json),
        Command::Rm { id } => {
            let folder = one(&root, id)?;
            folder.remove()?;
            print(&format_args!("removed {}", folder.path().display()))?;
            Ok(CommandOutcome::Success)
        }
    }
}

/// The one run whose id starts with `prefix`.
fn one(root: &RunsRoot, prefix: &str) -> Result<RunFolder, Error> {
    let mut found = root.find(prefix)?;
    match (found.len(), found.pop()) {
        (1, Some(folder)) => Ok(folder),
        (0, _) => {
            let hint = "`bertbench runs list` shows the ids";
            Err(Diagnostic::new(format!("no run's id starts with `{prefix}`")).hint(hint).into())
        }
        (count, last) => {
            let example = last.map_or_else(String::new, |folder| format!("such as `{}`", folder.id()));
            let finding = Diagnostic::new(format!("{count} runs' ids start with `{prefix}`"));
            Err(finding.hint(format!("give more digits, {example}")).into())
        }
    }
}

/// How far a run is, in a word.
pub(super) fn state_word(state: &RunState) -> &'static str {
    match state {
        RunState::Claimed(holder) if holder.alive => "running",
        // A dead holder's run is taken over by the next process.
        RunState::Missing | RunState::Claimed(_) => "missing",
        RunState::Done => "done",
        RunState::Failed(_) => "failed",
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
            let (metric, score, seconds) =
                folder.finished().ok().flatten().map_or((None, None, None), |done| judged(&done));
            rows.push(json!({
                "id": folder.id(), "experiment": experiment, "task": folder.task(), "model": folder.model(),
                "state": state_word(&state), "metric": metric, "score": score, "seconds": seconds,
            }));
        }
    }
    if as_json {
        print(&format_args!("{:#}", serde_json::Value::Array(rows)))?;
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
        eprintln!("note: there are no runs in {}/ yet", root.path().display());
        return Ok(CommandOutcome::Success);
    }
    print(&table(&columns, cells))?;
    Ok(CommandOutcome::Success)
}

/// What a run that is done is judged by, its value, and how long it took.
fn judged(done: &Finished) -> (Option<String>, Option<f64>, Option<Seconds>) {
    match done {
        Finished::FineTuning(record) => {
            (Some(record.primary_metric.clone()), record.primary_score(), Some(record.timings.wall))
        }
        Finished::Pretraining(record) => {
            let perplexity = record.evaluations.last().map(|scores| scores.perplexity);
            (perplexity.map(|_| "perplexity".to_owned()), perplexity, Some(record.wall))
        }
    }
}

fn show(folder: &RunFolder, as_json: bool) -> Result<CommandOutcome, Error> {
    if folder.is_pretraining() {
        return show_pretraining(folder, as_json);
    }
    let state = folder.state()?;
    let settings = folder.settings()?;
    let record = folder.record()?;
    let failure = folder.failure()?;
    let events = folder.events()?;
    let steps = events.iter().filter(|event| matches!(event, Event::Step(_))).count();
    let everything = json!({
        "id": folder.id(), "folder": folder.path(), "state": state_word(&state), "steps_logged": steps,
        "failure": failure, "record": record, "settings": settings,
    });
    if as_json {
        print(&format_args!("{everything:#}"))?;
        return Ok(CommandOutcome::Success);
    }
    show_state(folder, &state, failure.as_ref())?;
    if let Some(record) = record {
        let ended = &record.timings;
        print(&format_args!(
            "time    {} ({} tokens/s, {:.1} % overhead), peak memory {}",
            ended.wall,
            ended.tokens_per_second.round(),
            100.0 * ended.overhead_fraction,
            record.peak_memory
        ))?;
        let columns = [Column::Text("split"), Column::Text("metric"), Column::Number("value"), Column::Text("unit")];
        let rows = record.scores.iter().map(|score| {
            let value = score.value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.4}"));
            vec![score.split.clone(), score.metric.clone(), value, score.unit.clone()]
        });
        print(&format_args!("\n{}", table(&columns, rows)))?;
        for note in &record.notes {
            print(&format_args!("note    {note}"))?;
        }
    }
    show_settings(settings.as_ref())
}

fn show_state(folder: &RunFolder, state: &RunState, failure: Option<&Failure>) -> Result<(), Error> {
    let (id, path, state) = (folder.id(), folder.path().display(), state_word(state));
    print(&format_args!("run     {id}\nfolder  {path}\nstate   {state}"))?;
    if let Some(failure) = failure {
        print(&format_args!("failed  {}: {}", failure.kind, failure.cause))?;
    }
    Ok(())
}

fn show_settings(settings: Option<&impl Serialize>) -> Result<CommandOutcome, Error> {
    if let Some(settings) = settings {
        let yaml = serde_yaml::to_string(settings).map_err(|error| Error::System(error.to_string()))?;
        print(&format_args!("\nsettings\n{}", yaml.trim_end()))?;
    }
    Ok(CommandOutcome::Success)
}

fn show_pretraining(folder: &RunFolder, as_json: bool) -> Result<CommandOutcome, Error> {
    let (state, failure, record) = (folder.state()?, folder.failure()?, folder.pretrain_record()?);
    let step = folder.pretrain_events()?.last().map_or(0, PretrainEvent::step);
    let settings = match folder.work()? {
        Some(Work::Pretraining(settings)) => Some(settings),
        Some(Work::FineTuning(_)) | None => None,
    };
    if as_json {
        let everything = json!({
            "id": folder.id(), "folder": folder.path(), "state": state_word(&state), "step": step,
            "failure": failure, "record": record, "settings": settings,
        });
        print(&format_args!("{everything:#}"))?;
        return Ok(CommandOutcome::Success);
    }
    show_state(folder, &state, failure.as_ref())?;
    print(&format_args!("step    {step}"))?;
    if let Some(record) = record {
        let (wall, speed, memory) = (record.wall, record.tokens_per_second.round(), record.peak_memory);
        print(&format_args!("time    {wall} ({speed} tokens/s), peak memory {memory}"))?;
        let columns = ["step", "loss", "perplexity", "accuracy", "next sentence"].map(Column::Number);
        let rows = record.evaluations.iter().map(|scores| {
            let next = scores.nsp_accuracy.map_or_else(|| "–".to_owned(), |accuracy| format!("{accuracy:.4}"));
            let numbers = [scores.mlm_loss, scores.perplexity, scores.mlm_accuracy].map(|value| format!("{value:.4}"));
            [vec![scores.step.to_string()], numbers.into(), vec![next]].concat()
        });
        print(&format_args!("\n{}", table(&columns, rows)))?;
        for note in &record.notes {
            print(&format_args!("note    {note}"))?;
        }
    }
    show_settings(settings.as_ref())
}

fn differences(a: &RunFolder, b: &RunFolder, as_json: bool) -> Result<CommandOutcome, Error> {
    let differing = match (a.work()?, b.work()?) {
        (Some(Work::FineTuning(left)), Some(Work::FineTuning(right))) => diff(&*left, &*right),
        (Some(Work::Pretraining(left)), Some(Work::Pretraining(right))) => diff(&*left, &*right),
        (Some(_), Some(_)) => {
            let found = Diagnostic::new("one of the runs pretrains and the other does not");
            return Err(found.hint("`bertbench runs list` shows what each is").into());
        }
        _ => return Err(Diagnostic::new("a run without settings.json cannot be compared").into()),
    };
    let mut rows: Vec<Vec<String>> = differing.into_iter().map(|(path, left, right)| vec![path, left, right]).collect();
    if let (Some(left), Some(right)) = (a.pretrain_record()?, b.pretrain_record()?) {
        let perplexity = |record: &PretrainRecord| {
            record.evaluations.last().map_or_else(|| "–".to_owned(), |scores| format!("{:.4}", scores.perplexity))
        };
        rows.push(vec!["perplexity".to_owned(), perplexity(&left), perplexity(&right)]);
    }
    if let (Some(left), Some(right)) = (a.record()?, b.record()?) {
        for score in &left.scores {
            let other = right.score(&score.metric, &score.split);
            let show = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
            rows.push(vec![format!("{} {}", score.split, score.metric), show(score.value), show(other)]);
        }
    }
    if as_json {
        let rows: Vec<_> = rows.iter().map(|row| json!({"key": row[0], "a": row[1], "b": row[2]})).collect();
        print(&format_args!("{:#}", serde_json::Value::Array(rows)))?;
    } else {
        let columns = [Column::Text("what"), Column::Text("a"), Column::Text("b")];
        print(&table(&columns, rows))?;
    }
    Ok(CommandOutcome::Success)
}
