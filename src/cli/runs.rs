//! `bertbench runs`

use clap_complete::engine::ArgValueCompleter;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::completions;
use super::outcome::CommandOutcome;
use super::{runs_list, runs_rm, runs_show};
use crate::diagnostic::{Diagnostic, Error};
use crate::gather::find_run;
use crate::store::{Event, Failure, RunFolder, RunState, RunsRoot, diff, unless_damaged};
use crate::terminal::{Column, note, note_text, print, print_json, table};

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

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let (root, only) = (RunsRoot::new(&args.runs), args.experiment.as_deref());
    match &args.command {
        Command::List(list) => runs_list::execute(&root, list, only, args.json),
        Command::Show { id } => show(&find_run(&root, id, only)?, args.json),
        Command::Diff { a, b } => differences(&find_run(&root, a, only)?, &find_run(&root, b, only)?, args.json),
        Command::Rm(rm) => runs_rm::remove(&root, rm, only, args.json),
        Command::Gc(gc) => runs_rm::collect(&root, gc, only, args.json),
    }
}

fn show(folder: &RunFolder, as_json: bool) -> Result<CommandOutcome, Error> {
    let state = folder.state()?;
    let (failure, record) = (unless_damaged(folder.failure(), note_text)?, unless_damaged(folder.record(), note_text)?);
    let settings = unless_damaged(folder.settings(), note_text)?;
    let events = unless_damaged(folder.events().map(Some), note_text)?.unwrap_or_default();
    record.iter().flat_map(|record| folder.damaged_side_files(record)).for_each(|damage| note(&damage));
    let step = events.last().map_or(0, Event::step);
    if as_json {
        let everything = json!({
            "id": folder.id(), "folder": folder.path(), "state": state.word(), "step": step,
            "failure": failure, "record": record, "settings": settings,
        });
        print_json(&everything)?;
        return Ok(CommandOutcome::Success);
    }
    show_state(folder, &state, failure.as_ref())?;
    print(&format_args!("step    {step}"))?;
    if let Some(record) = &record {
        runs_show::record(record)?;
    }
    runs_show::evaluations(record.as_ref(), &events)?;
    if let Some(settings) = settings {
        let yaml = serde_yaml::to_string(&settings).map_err(|error| Error::System(error.to_string()))?;
        let lines: Vec<String> = yaml.trim_end().lines().map(short_checksum).collect();
        print(&format_args!("\nsettings\n{}", lines.join("\n")))?;
    }
    Ok(CommandOutcome::Success)
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

fn show_state(folder: &RunFolder, state: &RunState, failure: Option<&Failure>) -> Result<(), Error> {
    let (id, path, state) = (folder.id(), folder.path().display(), state.word());
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
        // Of a checksum, as much as tells it from another.
        let short = |text: &String| if is_checksum(text) { format!("{}…", &text[..12]) } else { text.clone() };
        let columns = [Column::Text("what"), Column::Text("a"), Column::Text("b")];
        let ids = vec!["run".to_owned(), a.id().0.clone(), b.id().0.clone()];
        print(&table(&columns, std::iter::once(ids).chain(rows.iter().map(|row| row.iter().map(short).collect()))))?;
    }
    Ok(CommandOutcome::Success)
}
