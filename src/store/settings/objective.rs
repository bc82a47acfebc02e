//! What a run learns: a task, or language modeling on a corpus.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::approach::TaskOptions;
use crate::settings::{Approach, LmLoss, Masking, SaveStrategy};

/// What a run learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Objective {
    /// A task, on whose dev splits the model is scored.
    Task(TaskObjective),
    /// Language modeling on text, for other runs to start from.
    Pretraining(PretrainingObjective),
}

/// A task, and how it is learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskObjective {
    /// The task's name, such as `rte`.
    pub task: String,
    /// The settings of the task's shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<TaskOptions>,
    /// How the encoder is used.
    #[serde(default, skip_serializing_if = "Approach::is_fine_tuning")]
    pub approach: Approach,
    /// Longest sequence in tokens, `[CLS]` and `[SEP]` included.
    pub max_length: u32,
    /// Passes over the training split.
    pub epochs: u32,
    /// SHA-256 of every data file that the run reads, by file name.
    pub data_sha256: BTreeMap<String, String>,
    /// Whether malformed rows are left out.
    pub skip_bad_rows: bool,
    /// How much of the next token's loss is minimised besides the task's (λ of Radford et al. 2018, §3.2).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lm_coef: f64,
    /// Whether the two texts of a pair are read in both orders, and what both give is added (§3.3).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub both_orders: bool,
}

/// Whether a term of the loss is left out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_zero(coefficient: &f64) -> bool {
    *coefficient == 0.0
}

/// How a model is pretrained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainingObjective {
    /// What is minimised.
    pub loss: LmLoss,
    /// The corpora, one after the other, under one schedule of the learning rate.
    pub phases: Vec<CorpusPhase>,
    /// What the model is evaluated on, and when.
    pub evaluation: Option<HeldOutEvaluation>,
    /// What the corpora ask for in the places of masked tokens. It is a part of their checksums, and stands here for
    /// reports; absent where nothing is masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masking: Option<Masking>,
    /// Steps, ascending, after which the model is kept besides the last one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<u64>,
    /// When checkpoints are written; decides nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saving: Option<SaveStrategy>,
    /// Steps from one line of the metrics log to the next.
    pub logging_steps: u64,
}

/// So many steps on one corpus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorpusPhase {
    /// Longest example in tokens.
    pub max_length: u32,
    /// Optimisation steps.
    pub steps: u64,
    /// The corpus: the checksum of one that was prepared before, or a hash of the text and of all that decides the
    /// examples that are made of it.
    pub data: String,
}

/// Evaluation on text that is not trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldOutEvaluation {
    /// The corpus, as [`CorpusPhase::data`].
    pub data: String,
    /// Steps from one evaluation to the next. The last step is always followed by one.
    pub every: u64,
}

impl Objective {
    /// Takes out what does not decide the weights that a run gives.
    pub(super) fn forget_reporting(&mut self) {
        if let Self::Pretraining(of) = self {
            (of.evaluation, of.masking, of.saving, of.logging_steps) = (None, None, None, 0);
        }
    }
}

impl PretrainingObjective {
    /// Steps of all phases.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.phases.iter().map(|phase| phase.steps).sum()
    }

    /// Longest example of any phase, in tokens.
    #[must_use]
    pub fn max_length(&self) -> u32 {
        self.phases.iter().map(|phase| phase.max_length).max().unwrap_or_default()
    }
}
