//! From an experiment file to everything that a command needs to know of it.

use std::path::PathBuf;

use super::error::ResolveError;
use super::identity::Identity;
use super::prepared::Prepared;
use super::progress::{Access, Progress};
use super::{pretraining, tasks};
use crate::config::{self, ExperimentFile};
use crate::diagnostic::Diagnostic;
use crate::plan;

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

    /// Which runs the file has: reads checksums, vocabularies and dimensions. Opens no device, makes no tokens, and takes
    /// models of the hub from the cache.
    ///
    /// # Errors
    /// Every model's and every task's first fault, not only the first of all.
    pub fn identify(&self, progress: &dyn Progress) -> Result<Identity, ResolveError> {
        let access = Access { progress, machine: false };
        match self.load()? {
            ExperimentFile::Tasks(experiment) => tasks::identify(self, experiment, access),
            ExperimentFile::Pretraining(experiment) => {
                Ok(pretraining::Reading::of(experiment, &self.runs, access)?.identity(&self.runs)?)
            }
        }
    }

    /// As [`Self::identify`], and how much the runs compute: reads the data (through the feature cache) and the corpora
    /// (which are prepared when they are not there).
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
        let access = Access { progress, machine: true };
        match file {
            ExperimentFile::Tasks(experiment) => tasks::prepare(self, experiment, access),
            ExperimentFile::Pretraining(experiment) => {
                pretraining::Reading::of(experiment, &self.runs, access)?.prepare(&self.runs, progress)
            }
        }
    }
}
