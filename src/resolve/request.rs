//! An experiment file, and how it is to be read.

use std::path::PathBuf;

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
        if let (ExperimentFile::Tasks(experiment), true) = (&mut file, self.lossy) {
            experiment.tasks.iter_mut().for_each(config::Task::read_lossy);
        }
        Ok(file)
    }
}
