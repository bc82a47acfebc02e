//! `bertbench report`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::table::print;
use super::{CommandOutcome, Error};
use crate::config::{Experiment, ExperimentFile, Model, ModelSource, Pretraining};
use crate::report::{self, CurvePoint, ExperimentInput, Input, PretrainingInput};
use crate::resolve::{Request, Silent, prepare_pretraining};
use crate::store::{Event, PretrainSettings, RunId, RunSettings, RunsRoot, StoreError, TaskOptions, Work, read_plan};
use crate::task::LOSSY;

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
    let mut names: Vec<String> = Vec::new();
    for file in &args.files {
        let experiment = arguments(file, &args.runs, &args.set);
        match experiment.load()? {
            ExperimentFile::Tasks(of) => {
                names.push(of.name.clone());
                let found = gather_tasks(&experiment, &of)?;
                for (name, file) in pretraining_of(&of, file) {
                    gather_pretraining_once(&name, &file, &args.runs, &mut input)?;
                }
                input.experiments.push(found);
            }
            ExperimentFile::Pretraining(of) => {
                names.push(of.name.clone());
                if !input.pretraining.iter().any(|known| known.name == of.name) {
                    input.pretraining.push(gather_pretraining(of, file, &args.runs)?);
                }
            }
        }
    }
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from("reports").join(names.join("+")));
    input.title = names.join(" + ");
    let page = report::write(&input, &output).map_err(|error| Error::System(error.to_string()))?;
    print(&page.display())?;
    Ok(CommandOutcome::Success)
}

fn arguments(file: &Path, runs: &Path, set: &[String]) -> Request {
    let (file, set, runs) = (file.to_owned(), set.to_vec(), runs.to_owned());
    Request { file, set, runs, skip_bad_rows: false, lossy: false }
}

/// The experiments that pretrain models of `experiment`, and their files beside its own.
fn pretraining_of(experiment: &Experiment, file: &Path) -> BTreeMap<String, PathBuf> {
    let of_model = |model: &Model| match &model.source {
        ModelSource::Pretraining(of) => {
            Some((of.experiment.clone(), file.with_file_name(format!("{}.yaml", of.experiment))))
        }
        ModelSource::Random(_) | ModelSource::Checkpoint(_) | ModelSource::Hub(_) => None,
    };
    experiment.models.iter().filter_map(of_model).collect()
}

/// Adds the pretraining `name` unless it is there; without its file, by what its runs left.
fn gather_pretraining_once(name: &str, file: &Path, runs: &Path, into: &mut Input) -> Result<(), Error> {
    if into.pretraining.iter().any(|known| known.name == *name) {
        return Ok(());
    }
    let found = match arguments(file, runs, &[]).load() {
        Ok(ExperimentFile::Pretraining(of)) if of.name == *name => gather_pretraining(of, file, runs)?,
        Ok(_) | Err(_) => left_of(name, None, read_plan(&RunsRoot::new(runs), name)?, runs)?,
    };
    into.pretraining.push(found);
    Ok(())
}

/// What there is of an experiment that pretrains: its plan (resolved anew where the text is, else as it was when it was
/// last run), records, failures and logs.
fn gather_pretraining(experiment: Pretraining, file: &Path, runs: &Path) -> Result<PretrainingInput, Error> {
    let name = experiment.name.clone();
    let planned = match prepare_pretraining(experiment, runs, &mut Silent) {
        Ok(prepared) => prepared.plan.runs.into_iter().map(|run| run.settings).collect(),
        Err(_) => read_plan(&RunsRoot::new(runs), &name)?,
    };
    left_of(&name, Some(file), planned, runs)
}

fn left_of(
    name: &str,
    file: Option<&Path>,
    planned: Vec<PretrainSettings>,
    runs: &Path,
) -> Result<PretrainingInput, Error> {
    let root = RunsRoot::new(runs);
    let mut input = PretrainingInput {
        name: name.to_owned(),
        file: file.map(|file| file.display().to_string()),
        planned,
        ..PretrainingInput::default()
    };
    let known: BTreeSet<RunId> = input.planned.iter().map(PretrainSettings::id).collect();
    for folder in root.folders(name)? {
        if !known.is_empty() && !known.contains(folder.id()) {
            continue;
        }
        match (folder.pretrain_record(), folder.work()) {
            (Ok(Some(record)), _) => input.records.push(record),
            (Ok(None), Ok(Some(Work::Pretraining(settings)))) => {
                if let Some(failure) = folder.failure()? {
                    input.failures.push((*settings, failure));
                }
            }
            (Err(damaged @ StoreError::Damaged { .. }), _) => eprintln!("note: {damaged}; the run counts as missing"),
            (Ok(None), _) => continue,
            (Err(other), _) => return Err(other.into()),
        }
        input.curves.insert(folder.id().clone(), folder.pretrain_events()?);
    }
    Ok(input)
}

/// What there is of the experiment of a file: its plan, records, failures and curves.
pub(super) fn gather(file: &Path, runs: &Path, set: &[String]) -> Result<ExperimentInput, Error> {
    let args = arguments(file, runs, set);
    let experiment = args.load()?.with_tasks()?;
    gather_tasks(&args, &experiment)
}

fn gather_tasks(args: &Request, experiment: &Experiment) -> Result<ExperimentInput, Error> {
    let root = RunsRoot::new(&args.runs);
    let planned = planned(args, &root, experiment)?;
    let found = root.records(&experiment.name)?;
    for damaged in &found.damaged {
        eprintln!("note: {damaged}; the run counts as missing");
    }
    let mut input = ExperimentInput {
        name: experiment.name.clone(),
        file: Some(args.file.display().to_string()),
        records: found.records,
        ..ExperimentInput::default()
    };
    // Records of settings that the file no longer asks for would be compared with those that it does.
    let known: BTreeSet<_> = planned.iter().map(RunSettings::id).collect();
    let before = input.records.len();
    input.records.retain(|record| known.is_empty() || known.contains(&record.id));
    if input.records.len() < before {
        let left = before - input.records.len();
        eprintln!("note: {left} records are left out: {} no longer asks for their settings", args.file.display());
    }
    for (folder, failure) in root.failures(&experiment.name)? {
        if let Some(settings) = folder.settings()?
            && (known.is_empty() || known.contains(folder.id()))
        {
            input.failures.push((settings, failure));
        }
    }
    for record in &input.records {
        let events = root.folder(&experiment.name, &record.settings)?.events()?;
        input.curves.insert(record.id.clone(), events.iter().filter_map(point).collect());
    }
    input.planned = planned;
    Ok(input)
}

fn point(event: &Event) -> Option<CurvePoint> {
    match event {
        Event::Step(step) => Some(CurvePoint { step: step.step, loss: step.loss, learning_rate: step.learning_rate }),
        Event::Evaluation(_) => None,
    }
}

/// The plan: resolved anew where the data is, else as it was when the experiment was last run.
fn planned(args: &Request, root: &RunsRoot, experiment: &Experiment) -> Result<Vec<RunSettings>, Error> {
    let last: Vec<RunSettings> = read_plan(root, &experiment.name)?;
    // A plan made with --skip-bad-rows or --lossy is resolved with it again.
    let skip_bad_rows = last.iter().any(|settings| settings.skip_bad_rows);
    let lossy = is_lossy(&last);
    let (file, set, runs) = (args.file.clone(), args.set.clone(), args.runs.clone());
    let args = Request { file, set, skip_bad_rows, lossy, runs };
    match args.prepare(&mut Silent) {
        Ok(prepared) => Ok(prepared.plan.runs.into_iter().map(|run| run.settings).collect()),
        Err(_) => Ok(last),
    }
}

/// Whether all column files of a plan are read with bytes that are not UTF-8, as `--lossy` says.
fn is_lossy(plan: &[RunSettings]) -> bool {
    let formats = || {
        plan.iter().filter_map(|settings| match &settings.task_options {
            Some(TaskOptions::Tags(options)) => Some(&options.format),
            Some(TaskOptions::Spans(_)) | None => None,
        })
    };
    formats().next().is_some() && formats().all(|format| format.ends_with(LOSSY))
}
