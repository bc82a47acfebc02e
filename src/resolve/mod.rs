//! An experiment file on this machine: everything between what is written and what can run.
//!
//! ```text
//! EXPERIMENT.yaml ─config─▶ Experiment ─(checksums, dimensions, initial weights)─▶ Identity: which runs there are
//!                                     ─(device, hub, tokens)─▶ Prepared: Plan + RunContext
//! ```
//!
//! Nothing here prints: who wants to show how a fetch or a preparation goes gives a [`Progress`].

mod calibration;
mod checkpoint;
mod data;
mod identity;
mod prepared;
mod pretraining;
mod progress;
mod request;
mod scratch;
mod sweep;
mod tasks;

pub use calibration::Calibrations;
pub use checkpoint::checkpoint_argument;
pub use data::{DataRoot, data_root};
pub use identity::Identity;
pub use prepared::Prepared;
pub use progress::{Progress, Silent};
pub use request::Request;
pub use tasks::evaluation_context;

use crate::config::ExperimentFile;
use crate::diagnostic::Error;
use progress::Access;
use scratch::Scratch;

impl Request {
    /// Which runs the file has: reads checksums, vocabularies and dimensions. Opens no device, makes no tokens, takes
    /// models of the hub from the cache, and leaves no file behind.
    ///
    /// # Errors
    /// Every model's and every task's first fault, not only the first of all.
    pub fn identify(&self, progress: &dyn Progress) -> Result<Identity, Error> {
        let scratch = Scratch::default();
        let access = Access { progress, machine: false, scratch: Some(&scratch) };
        let identity = match self.load()? {
            ExperimentFile::Tasks(experiment) => tasks::identify(self, experiment, access)?,
            ExperimentFile::Pretraining(experiment) => {
                pretraining::Reading::of(experiment, &self.runs, access)?.identity(&self.runs)?
            }
        };
        Ok(Identity { scratch, ..identity })
    }

    /// As [`Self::identify`], and how much the runs compute: reads the data (through the feature cache) and the corpora
    /// (which are prepared when they are not there).
    ///
    /// # Errors
    /// Every model's and every task's first fault, not only the first of all.
    pub fn prepare(&self, progress: &dyn Progress) -> Result<Prepared, Error> {
        self.prepare_file(self.load()?, progress)
    }

    /// As [`Self::prepare`], of a file that was read and checked.
    ///
    /// # Errors
    /// As [`Self::prepare`].
    pub fn prepare_file(&self, file: ExperimentFile, progress: &dyn Progress) -> Result<Prepared, Error> {
        self.resolve(file, Access { progress, machine: true, scratch: None })
    }

    /// As [`Self::prepare`], but leaves no file behind: what is not kept for the runs yet is not kept after this either,
    /// the sizes of corpora that are not prepared are estimated, and models of the hub are taken from the cache.
    ///
    /// # Errors
    /// As [`Self::prepare`].
    pub fn estimate(&self, progress: &dyn Progress) -> Result<Prepared, Error> {
        let scratch = Scratch::default();
        let prepared = self.resolve(self.load()?, Access { progress, machine: true, scratch: Some(&scratch) })?;
        Ok(Prepared { scratch, ..prepared })
    }

    fn resolve(&self, file: ExperimentFile, access: Access<'_>) -> Result<Prepared, Error> {
        match file {
            ExperimentFile::Tasks(experiment) => tasks::prepare(self, experiment, access),
            ExperimentFile::Pretraining(experiment) => {
                pretraining::Reading::of(experiment, &self.runs, access)?.prepare(&self.runs, access)
            }
        }
    }
}

#[cfg(test)]
mod tests;
