//! From an experiment file to everything that a command needs to know of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::data::{DataRoot, data_root, device_name};
use super::inputs::{Reader, Reading};
use super::pretraining::{self, PreparedPretraining};
use super::{Progress, ResolveError};
use crate::config::{self, Experiment, ExperimentFile, ModelSource};
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Inputs, Plan, PlannedRun};
use crate::store::{InitialWeights, RunId, RunsRoot};
use crate::train::{NamedDevice, RunContext, open_device, open_precision};
use crate::units::Seconds;

/// The folder of cached features, inside the folder of all runs. No experiment's name starts with a dot.
const FEATURES: &str = ".features";

/// An experiment file, and how it is to be read.
#[derive(Clone, Debug)]
pub struct Request {
    /// The experiment file.
    pub file: PathBuf,
    /// Settings in place of the file's, each `KEY=VALUE` with a value in YAML.
    pub set: Vec<String>,
    /// Leave malformed data rows out and count them, instead of refusing the file.
    pub skip_bad_rows: bool,
    /// Read bytes of column files that are not UTF-8 as U+FFFD, instead of refusing the file.
    pub lossy: bool,
    /// The folder of all runs.
    pub runs: PathBuf,
}

/// An experiment, resolved on this machine.
#[derive(Debug)]
pub struct Prepared {
    /// The experiment as its file says it.
    pub experiment: Experiment,
    /// Its runs.
    pub plan: Plan,
    /// The experiments that its models are pretrained by.
    pub pretraining: Vec<PreparedPretraining>,
    /// What runs find on this machine.
    pub context: RunContext,
    /// Where they compute.
    pub device: NamedDevice,
    /// The folder of all runs.
    pub root: RunsRoot,
    /// The longest that reading a task's features took: a part of every run's setup.
    pub reading: Seconds,
}

/// An experiment of either kind, resolved on this machine.
#[derive(Debug)]
pub enum Either {
    /// Models are trained and scored on tasks.
    Tasks(Box<Prepared>),
    /// Models are pretrained.
    Pretraining(Box<PreparedPretraining>),
}

impl Prepared {
    /// The pretraining runs that runs of `plan` start from, each once.
    pub fn needed(&self, plan: &Plan) -> Vec<(&PreparedPretraining, &PlannedRun)> {
        let ids: BTreeSet<&RunId> = plan
            .runs
            .iter()
            .filter_map(|run| match &run.settings.initial_weights {
                InitialWeights::Pretraining { run, .. } => Some(run),
                InitialWeights::Random | InitialWeights::Checkpoint { .. } => None,
            })
            .collect();
        let runs = self.pretraining.iter().flat_map(|of| of.plan.runs.iter().map(move |run| (of, run)));
        runs.filter(|(_, run)| ids.contains(&run.id)).collect()
    }
}

impl Request {
    /// Reads and checks the file alone.
    pub fn load(&self) -> Result<ExperimentFile, Diagnostic> {
        let mut file = config::load(&self.file, &plan::known_tasks(), &self.set)?;
        if let ExperimentFile::Tasks(experiment) = &mut file {
            experiment.tasks.iter_mut().for_each(|task| task.lossy = self.lossy);
        }
        Ok(file)
    }

    /// As [`Request::prepare`], of an experiment of either kind.
    pub fn prepare_either(&self, progress: &dyn Progress) -> Result<Either, ResolveError> {
        match self.load()? {
            ExperimentFile::Tasks(experiment) => Ok(Either::Tasks(Box::new(self.resolve(experiment, progress)?))),
            ExperimentFile::Pretraining(experiment) => {
                Ok(Either::Pretraining(Box::new(pretraining::prepare(experiment, &self.runs, progress)?)))
            }
        }
    }

    /// Reads the file, the data (through the feature cache), the vocabularies and the checksums, and
    /// expands the plan. Every model's and every task's first fault is reported, not only the first.
    pub fn prepare(&self, progress: &dyn Progress) -> Result<Prepared, ResolveError> {
        self.resolve(self.load()?.with_tasks()?, progress)
    }

    fn resolve(&self, experiment: Experiment, progress: &dyn Progress) -> Result<Prepared, ResolveError> {
        let device = open_device(device_name(experiment.device))
            .map_err(|error| experiment.finding("device", error.to_string()))?;
        open_precision(plan::precision(experiment.training.precision), device.name)
            .map_err(|error| experiment.finding("training.precision", error.to_string()).hint(error.hint()))?;
        let DataRoot { folder: data, mini, ceilings } = data_root(&experiment)?;
        let files = |task: &config::Task| Some((task.name.clone(), plan::task_files(task)?));
        let context = RunContext {
            runs: self.runs.clone(),
            features: self.runs.join(FEATURES),
            vocabularies: BTreeMap::new(),
            data,
            task_files: experiment.tasks.iter().filter_map(files).collect(),
            mini,
            ceilings,
            corpora: BTreeMap::new(),
            threads: rayon::current_num_threads() as u32,
        };
        let pretraining = self.pretraining_of(&experiment, progress)?;
        let reader = Reader { experiment: &experiment, pretraining: &pretraining, skip_bad_rows: self.skip_bad_rows };
        let mut reading = Reading {
            context,
            inputs: inputs(&device, self.skip_bad_rows),
            findings: Vec::new(),
            progress,
            slowest: Seconds(0.0),
        };
        reader.read(&mut reading);
        if !reading.findings.is_empty() {
            return Err(ResolveError::Input(reading.findings));
        }
        let plan = plan::expand(&experiment, &reading.inputs)?;
        let root = RunsRoot::new(&self.runs);
        let Reading { mut context, slowest: reading, .. } = reading;
        context.corpora = pretraining.iter().flat_map(|of| of.corpora.clone()).collect();
        Ok(Prepared { experiment, plan, pretraining, context, device, root, reading })
    }

    /// The experiments that pretrain models of `experiment`, each once.
    fn pretraining_of(
        &self,
        experiment: &Experiment,
        progress: &dyn Progress,
    ) -> Result<Vec<PreparedPretraining>, Diagnostic> {
        let mut found: Vec<PreparedPretraining> = Vec::new();
        for model in &experiment.models {
            let ModelSource::Pretraining(of) = &model.source else { continue };
            if found.iter().any(|known| known.experiment.name == of.experiment) {
                continue;
            }
            let key = format!("models.{}.checkpoint.experiment", model.name);
            found.push(pretraining::prepare_named(of, &self.file, &self.runs, progress).map_err(|error| {
                match error.place {
                    Some(_) => error,
                    None => Diagnostic { hint: error.hint, ..experiment.finding(&key, error.message) },
                }
            })?);
        }
        Ok(found)
    }
}

fn inputs(device: &NamedDevice, skip_bad_rows: bool) -> Inputs {
    Inputs { device: device.name.into(), skip_bad_rows, ..Inputs::default() }
}
