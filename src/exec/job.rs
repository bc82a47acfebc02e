//! What is run, and how far it is.

use serde::{Deserialize, Serialize};

use crate::store::{Event, Failure, InitialWeights, RunFolder, RunId, RunSettings, RunsRoot, StoreError};
use crate::units::Flops;

/// One run to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The experiment's name.
    pub experiment: String,
    /// The run's id.
    pub id: RunId,
    /// What to run.
    pub settings: RunSettings,
    /// How much it computes, for the order: the longest goes first. 0 when unknown.
    pub cost: Flops,
}

/// How a sweep treats failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Runs that failed before are tried again, once.
    pub retry_failed: bool,
    /// The first failure stops the sweep; what runs is abandoned.
    pub fail_fast: bool,
}

/// What became of the jobs; the five add up to their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Completed now, by this process.
    pub done: usize,
    /// Completed before, or by another process meanwhile.
    pub skipped: usize,
    /// Failed now, or before and not tried again.
    pub failed: usize,
    /// Left missing by a stop.
    pub interrupted: usize,
    /// Left missing because the pretraining that they start from failed or is not among the jobs.
    pub blocked: usize,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// What it does.
    pub phase: Phase,
    /// Optimisation steps finished.
    pub step: u64,
    /// Optimisation steps of the whole run.
    pub steps: u64,
    /// The current epoch, from 1.
    pub epoch: u32,
    /// Epochs of the whole run.
    pub epochs: u32,
    /// The last training loss, once there is one and while it is finite.
    pub loss: Option<f64>,
    /// Training tokens per second lately; 0 when unknown.
    pub tokens_per_second: f64,
}

/// What a worker says of its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// How far it is.
    Progress(Progress),
    /// It resumed after `step` of `steps`.
    Resumed {
        /// Optimisation steps of earlier processes.
        step: u64,
        /// Optimisation steps of the whole run.
        steps: u64,
    },
    /// A line of its log.
    Logged(Event),
    /// A checkpoint was written after this step.
    Saved(u64),
    /// Something that a reader should know, such as a checkpoint that cannot be used.
    Note(String),
}

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Reading data and weights.
    Setup,
    /// Optimisation steps.
    Training,
    /// Predicting dev.
    Evaluation,
    /// Writing predictions and weights.
    Saving,
}

/// How training ends without a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// A stop was asked for: the run stays missing.
    Stopped,
    /// The run failed.
    Failed(Failure),
}

impl From<Failure> for Unfinished {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Job {
    /// The run of `experiment` with these settings.
    #[must_use]
    pub fn new(experiment: &str, settings: RunSettings, cost: Flops) -> Self {
        Self { experiment: experiment.to_owned(), id: settings.id(), settings, cost }
    }

    /// The folder of the pretraining run whose model this one starts from.
    ///
    /// # Errors
    /// [`StoreError::Name`].
    pub fn after(&self, root: &RunsRoot) -> Result<Option<RunFolder>, StoreError> {
        match &self.settings.initial_weights {
            InitialWeights::Random | InitialWeights::Checkpoint { .. } => Ok(None),
            InitialWeights::Pretraining { experiment, model, run, .. } => {
                root.pretraining_folder(experiment, model, run).map(Some)
            }
        }
    }

    /// Its folder.
    ///
    /// # Errors
    /// [`StoreError::Name`].
    pub fn folder(&self, root: &RunsRoot) -> Result<RunFolder, StoreError> {
        root.folder_of(&self.experiment, &self.settings, self.id.clone())
    }
}

impl Progress {
    /// The same without numbers that JSON cannot hold.
    #[must_use]
    pub(super) fn finite(self) -> Self {
        let tokens_per_second = if self.tokens_per_second.is_finite() { self.tokens_per_second } else { 0.0 };
        Self { loss: self.loss.filter(|loss| loss.is_finite()), tokens_per_second, ..self }
    }
}

/// Pretraining first, for others wait for it; then the longest first, so that the end of a sweep does not wait for one
/// long run; then by id.
pub(super) fn sort_longest_first(jobs: &mut [Job]) {
    for job in &mut *jobs {
        if !job.cost.0.is_finite() {
            job.cost = Flops(0.0);
        }
    }
    let later = |job: &Job| job.settings.pretraining().is_none();
    jobs.sort_by(|a, b| later(a).cmp(&later(b)).then(b.cost.0.total_cmp(&a.cost.0)).then_with(|| a.id.cmp(&b.id)));
}
