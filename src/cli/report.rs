//! `bertbench report`

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{CommandOutcome, Error, note};
use super::table::print;
use crate::config::{self, Experiment, ExperimentFile};
use crate::diagnostic::Diagnostic;
use crate::plan;
use crate::report::{self, ExperimentInput, Input, PretrainingInput, gather, gather_pretraining};
use crate::store::{PlanFile, RunSettings, RunsRoot, StoreError, StoredPlan};

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
    let mut input = Input { title: String::new(), experiments: Vec::new(), pretraining: Vec::new() };
    let root = RunsRoot::new(&args.runs);
    let mut names: Vec<String> = Vec::new();
    for file in &args.files {
        let experiment = config::load(file, &plan::known_tasks(), &args.set)?;
        names.push(experiment.name().to_owned());
        match &experiment {
            ExperimentFile::Tasks(of) => input.experiments.push(tasks(&root, of, file, &mut input.pretraining)?),
            ExperimentFile::Pretraining(of) => {
                let (name, sha256) = (&of.name, of.sha256());
                pretraining(&root, (name, Some(file)), &sha256, &mut input.pretraining)?;
            }
        }
    }
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from("reports").join(names.join("+")));
    input.title = names.join(" + ");
    let page = report::write(&input, &output).map_err(|error| Error::System(error.to_string()))?;
    print(&page.display())?;
    Ok(CommandOutcome::Success)
}

/// What there is of an experiment with tasks; the pretraining that its runs start from is added to `pretrained`.
fn tasks(
    root: &RunsRoot,
    experiment: &Experiment,
    file: &Path,
    pretrained: &mut Vec<PretrainingInput>,
) -> Result<ExperimentInput, Error> {
    let plan = stored_plan(root, &experiment.name, file, &experiment.sha256())?;
    for needed in &plan.pretraining {
        let name = &needed.experiment;
        let beside = file.with_file_name(format!("{name}.yaml"));
        let beside = beside.is_file().then_some(beside.as_path());
        pretraining(root, (name, beside), &needed.experiment_sha256, pretrained)?;
    }
    gathered_as(root, experiment, file, &plan)
}

/// The plan, records, failures and curves of an experiment with tasks.
pub(super) fn gathered(root: &RunsRoot, experiment: &Experiment, file: &Path) -> Result<ExperimentInput, Error> {
    let plan = stored_plan(root, &experiment.name, file, &experiment.sha256())?;
    gathered_as(root, experiment, file, &plan)
}

fn gathered_as(
    root: &RunsRoot,
    experiment: &Experiment,
    file: &Path,
    plan: &StoredPlan<RunSettings>,
) -> Result<ExperimentInput, Error> {
    let mut notes = Vec::new();
    let found = gather(root, (&experiment.name, Some(file.display().to_string())), plan, &mut notes)?;
    notes.iter().for_each(note);
    Ok(found)
}

/// Adds an experiment that pretrains, unless it is there.
fn pretraining(
    root: &RunsRoot,
    (name, file): (&str, Option<&Path>),
    sha256: &str,
    into: &mut Vec<PretrainingInput>,
) -> Result<(), Error> {
    if into.iter().any(|known| known.name == name) {
        return Ok(());
    }
    let (mut notes, shown) = (Vec::new(), file.map(|file| file.display().to_string()));
    let expected = PathBuf::from(format!("{name}.yaml"));
    let plan = stored_plan(root, name, file.unwrap_or(&expected), sha256)?;
    into.push(gather_pretraining(root, (name, shown), &plan, &mut notes)?);
    notes.iter().for_each(note);
    Ok(())
}

/// What was planned when the experiment `name` was run as `file` says, else when it was last run, with a note.
///
/// # Errors
/// When it was never run into `root`, or its `plan.json` cannot be read.
fn stored_plan<S: Clone + PartialEq + Serialize + DeserializeOwned>(
    root: &RunsRoot,
    name: &str,
    file: &Path,
    sha256: &str,
) -> Result<StoredPlan<S>, Error> {
    let shown = file.display();
    let stored = PlanFile::read(root, name).map_err(|error| match error {
        StoreError::Damaged { path, cause } => Error::from(
            Diagnostic::new(format!("the plan cannot be read: {cause}"))
                .in_file(&path)
                .hint(format!("`bertbench run {shown}` writes it anew")),
        ),
        other => other.into(),
    })?;
    let Some((plan, own)) = stored.as_ref().and_then(|file| file.plan_of(sha256)) else {
        let runs = root.path().display();
        return Err(Diagnostic::new(format!(
            "the experiment `{name}` was not run yet: there is no {runs}/{name}/plan.json"
        ))
        .hint(format!("`bertbench run {shown}` plans and runs it; a copy of its runs has the plan with them"))
        .into());
    };
    if !own {
        let with: String = plan.overrides.iter().map(|set| format!(" --set {set}")).collect();
        let with = if with.is_empty() { String::new() } else { format!(", with{with}") };
        note(&format_args!("{shown} was not run as it stands: this is the plan of its last run{with}"));
    }
    Ok(plan.clone())
}
