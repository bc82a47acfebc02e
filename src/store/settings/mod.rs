//! The settings of a run, resolved: nothing optional is left open, and everything that decides the
//! result is here, so that the run's id is a hash of this and nothing else.

mod model;
mod objective;
mod optimization;
#[cfg(test)]
mod tests;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::approach::TaskOptions;
use super::diff::diff;
use super::error::StoreError;
use super::run_id::RunId;
use super::sealed;
use crate::settings::{AddedToken, Approach};

pub use model::{Architecture, CheckpointHead, InitialWeights};
pub use objective::{CorpusPhase, HeldOutEvaluation, Objective, PretrainingObjective, TaskObjective};
pub use optimization::{Optimization, Warmup};

/// Raised whenever a change of the code changes the numbers that a run produces, so that old records
/// are not mistaken for the new code's.
///
/// 1: the composed operations; 2: the fused kernels, and weights drawn in pairs; 3: fused multiply-adds in the
/// exponential and in GELU; 4: the decoder's products in the fused kernels;
/// 5: the last layer for the rows that are read, which changes the sums of bf16 and of GPUs.
pub const NUMERICS_VERSION: u32 = 5;

/// The name of the folder of pretraining runs, where those of a task have the task's. No task can have this name.
pub const PRETRAINING: &str = "pretraining";

/// One run, resolved: one model × one objective × one point of the sweep × one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSettings {
    /// The model's name in the experiment file.
    pub model: String,
    /// Its dimensions.
    pub architecture: Architecture,
    /// Where its weights come from.
    pub initial_weights: InitialWeights,
    /// What turns text into tokens.
    pub vocabulary: VocabularyIdentity,
    /// Seed of every random stream of the run.
    pub seed: u64,
    /// The resolved device: `cpu`, `wgpu`, `vulkan` or `cuda`.
    pub device: String,
    /// Batches, schedule and optimizer.
    pub optimization: Optimization,
    /// What is learned.
    pub objective: Objective,
    /// [`NUMERICS_VERSION`] at the time.
    pub numerics_version: u32,
}

/// A run by what decides its result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunIdentity {
    /// Its id.
    pub id: RunId,
    /// Everything that decides its result.
    pub settings: RunSettings,
}

impl RunIdentity {
    /// The run with these settings.
    #[must_use]
    pub fn of(settings: RunSettings) -> Self {
        Self { id: settings.id(), settings }
    }
}

/// What decides how text becomes tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VocabularyIdentity {
    /// SHA-256 of the vocabulary file.
    pub sha256: String,
    /// Whether text is lower-cased and stripped of accents before WordPiece.
    pub do_lower_case: bool,
    /// Tokens that are one wherever they stand in a text, besides BERT's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added_tokens: Vec<AddedToken>,
}

impl RunSettings {
    /// The settings that a run has written to `path`, or `None` when there is no such file.
    ///
    /// # Errors
    /// When it cannot be read, or is not as it was written.
    pub fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        sealed::read(path)
    }

    /// The id of this run: a hash of all that decides its weights and scores, and of the steps whose models it leaves.
    /// Names, paths, checkpoints, the log and the evaluations of a pretraining do not enter it; checksums do.
    #[must_use]
    pub fn id(&self) -> RunId {
        // Struct fields and BTreeMap keys serialise in a fixed order; f64 in its shortest exact form.
        let json = serde_json::to_vec(&self.decisive()).unwrap_or_default();
        RunId(blake3::hash(&json).to_hex()[..12].to_string())
    }

    /// Without what does not enter the id.
    fn decisive(&self) -> Self {
        let mut decisive = self.clone();
        decisive.model.clear();
        decisive.initial_weights.forget_names();
        decisive.optimization.gradient_checkpointing = false;
        decisive.objective.forget_reporting();
        decisive
    }

    /// As [`diff`], of the settings that enter the id.
    #[must_use]
    pub fn decisive_differences(&self, other: &Self) -> Vec<(String, String, String)> {
        diff(&self.decisive(), &other.decisive())
    }

    /// What is learned of a task; none of a pretraining.
    #[must_use]
    pub fn task(&self) -> Option<&TaskObjective> {
        match &self.objective {
            Objective::Task(of) => Some(of),
            Objective::Pretraining(_) => None,
        }
    }

    /// Sequences that an example becomes: two where pairs are read in both orders.
    #[must_use]
    pub fn orders(&self) -> u64 {
        if self.task().is_some_and(|of| of.both_orders) { 2 } else { 1 }
    }

    /// How the model is pretrained; none of a run on a task.
    #[must_use]
    pub fn pretraining(&self) -> Option<&PretrainingObjective> {
        match &self.objective {
            Objective::Task(_) => None,
            Objective::Pretraining(of) => Some(of),
        }
    }

    /// The task's name, or [`PRETRAINING`]: the name of a folder, and what `--only task=` selects.
    #[must_use]
    pub fn task_name(&self) -> &str {
        self.task().map_or(PRETRAINING, |of| &of.task)
    }

    /// The settings of the task's shape, where it has some.
    #[must_use]
    pub fn task_options(&self) -> Option<&TaskOptions> {
        self.task()?.options.as_ref()
    }

    /// How the encoder is used. Pretraining trains every weight, as fine-tuning does.
    #[must_use]
    pub fn approach(&self) -> Approach {
        self.task().map_or(Approach::FineTuning, |of| of.approach)
    }

    /// Whether the encoder is frozen under an LSTM.
    #[must_use]
    pub fn reads_features(&self) -> bool {
        !self.approach().is_fine_tuning()
    }

    /// Longest sequence in tokens, `[CLS]` and `[SEP]` included.
    #[must_use]
    pub fn max_length(&self) -> u32 {
        match &self.objective {
            Objective::Task(of) => of.max_length,
            Objective::Pretraining(of) => of.max_length(),
        }
    }

    /// Passes over the training split of a task; 0 of a pretraining, which counts steps.
    #[must_use]
    pub fn epochs(&self) -> u32 {
        self.task().map_or(0, |of| of.epochs)
    }
}
