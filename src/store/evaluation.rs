//! Scores, at the end of a run and on the way.

use serde::{Deserialize, Serialize};

/// One number with all that is needed to read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// `accuracy`, `f1`, `exact_match`, `precision`, `recall`, `mcc`, `pearson`, `spearman`, `loss`; of a pretraining
    /// `mlm_loss`, `perplexity`, `mlm_accuracy`, `nsp_loss` and `nsp_accuracy`.
    pub metric: String,
    /// The split that was scored: `dev`, `dev_matched` and `dev_mismatched`, a `test` whose labels are published, or
    /// `held_out`.
    pub split: String,
    /// The value, as a fraction (0.884, not 88.4) or a correlation; NaN is stored as null.
    pub value: Option<f64>,
    /// `fraction`, `correlation`, `nats`, `perplexity` or `squared score`.
    pub unit: String,
    /// Whether more is better.
    pub higher_is_better: bool,
}

/// The scores of a model on the way: at the end of an epoch, or after so many steps of a pretraining.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Epochs finished; none of a pretraining.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    /// Optimisation steps finished.
    pub step: u64,
    /// Mean training loss since the last evaluation; of a pretraining, the log has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_loss: Option<f64>,
    /// The scores, each over a whole split.
    pub scores: Vec<Score>,
    /// What a pretraining was scored on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<HeldOut>,
}

/// The size of the text that a pretraining is scored on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldOut {
    /// Examples.
    pub examples: u64,
    /// Tokens that were to be predicted.
    pub predictions: u64,
}

impl Evaluation {
    /// The first score of this name, on whatever split.
    #[must_use]
    pub fn value(&self, metric: &str) -> Option<f64> {
        self.scores.iter().find(|score| score.metric == metric)?.value
    }
}
