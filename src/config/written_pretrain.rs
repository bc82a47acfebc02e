//! `pretrain` of an experiment file as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::limits::{MAX_STEPS, SHORTEST_PAIR};
use crate::settings::{LmLoss, Masking, SaveStrategy, TextFormat, number};

// Defaults are those of create_pretraining_data.py and run_pretraining.py of google-research/bert, and of Devlin et al.
// 2018, appendix A.2.
/// What models are pretrained on, and how.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Pretrain")]
pub(super) struct WrittenPretrain {
    /// Files of text, and folders of such files. With `mini`, its corpus when left out; not needed where every phase
    /// names a `corpus`.
    #[schemars(length(min = 1))]
    pub(super) text: Option<Vec<String>>,
    /// Text that is not trained on, to evaluate the model; or a folder that `bertbench corpus prepare` wrote.
    #[schemars(length(min = 1))]
    pub(super) held_out: Option<Vec<String>>,
    /// The format of all text; detected from each file's name and first lines when left out.
    pub(super) format: Option<TextFormat>,
    /// The column that holds the text, of JSON lines and Parquet.
    pub(super) column: Option<String>,
    /// The objective of the pretraining; that of the model's encoder when left out.
    pub(super) objective: Option<LmLoss>,
    /// Which tokens are masked, and what replaces them.
    #[serde(default)]
    pub(super) masking: Masking,
    /// Passes over the text, each of which cuts it into examples differently.
    #[serde(default = "number::<10, u32>")]
    #[schemars(range(min = 1))]
    pub(super) dupe_factor: u32,
    /// The probability that a document's examples aim at a random shorter length.
    #[serde(default = "default_short_seq_prob")]
    #[schemars(range(min = 0, max = 1))]
    pub(super) short_seq_prob: f64,
    /// Lengths of examples and numbers of steps, one after the other under one schedule.
    #[schemars(length(min = 1))]
    pub(super) phases: Vec<WrittenPhase>,
    /// Examples per optimisation step.
    #[serde(default = "number::<256, u32>")]
    #[schemars(range(min = 1))]
    pub(super) batch_size: u32,
    /// Peak learning rate.
    #[serde(default = "default_learning_rate")]
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub(super) learning_rate: f64,
    /// Steps over which the learning rate rises; a hundredth of all when left out. It falls to 0 at the last step.
    pub(super) warmup_steps: Option<u64>,
    /// Steps from one evaluation on the held-out text to the next; a tenth of all steps when left out.
    #[schemars(range(min = 1))]
    pub(super) eval_steps: Option<u64>,
    /// Steps between lines of the log.
    #[serde(default = "number::<10, u64>")]
    #[schemars(range(min = 1))]
    pub(super) logging_steps: u64,
    /// Steps after which the model is kept besides the last one, for `checkpoint: {…, step: N}`.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true), inner(range(min = 1)))]
    pub(super) snapshots: Vec<u64>,
    /// When checkpoints are written, besides a stop; every five minutes when left out.
    pub(super) save: Option<SaveStrategy>,
}

fn default_short_seq_prob() -> f64 {
    0.1
}

fn default_learning_rate() -> f64 {
    1e-4
}

/// What one model does otherwise than `pretrain` says.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Recipe")]
pub(super) struct WrittenRecipe {
    /// The objective of the pretraining.
    pub(super) objective: Option<LmLoss>,
    /// Which tokens are masked, and what replaces them.
    pub(super) masking: Option<Masking>,
    /// Lengths of examples and numbers of steps.
    #[schemars(length(min = 1))]
    pub(super) phases: Option<Vec<WrittenPhase>>,
    /// Examples per optimisation step.
    #[schemars(range(min = 1))]
    pub(super) batch_size: Option<u32>,
    /// Peak learning rate.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub(super) learning_rate: Option<f64>,
    /// Steps over which the learning rate rises.
    pub(super) warmup_steps: Option<u64>,
}

/// Steps on examples of one length.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Phase", extend("oneOf" = [{"required": ["max_length"]}, {"required": ["corpus"]}]))]
pub(super) struct WrittenPhase {
    /// Longest example in tokens, special tokens included; the text is prepared for it.
    #[schemars(range(min = SHORTEST_PAIR, max = u16::MAX))]
    pub(super) max_length: Option<u32>,
    /// A folder that `bertbench corpus prepare` wrote, in place of `text` and `max_length`.
    pub(super) corpus: Option<String>,
    /// Optimisation steps.
    #[schemars(range(min = 1, max = MAX_STEPS))]
    pub(super) steps: u64,
}
