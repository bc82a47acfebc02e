//! `bertbench runs`

use clap_complete::engine::ArgValueCompleter;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::completions;
use super::run::shown;
use super::{runs_list, runs_rm};
use crate::diagnostic::{Diagnostic, Error};
use crate::gather::find_run;
use crate::report::moment;
use crate::store::{Evaluation, Event, Record, RunFolder, RunsRoot, diff, unless_damaged};
use crate::terminal::{Column, curve, note, note_text, print, print_json, print_wrapped, table, whole_table};

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
    List(runs_list::Args),
    /// Show everything about one run.
    Show {
        /// The run's id, its first digits, or its folder.
        #[arg(add = ArgValueCompleter::new(completions::run_ids))]
        id: String,
    },
    /// Show the settings in which two runs differ, and the scores of both.
    Diff {
        /// The one run's id, its first digits, or its folder.
        #[arg(add = ArgValueCompleter::new(completions::run_ids))]
        a: String,
        /// The other run's id, its first digits, or its folder.
        #[arg(add = ArgValueCompleter::new(completions::run_ids))]
        b: String,
    },
    Rm(runs_rm::Args),
    Gc(runs_rm::GcArgs),
}

pub(super) fn execute(args: &Args) -> Result<(), Error> {
    let (root, only) = (RunsRoot::new(&args.runs), args.experiment.as_deref());
    match &args.command {
        Command::List(list) => runs_list::execute(&root, list, only, args.json),
        Command::Show { id } => show(&find_run(&root, id, only)?, args.json),
        Command::Diff { a, b } => differences(&find_run(&root, a, only)?, &find_run(&root, b, only)?, args.json),
        Command::Rm(rm) => runs_rm::remove(&root, rm, only, args.json),
        Command::Gc(gc) => runs_rm::collect(&root, gc, only, args.json),
    }
}

fn show(folder: &RunFolder, as_json: bool) -> Result<(), Error> {
    let state = folder.state()?;
    let (failure, record) = (unless_damaged(folder.failure(), note_text)?, unless_damaged(folder.record(), note_text)?);
    let settings = unless_damaged(folder.settings(), note_text)?;
    let events = unless_damaged(folder.events().map(Some), note_text)?.unwrap_or_default();
    record.iter().flat_map(|record| folder.damaged_side_files(record)).for_each(|damage| note(&damage));
    let step = events.last().map_or(0, Event::step);
    if as_json {
        return Ok(print_json(&json!({
            "id": folder.id(), "folder": folder.path(), "state": state.word(), "step": step,
            "failure": failure, "record": record, "settings": settings,
        }))?);
    }
    let (id, path, state) = (folder.id(), folder.path().display(), state.word());
    print(&format_args!("run     {id}\nfolder  {path}\nstate   {state}"))?;
    if let Some(failure) = &failure {
        print(&format_args!("failed  {}: {}", failure.kind, failure.cause))?;
    }
    print(&format_args!("step    {step}"))?;
    if let Some(record) = &record {
        show_record(record)?;
    }
    show_evaluations(record.as_ref(), &events)?;
    if let Some(settings) = settings {
        let yaml = serde_yaml::to_string(&settings).map_err(|error| Error::System(error.to_string()))?;
        let lines: Vec<String> = yaml.trim_end().lines().map(short_checksum).collect();
        print(&format_args!("\nsettings\n{}", lines.join("\n")))?;
    }
    Ok(())
}

/// A line of which a checksum at its end is cut to as much as tells it from another.
fn short_checksum(line: &str) -> String {
    match line.rsplit_once(' ') {
        Some((before, word)) if is_checksum(word) => format!("{before} {}…", &word[..12]),
        Some(_) | None => line.to_owned(),
    }
}

fn is_checksum(word: &str) -> bool {
    word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit())
}

fn known(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

/// What a run left: when and where it ran, what it cost, its last scores.
fn show_record(record: &Record) -> Result<(), Error> {
    let (ended, ran) = (&record.timings, &record.provenance);
    let commit = ran.git_commit.as_deref().map_or("unknown", |commit| commit.get(..12).unwrap_or(commit));
    let dirty = if ran.git_dirty { ", with uncommitted changes" } else { "" };
    print(&format_args!(
        "host    {} ({}, {} {})\nran     {} to {}\ncommit  {commit}{dirty}",
        record.host.name,
        record.host.device,
        record.host.threads,
        if record.host.threads == 1 { "thread" } else { "threads" },
        moment(ran.started_unix),
        moment(ran.finished_unix)
    ))?;
    print(&format_args!(
        "time    {} ({} tokens/s, {:.1} % overhead), peak memory {}",
        ended.wall,
        ended.tokens_per_second.round(),
        100.0 * ended.overhead_fraction,
        record.peak_memory
    ))?;
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
            let values = metrics.map(|name| known(evaluation.value(name)));
            std::iter::once(evaluation.step.to_string()).chain(values).collect()
        });
        print(&format_args!("\n{}", table(&columns, rows)))?;
    }
    for note in &record.notes {
        print_wrapped(&format_args!("note    {note}"), 8)?;
    }
    Ok(())
}

/// The scores by epoch, and the training loss over the steps as a curve.
fn show_evaluations(record: Option<&Record>, events: &[Event]) -> Result<(), Error> {
    let logged = events.iter().filter_map(|event| match event {
        Event::Evaluation(evaluation) => Some(evaluation),
        Event::Step(_) => None,
    });
    let evaluations: Vec<&Evaluation> = match record.filter(|record| !record.evaluations.is_empty()) {
        Some(record) => record.evaluations.iter().collect(),
        None => logged.collect(),
    };
    // A pretraining's evaluations are the table of its record.
    if let Some(last) = evaluations.last().filter(|last| last.epoch.is_some()) {
        let names: Vec<String> = last.scores.iter().map(|score| format!("{} {}", score.split, score.metric)).collect();
        let heads = ["epoch", "train loss"].into_iter().chain(names.iter().map(String::as_str)).map(Column::Number);
        let rows = evaluations.iter().map(|evaluation| {
            let epoch = evaluation.epoch.map_or_else(String::new, |epoch| epoch.to_string());
            let scores = evaluation.scores.iter().map(|score| known(score.value));
            [epoch, known(evaluation.train_loss)].into_iter().chain(scores).collect()
        });
        print(&format_args!("\n{}", whole_table(&heads.collect::<Vec<_>>(), rows)))?;
    }
    let losses: Vec<f64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Step(step) => Some(step.loss),
            Event::Evaluation(_) => None,
        })
        .collect();
    if let Some(drawn) = curve(&losses) {
        print(&format_args!("\n{drawn}"))?;
    }
    Ok(())
}

fn differences(a: &RunFolder, b: &RunFolder, as_json: bool) -> Result<(), Error> {
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
            rows.push(vec![format!("{} {}", score.split, score.metric), known(score.value), known(other)]);
        }
    }
    if as_json {
        let rows: Vec<_> = rows.iter().map(|row| json!({"key": row[0], "a": row[1], "b": row[2]})).collect();
        print_json(&serde_json::Value::Array(rows))?;
    } else {
        // Of a checksum, as much as tells it from another.
        let short = |text: &String| if is_checksum(text) { format!("{}…", &text[..12]) } else { text.clone() };
        let columns = [Column::Text("what"), Column::Text("a"), Column::Text("b")];
        let ids = vec!["run".to_owned(), a.id().0.clone(), b.id().0.clone()];
        print(&table(&columns, std::iter::once(ids).chain(rows.iter().map(|row| row.iter().map(short).collect()))))?;
    }
    Ok(())
}
