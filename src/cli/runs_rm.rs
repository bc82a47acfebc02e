//! `bertbench runs rm` and `bertbench runs gc`

use clap_complete::engine::ArgValueCompleter;
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::completions;
use crate::diagnostic::{Error, visible};
use crate::gather::{experiments, find_run};
use crate::store::{RunFolder, RunsRoot, bytes_at};
use crate::terminal::{print, print_json};
use crate::units::Bytes;

/// Remove runs with all their files; `bertbench run` will run them again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The runs' ids, their first digits, or their folders.
    #[arg(required_unless_present = "failed", value_name = "ID", add = ArgValueCompleter::new(completions::run_ids))]
    ids: Vec<String>,
    /// Every run that failed.
    #[arg(long)]
    failed: bool,
    /// Only say what would be removed.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask. Without a terminal nothing is asked.
    #[arg(short, long)]
    yes: bool,
}

/// Remove weights that are kept beside records, and texts that no run refers to, and say how much space that frees.
///
/// Records, logs and predictions stay, and models that pretraining runs left, which others start from. Texts of dev
/// splits are kept for reports; those that only removed runs were scored on go.
#[derive(Debug, clap::Args)]
pub(super) struct GcArgs {
    /// The experiment: its name or its file; all without.
    experiment: Option<String>,
    /// Whose weights stay.
    #[arg(long)]
    keep: Keep,
    /// Only say what would be removed.
    #[arg(long)]
    dry_run: bool,
}

/// Whose weights stay.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Keep {
    /// Those of the best run of each task of an experiment, whatever its model.
    BestPerTask,
}

pub(super) fn remove(root: &RunsRoot, args: &Args, only: Option<&str>, json: bool) -> Result<(), Error> {
    let mut folders = args.ids.iter().map(|id| find_run(root, id, only)).collect::<Result<Vec<_>, _>>()?;
    if args.failed {
        for experiment in experiments(root, only)? {
            folders.extend(root.failures(&experiment)?.into_iter().map(|(folder, _)| folder));
        }
    }
    folders.sort_by(|a, b| a.path().cmp(b.path()));
    folders.dedup_by(|a, b| a.path() == b.path());
    if folders.is_empty() {
        return Ok(print(&"no run failed: nothing to remove")?);
    }
    if !args.dry_run && !args.yes && !agreed(&folders)? {
        return Ok(print(&"nothing was removed")?);
    }
    let mut removal = Removal { json, dry_run: args.dry_run, removed: Vec::new() };
    for folder in &folders {
        removal.remove(folder.path(), || folder.remove())?;
    }
    removal.summary()
}

/// What was removed, or would be.
struct Removal {
    json: bool,
    dry_run: bool,
    removed: Vec<(PathBuf, Bytes)>,
}

impl Removal {
    /// Removes what is at `path` by `remove`, and says so.
    fn remove<E>(&mut self, path: &Path, remove: impl FnOnce() -> Result<(), E>) -> Result<(), Error>
    where
        Error: From<E>,
    {
        let bytes = bytes_at(path);
        if !self.dry_run {
            remove()?;
        }
        if !self.json {
            let verb = if self.dry_run { "would remove" } else { "removed" };
            print(&format_args!("{verb} {} ({bytes})", path.display()))?;
        }
        self.removed.push((path.to_owned(), bytes));
        Ok(())
    }

    fn summary(self) -> Result<(), Error> {
        let Self { json, dry_run, removed } = self;
        let bytes = Bytes(removed.iter().map(|(_, bytes)| bytes.0).sum());
        if json {
            let folders: Vec<_> = removed.iter().map(|(path, bytes)| json!({"folder": path, "bytes": bytes})).collect();
            print_json(&json!({"dry_run": dry_run, "bytes": bytes, "removed": folders}))?;
        } else if removed.len() != 1 {
            let verb = if dry_run { "would free" } else { "freed" };
            print(&format_args!("{verb} {bytes} in {} places", removed.len()))?;
        }
        Ok(())
    }
}

/// Asks at a terminal; a script that names runs means it.
fn agreed(folders: &[RunFolder]) -> Result<bool, Error> {
    if !std::io::stdin().is_terminal() {
        return Ok(true);
    }
    for folder in folders {
        eprintln!("{}", visible(&format!("{} ({})", folder.path().display(), bytes_at(folder.path()))));
    }
    let what = if folders.len() == 1 { "this run".to_owned() } else { format!("these {} runs", folders.len()) };
    eprint!("remove {what}? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

pub(super) fn collect(root: &RunsRoot, args: &GcArgs, only: Option<&str>, json: bool) -> Result<(), Error> {
    let Keep::BestPerTask = args.keep;
    let mut removal = Removal { json, dry_run: args.dry_run, removed: Vec::new() };
    for experiment in &experiments(root, args.experiment.as_deref().or(only))? {
        for folder in root.superfluous_weights(experiment)? {
            removal.remove(&folder.model_folder(), || folder.remove_weights())?;
        }
        for path in root.unused_examples(experiment)? {
            removal.remove(&path, || std::fs::remove_file(&path))?;
        }
    }
    removal.summary()
}
