//! From an experiment file to everything that a command needs to know of it.

use std::path::PathBuf;

use super::data::{DataRoot, data_root, device_name};
use super::error::ResolveError;
use super::inputs::{Reader, Reading};
use super::prepared::{Prepared, context};
use super::pretraining;
use super::progress::Progress;
use crate::config::{self, Experiment, ExperimentFile, ModelSource};
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Inputs};
use crate::store::RunsRoot;
use crate::train::{NamedDevice, RunContext, open_device, open_precision};
use crate::units::Seconds;

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

impl Request {
    /// Reads and checks the file alone.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn load(&self) -> Result<ExperimentFile, Diagnostic> {
        let mut file = config::load(&self.file, &plan::known_tasks(), &self.set)?;
        if let ExperimentFile::Tasks(experiment) = &mut file {
            experiment.tasks.iter_mut().for_each(|task| task.lossy = self.lossy);
        }
        Ok(file)
    }

    /// Reads the file, the data (through the feature cache), the vocabularies, the checksums and the corpora (which are
    /// prepared when they are not there), and expands the plan.
    ///
    /// # Errors
    /// Every model's and every task's first fault, not only the first of all.
    pub fn prepare(&self, progress: &dyn Progress) -> Result<Prepared, ResolveError> {
        self.prepare_file(self.load()?, progress)
    }

    /// As [`Self::prepare`], of a file that was read and checked.
    ///
    /// # Errors
    /// As [`Self::prepare`].
    pub fn prepare_file(&self, file: ExperimentFile, progress: &dyn Progress) -> Result<Prepared, ResolveError> {
        match file {
            ExperimentFile::Tasks(experiment) => self.resolve(experiment, progress),
            ExperimentFile::Pretraining(experiment) => pretraining::prepare(experiment, &self.runs, progress),
        }
    }

    fn resolve(&self, experiment: Experiment, progress: &dyn Progress) -> Result<Prepared, ResolveError> {
        let device = open_device(device_name(experiment.device))
            .map_err(|error| experiment.finding("device", error.to_string()))?;
        open_precision(experiment.training.precision, device.name)
            .map_err(|error| experiment.finding("training.precision", error.to_string()).hint(error.hint()))?;
        let DataRoot { folder: data, mini, ceilings } = data_root(&experiment)?;
        let files = |task: &config::Task| Some((task.name.clone(), plan::task_files(task)?));
        let task_files = experiment.tasks.iter().filter_map(files).collect();
        let context = RunContext { data, task_files, mini, ceilings, ..context(&self.runs) };
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
        context.corpora = pretraining.iter().flat_map(|of| of.context.corpora.clone()).collect();
        let experiment = ExperimentFile::Tasks(experiment);
        Ok(Prepared { experiment, plan, pretraining, context, device, root, reading })
    }

    /// The experiments that pretrain models of `experiment`, each once.
    fn pretraining_of(&self, experiment: &Experiment, progress: &dyn Progress) -> Result<Vec<Prepared>, Diagnostic> {
        let mut found: Vec<Prepared> = Vec::new();
        for model in &experiment.models {
            let ModelSource::Pretraining(of) = &model.source else { continue };
            if found.iter().any(|known| known.plan.experiment == of.experiment) {
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
