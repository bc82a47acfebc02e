//! The training settings of the experiment file as written, with their defaults.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::SHORTEST_SEQUENCE;
use crate::settings::{Optimizer, Precision};

/// Training settings that the sweep keeps fixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// Longest sequence in tokens, `[CLS]` and `[SEP]` included; longer texts are truncated, split or read in
    /// windows. Each task's own when left out, 128 for GLUE.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = SHORTEST_SEQUENCE))]
    pub max_length: Option<u32>,
    /// Fraction of all steps over which the learning rate rises from 0.
    #[schemars(range(min = 0, max = 1))]
    pub warmup_fraction: f64,
    /// Decoupled weight decay, not applied to biases and layer norms.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Dropout probability of embeddings, attention, residual branches and the head.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub dropout: f64,
    /// Gradients are scaled down to this global norm.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub max_grad_norm: f64,
    /// Forward and backward passes that a step's batch is split into, for machines with less memory.
    #[schemars(range(min = 1))]
    pub gradient_accumulation_steps: u32,
    /// Keep only each layer's input and recompute the layer in the backward pass: the same numbers with less memory
    /// and about a third more time.
    pub gradient_checkpointing: bool,
    /// The number format of matrix products: `f32`, or `bf16` or `f16` for mixed precision.
    pub precision: Precision,
    /// Whether a GPU's kernels for matrix products are timed and the fastest used, the same for all runs of a folder.
    pub autotune: bool,
    /// How much of the loss of the next token is minimised besides a task's: 0.5 in Radford et al. 2018. For models that
    /// read from left to right, and tasks with one answer to a text, a pair or a choice.
    #[schemars(range(min = 0))]
    pub lm_coef: f64,
    /// Whether tasks about the similarity of two texts read them in both orders and add what both give, as Radford et
    /// al. 2018 do.
    pub both_orders: bool,
    /// How gradients become updates: `{adamw: {}}` or `{bert_adam: {}}`.
    pub optimizer: Optimizer,
    /// Adam's β1.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub adam_beta1: f64,
    /// Adam's β2.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub adam_beta2: f64,
    /// Adam's ε; 1e-8 for `adamw` and 1e-6 for `bert_adam` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub adam_epsilon: Option<f64>,
}

impl Training {
    /// Adam's ε, the optimizer's own when the file names none.
    #[must_use]
    pub fn epsilon(&self) -> f64 {
        self.adam_epsilon.unwrap_or_else(|| self.optimizer.default_epsilon())
    }
}

impl Default for Training {
    fn default() -> Self {
        Self {
            max_length: None,
            // Devlin et al. 2018, appendix A.2, as run_classifier.py applies it to fine-tuning.
            warmup_fraction: 0.1,
            // Devlin et al. 2018, appendix A.2: decay 0.01, dropout 0.1, β1 0.9, β2 0.999.
            weight_decay: 0.01,
            dropout: 0.1,
            // google-research/bert, optimization.py: clip_by_global_norm 1.0.
            max_grad_norm: 1.0,
            gradient_accumulation_steps: 1,
            gradient_checkpointing: false,
            precision: Precision::F32,
            autotune: false,
            lm_coef: 0.0,
            both_orders: false,
            optimizer: Optimizer::AdamW {},
            adam_beta1: 0.9,
            adam_beta2: 0.999,
            adam_epsilon: None,
        }
    }
}
