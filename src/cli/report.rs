//! `bertbench report`

use std::path::{Path, PathBuf};

use super::error::{CommandOutcome, Error, note};
use super::table::print;
use crate::config::{self, Experiment};
use crate::diagnostic::Diagnostic;
use crate::plan;
use crate::report::{self, ExperimentInput, Input, gather};
use crate::store::{PlanFile, RunsRoot, StoredPlan};

/// Write tables, plots and an HTML page from the records of one or more experiments.
///
/// Only records are read: a copy of the runs folder on another machine is enough.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The experiment files.
    #[arg(value_name = "EXPERIMENT.yaml", required = true)]
    files: Vec<PathBuf>,
    /// The folder to write [default: reports/NAME; several names are joined by `+`].
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Override a setting of the files, as for `run`; the value is YAML.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The folder of all runs [default: runs].
    #[arg(long, default_value = "runs", value_name = "DIR", hide_default_value = true)]
    runs: PathBuf,
}

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let root = RunsRoot::new(&args.runs);
    let (mut names, mut experiments) = (Vec::new(), Vec::new());
    for file in &args.files {
        let experiment = config::load(file, &plan::known_tasks(), &args.set)?;
        names.push(experiment.name().to_owned());
        add(&root, (experiment.name(), Some(file)), &experiment.sha256(), &mut experiments)?;
    }
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from("reports").join(names.join("+")));
    let input = Input { title: names.join(" + "), experiments };
    let page = report::write(&input, &output).map_err(|error| Error::System(error.to_string()))?;
    print(&page.display())?;
    Ok(CommandOutcome::Success)
}

/// Adds an experiment unless it is there, and behind it those that its models start from.
fn add(
    root: &RunsRoot,
    (name, file): (&str, Option<&Path>),
    sha256: &str,
    into: &mut Vec<ExperimentInput>,
) -> Result<(), Error> {
    if into.iter().any(|known| known.name == name) {
        return Ok(());
    }
    let expected = PathBuf::from(format!("{name}.yaml"));
    let shown = file.unwrap_or(&expected);
    let (found, plan) = gathered_with_plan(root, (name, file), sha256)?;
    into.push(found);
    for needed in plan.iter().flat_map(|plan| &plan.pretraining) {
        let beside = shown.with_file_name(format!("{}.yaml", needed.experiment));
        let beside = beside.is_file().then_some(beside.as_path());
        add(root, (&needed.experiment, beside), &needed.experiment_sha256, into)?;
    }
    Ok(())
}

/// The plan, records, failures and logs of an experiment with tasks.
pub(super) fn gathered(root: &RunsRoot, experiment: &Experiment, file: &Path) -> Result<ExperimentInput, Error> {
    Ok(gathered_with_plan(root, (&experiment.name, Some(file)), &experiment.sha256())?.0)
}

fn gathered_with_plan(
    root: &RunsRoot,
    (name, file): (&str, Option<&Path>),
    sha256: &str,
) -> Result<(ExperimentInput, Option<StoredPlan>), Error> {
    let (mut notes, shown) = (Vec::new(), file.map(|file| file.display().to_string()));
    let plan = stored_plan(root, (name, &shown.clone().unwrap_or_else(|| format!("{name}.yaml"))), sha256, &mut notes)?;
    let mut found = gather(root, (name, shown), plan.as_ref());
    found.notes.splice(0..0, notes);
    found.notes.iter().for_each(note);
    Ok((found, plan))
}

/// What was planned when the experiment `name` was run as `file` says, else when it was last run, with a note. None, with
/// a note, when its `plan.json` cannot be read.
///
/// # Errors
/// When it was never run into `root`.
fn stored_plan(
    root: &RunsRoot,
    (name, file): (&str, &str),
    sha256: &str,
    notes: &mut Vec<String>,
) -> Result<Option<StoredPlan>, Error> {
    let stored = match PlanFile::read(root, name) {
        Ok(stored) => stored,
        Err(error) => {
            notes.push(format!("{error}; `bertbench run {file}` writes it anew"));
            return Ok(None);
        }
    };
    let Some((plan, own)) = stored.as_ref().and_then(|file| file.plan_of(sha256)) else {
        let runs = root.path().display();
        return Err(Diagnostic::new(format!(
            "the experiment `{name}` was not run yet: there is no {runs}/{name}/plan.json"
        ))
        .hint(format!("`bertbench run {file}` plans and runs it; a copy of its runs has the plan with them"))
        .into());
    };
    if !own {
        let with: Vec<String> = plan.overrides.iter().map(|set| format!("--set {set}")).collect();
        let with = if with.is_empty() { String::new() } else { format!(", with {}", with.join(" ")) };
        notes.push(format!("{file} was not run as it stands: this is the plan of its last run{with}"));
    }
    Ok(Some(plan.clone()))
}
