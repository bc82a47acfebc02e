//! What a finished pretraining run leaves, and what a run that started from it says of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::pretrain_log::PretrainScores;
use super::pretraining::PretrainSettings;
use super::record::{Host, Provenance};
use super::settings::RunId;
use crate::units::{Bytes, Seconds, Tokens};

/// The place of a task in the folder of a pretraining run. No task can have this name.
pub const PRETRAINING: &str = "pretraining";

/// A pretraining run that is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PretrainRecord {
    /// The run's id.
    pub id: RunId,
    /// The experiment's name.
    pub experiment: String,
    /// Everything that decided the weights.
    pub settings: PretrainSettings,
    /// The scores on held-out text, in the order of steps, the last after the last one; none without such text.
    pub evaluations: Vec<PretrainScores>,
    /// Optimisation steps.
    pub steps: u64,
    /// Tokens trained on.
    pub tokens: Tokens,
    /// From the first process's start to the record, in the processes that worked on it.
    pub wall: Seconds,
    /// Training tokens a second, everything counted but evaluations.
    pub tokens_per_second: f64,
    /// Bytes resident in the process that finished it.
    pub peak_memory: Bytes,
    /// SHA-256 of the weights of each model that is kept, by the step after which it was.
    pub weights_sha256: BTreeMap<u64, String>,
    /// Where it was trained.
    pub host: Host,
    /// By what, and when.
    pub provenance: Provenance,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// What the record of a fine-tuning run keeps of the pretraining that it started from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pretraining {
    /// Everything that decided the weights.
    pub settings: PretrainSettings,
    /// The step whose weights were taken; the last one, or one of [`PretrainSettings::snapshots`].
    pub step: u64,
    /// The scores on held-out text after that step, when the model was evaluated there.
    pub scores: Option<PretrainScores>,
    /// How long the whole pretraining took.
    pub wall: Seconds,
    /// SHA-256 of the weights that were read.
    pub weights_sha256: String,
}

impl PretrainRecord {
    /// `EXPERIMENT/pretraining/MODEL/ID`: the run that it is of.
    pub(super) fn place(&self) -> String {
        format!("{}/{PRETRAINING}/{}/{}", self.experiment, self.settings.model, self.id)
    }

    /// What a run that starts from the model of `step` (the last one when `None`) keeps of this.
    /// `None` when no such model was kept.
    #[must_use]
    pub fn at(&self, step: Option<u64>) -> Option<Pretraining> {
        let step = step.unwrap_or(self.steps);
        Some(Pretraining {
            settings: self.settings.clone(),
            step,
            scores: self.evaluations.iter().find(|scores| scores.step == step).copied(),
            wall: self.wall,
            weights_sha256: self.weights_sha256.get(&step)?.clone(),
        })
    }
}
