//! `bertbench report`

use std::path::PathBuf;

use super::prepare::ExperimentArgs;
use super::table::print;
use super::{Ended, Error, plan_file};
use crate::report::{self, CurvePoint, ExperimentInput, Input};
use crate::spec::Experiment;
use crate::store::{Event, RunSettings, RunsRoot, TaskOptions};
use crate::task::LOSSY;

/// Write tables, plots and an HTML page from the records of one or more experiments.
///
/// Records are all that it needs: a copy of the runs folder on another machine will do.
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

pub(super) fn execute(args: &Args) -> Result<Ended, Error> {
    let mut experiments = Vec::new();
    for file in &args.files {
        experiments.push(gather(file.clone(), &args.runs, &args.set)?);
    }
    let names: Vec<&str> = experiments.iter().map(|experiment| experiment.name.as_str()).collect();
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from("reports").join(names.join("+")));
    let input = Input { title: names.join(" + "), experiments, pretraining: Vec::new() };
    let page = report::write(&input, &output).map_err(|error| Error::System(error.to_string()))?;
    print(&page.display())?;
    Ok(Ended::Well)
}

/// What there is of the experiment of a file: its plan, records, failures and curves.
pub(super) fn gather(file: PathBuf, runs: &std::path::Path, set: &[String]) -> Result<ExperimentInput, Error> {
    let args = ExperimentArgs { file, set: set.to_vec(), runs: runs.to_owned(), skip_bad_rows: false, lossy: false };
    let root = RunsRoot::new(runs);
    let experiment = args.load()?;
    let planned = planned(&args, &root, &experiment)?;
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
    let known: std::collections::BTreeSet<_> = planned.iter().map(RunSettings::id).collect();
    let before = input.records.len();
    input.records.retain(|record| known.is_empty() || known.contains(&record.id));
    if input.records.len() < before {
        let left = before - input.records.len();
        eprintln!("note: {left} records of settings that {} no longer asks for are left out", args.file.display());
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
fn planned(args: &ExperimentArgs, root: &RunsRoot, experiment: &Experiment) -> Result<Vec<RunSettings>, Error> {
    let last = plan_file::read(root, &experiment.name)?;
    // A plan made with --skip-bad-rows or --lossy is resolved with it again.
    let skip_bad_rows = last.iter().any(|settings| settings.skip_bad_rows);
    let lossy = is_lossy(&last);
    let (file, set, runs) = (args.file.clone(), args.set.clone(), args.runs.clone());
    let args = ExperimentArgs { file, set, skip_bad_rows, lossy, runs };
    match args.prepare() {
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
