//! `bertbench completions`, and what shells complete arguments with: experiments, tasks, models, runs.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use clap_complete::Shell;
use clap_complete::engine::CompletionCandidate;
use clap_complete::env::{CompleteEnv, Shells};

use crate::diagnostic::Error;
use crate::store::{RunFolder, RunsRoot};
use crate::task::TASKS;
use crate::terminal::print;

/// The variable by which a shell asks the program itself what can stand next.
const VARIABLE: &str = "COMPLETE";
const NAME: &str = "bertbench";

/// Print a completion script for a shell.
///
/// Experiments, tasks, models and ids of runs are completed as well: the script asks bertbench for them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  bertbench completions bash > ~/.local/share/bash-completion/completions/bertbench")]
pub(super) struct Args {
    /// The shell.
    shell: Shell,
}

pub(super) fn execute(args: &Args) -> Result<(), Error> {
    let mut script = Vec::new();
    if let Some(shell) = Shells::builtins().completer(&args.shell.to_string()) {
        shell.write_registration(VARIABLE, NAME, NAME, NAME, &mut script)?;
    }
    Ok(print(&String::from_utf8_lossy(&script).trim_end())?)
}

/// Answers a shell that asks, and ends the process then.
pub(super) fn answer() {
    CompleteEnv::with_factory(super::command).var(VARIABLE).complete();
}

fn candidates(all: impl IntoIterator<Item = String>, typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    all.into_iter().filter(|one| one.starts_with(&*typed)).map(CompletionCandidate::new).collect()
}

/// Where runs are kept unless `--runs` says otherwise.
fn root() -> RunsRoot {
    RunsRoot::new("runs")
}

/// The folders and YAML files that go on from what is typed.
fn files(typed: &str) -> Vec<String> {
    let folder = typed.rfind('/').map_or("", |at| &typed[..=at]);
    let entries = std::fs::read_dir(if folder.is_empty() { Path::new(".") } else { Path::new(folder) });
    let mut found = Vec::new();
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_yaml = Path::new(&name).extension().is_some_and(|of| of == "yaml" || of == "yml");
        if entry.path().is_dir() && !name.starts_with('.') {
            found.push(format!("{folder}{name}/"));
        } else if is_yaml {
            found.push(format!("{folder}{name}"));
        }
    }
    found.sort();
    found
}

/// Experiment files.
pub(super) fn experiment_files(typed: &OsStr) -> Vec<CompletionCandidate> {
    candidates(files(&typed.to_string_lossy()), typed)
}

/// Experiment files, and the names of experiments that have runs.
pub(super) fn experiments(typed: &OsStr) -> Vec<CompletionCandidate> {
    let names = root().experiments().unwrap_or_default();
    candidates(names.into_iter().chain(files(&typed.to_string_lossy())), typed)
}

fn runs() -> impl Iterator<Item = RunFolder> {
    let experiments = root().experiments().unwrap_or_default();
    experiments.into_iter().flat_map(|of| root().folders(&of).unwrap_or_default())
}

/// The models that have runs, by name.
fn models() -> BTreeSet<String> {
    runs().map(|run| run.model().to_owned()).collect()
}

/// Ids of runs.
pub(super) fn run_ids(typed: &OsStr) -> Vec<CompletionCandidate> {
    candidates(runs().map(|run| run.id().0.clone()), typed)
}

/// What `compare` takes: experiments, models in them, runs.
pub(super) fn operands(typed: &OsStr) -> Vec<CompletionCandidate> {
    let mut found = experiments(typed);
    if let Some((of, _)) = typed.to_string_lossy().rsplit_once(':') {
        found.extend(candidates(models().into_iter().map(|model| format!("{of}:{model}")), typed));
    }
    // Ids are many: from the first digit on.
    if !typed.is_empty() {
        found.extend(run_ids(typed));
    }
    found
}

/// The last condition of `--only`: a key, or a task or model behind it.
pub(super) fn conditions(typed: &OsStr) -> Vec<CompletionCandidate> {
    let text = typed.to_string_lossy();
    let before = text.rfind(',').map_or("", |at| &text[..=at]);
    let models = models().into_iter().map(|model| format!("model={model}"));
    let tasks = TASKS.iter().map(|task| format!("task={}", task.name));
    let keys = ["batch_size=", "epochs=", "learning_rate=", "model=", "seed=", "task="].map(str::to_owned);
    candidates(tasks.chain(models).chain(keys).map(|one| format!("{before}{one}")), typed)
}
