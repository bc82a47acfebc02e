//! Experiments as they are named, by file or by name, and what their runs left.

use std::path::{Path, PathBuf};

use crate::config::{self, Experiment};
use crate::diagnostic::{Diagnostic, Error, suggest};
use crate::plan;
use crate::report::{ExperimentInput, Input, gather};
use crate::store::{RunsRoot, StoredPlan};

/// The experiments that are meant: all, or the one of this name or file.
///
/// # Errors
/// When there are no runs of it.
pub fn experiments(root: &RunsRoot, named: Option<&str>) -> Result<Vec<String>, Error> {
    let experiments = root.experiments()?;
    let Some(named) = named else { return Ok(experiments) };
    let name = if is_file_name(named) {
        config::load(Path::new(named), &plan::known_tasks(), &[])?.base().name.clone()
    } else {
        named.to_owned()
    };
    if !experiments.contains(&name) {
        let found = Diagnostic::new(format!("no runs of an experiment `{name}` in {}/", root.path().display()));
        let known = experiments.iter().map(String::as_str);
        let hint = if experiments.is_empty() { "there are no runs yet".into() } else { suggest(&name, known) };
        return Err(found.hint(hint).into());
    }
    Ok(vec![name])
}

/// The names of the experiments of these files, and what their runs left, and those of the pretraining that their models
/// start from.
///
/// # Errors
/// Files that are wrong, or that were never run as they are.
pub fn gathered_files(root: &RunsRoot, files: &[PathBuf], set: &[String]) -> Result<(Vec<String>, Input), Error> {
    let (mut names, mut experiments) = (Vec::new(), Vec::new());
    for file in files {
        let experiment = config::load(file, &plan::known_tasks(), set)?;
        names.push(experiment.base().name.clone());
        add(root, (&experiment.base().name, Some(file)), &experiment.base().sha256(), &mut experiments)?;
    }
    let title = names.join(" + ");
    Ok((names, Input { title, experiments }))
}

/// Adds an experiment unless it is there, and behind it those that its models start from. Of those the plan may no longer
/// be kept, which the experiment's notes then say.
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
    let at = into.len();
    into.push(found);
    for needed in plan.iter().flat_map(|plan| &plan.pretraining) {
        let beside = shown.with_file_name(format!("{}.yaml", needed.experiment));
        let beside = beside.is_file().then_some(beside.as_path());
        match add(root, (&needed.experiment, beside), &needed.experiment_sha256, into) {
            Err(Error::Input(findings)) => {
                let why = findings.first().map(ToString::to_string).unwrap_or_default();
                let text = format!("the pretraining `{}` is left out: {why}", needed.experiment);
                into[at].notes.push(text);
            }
            other => other?,
        }
    }
    Ok(())
}

/// The plan, records, failures and logs of an experiment with tasks.
///
/// # Errors
/// When it was never run as the file says.
pub fn gathered(root: &RunsRoot, experiment: &Experiment, file: &Path) -> Result<ExperimentInput, Error> {
    Ok(gathered_with_plan(root, (&experiment.base.name, Some(file)), &experiment.base.sha256())?.0)
}

/// The same by the experiment's file or its name, which stands for its last plan, whatever file that was.
pub(super) fn gathered_experiment(root: &RunsRoot, named: &str, set: &[String]) -> Result<ExperimentInput, Error> {
    let file = Path::new(named);
    if is_file_name(named) || file.is_file() {
        return gathered(root, &config::load(file, &plan::known_tasks(), set)?.with_tasks()?, file);
    }
    let stored = root.plan_file(named).ok().flatten();
    Ok(gather(root, (named, None), stored.as_ref().and_then(|stored| stored.plans.last())))
}

/// Whether it is meant to be a file, there or not.
pub(super) fn is_file_name(text: &str) -> bool {
    Path::new(text).extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn gathered_with_plan(
    root: &RunsRoot,
    (name, file): (&str, Option<&Path>),
    sha256: &str,
) -> Result<(ExperimentInput, Option<StoredPlan>), Error> {
    let (mut notes, expected) = (Vec::new(), PathBuf::from(format!("{name}.yaml")));
    let plan = stored_plan(root, (name, file.unwrap_or(&expected)), sha256, &mut notes)?;
    let mut found = gather(root, (name, file.map(|file| file.display().to_string())), plan.as_ref());
    found.notes.splice(0..0, notes);
    Ok((found, plan))
}

/// What was planned when the experiment `name` was run as `file` says, `--set` included. None, with a note, when its
/// `plan.json` cannot be read: then nobody knows which runs the file asks for.
///
/// # Errors
/// When it was never run so into `root`: the runs of another plan are not what was asked for.
fn stored_plan(
    root: &RunsRoot,
    (name, file): (&str, &Path),
    sha256: &str,
    notes: &mut Vec<String>,
) -> Result<Option<StoredPlan>, Error> {
    let (runs, shown) = (root.path().display(), file.display());
    let stored = match root.plan_file(name) {
        Ok(stored) => stored,
        Err(error) => {
            notes.push(format!(
                "{error}; `bertbench run {shown}` writes it anew. Until then every record of the experiment is shown, whether the file asks for it or not"
            ));
            return Ok(None);
        }
    };
    let Some(stored) = stored else {
        let message = format!("the experiment `{name}` was not run yet: there is no {runs}/{name}/plan.json");
        let hint = format!("`bertbench run {shown}` plans and runs it; a copy of its runs has the plan with them");
        return Err(Diagnostic::new(message).hint(hint).into());
    };
    if let Some(plan) = stored.plan_of(sha256) {
        return Ok(Some(plan.clone()));
    }
    let message = format!("`{name}` was not run as this file says now: which runs it asks for is not known");
    let mut hint = format!("`bertbench run {shown}` finds out, and runs what is missing");
    // Perhaps what was forgotten are the `--set` of its last run.
    if let Some(last) = stored.plans.last().filter(|last| !last.overrides.is_empty())
        && config::load(file, &plan::known_tasks(), &last.overrides)
            .is_ok_and(|with| with.base().sha256() == last.experiment_sha256)
    {
        let set: Vec<String> = last.overrides.iter().map(|set| format!("--set '{set}'")).collect();
        hint = format!("{hint}; it was last run with {}", set.join(" "));
    }
    Err(Diagnostic::new(message).in_file(file).hint(hint).into())
}
